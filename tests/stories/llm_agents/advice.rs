//! A language model that advises on a rebalancing: asked live about an account whose assets it is not told, and put to the
//! test with another prompt.

use std::fs;

use dacapo_cli::Exit;
use dacapo_orchestration::domain_event::{DomainEvent, OrderSubmitted};
use dacapo_tests::{events, root};
use tempfile::{TempDir, tempdir};

use super::super::live_models::call;
use super::super::live_models::server::Server;
use super::transcript;

/// The model is asked with the first of the two templates.
const RECORD: &str = "record DESK/live.toml --force --out DESK/a.dlog --set agents.portfolio_rebalance.llm.template={file=\"sell.txt\"}";

/// The scenario of a model that advises, in a folder of its own, with the model at this server and names hidden.
fn desk(server: &Server) -> TempDir {
    let text = fs::read_to_string(root().join("scenarios/advised-rebalance.toml"));
    let text = text.expect("the scenario is there");
    let (before, rest) = text.split_once("replies.scripted = [").expect("it has one");
    let (_, after) = rest.split_once("\n]\n").expect("the list ends");
    let (before, after) = (
        before.replace("treasurer", "obedient"),
        after.split("[expect.figures]").next(),
    );
    let address = server.address;
    let live =
        format!("replies.live = {{ provider = \"openai\", base_url = \"http://{address}/v1\" }}\n");
    let mask = "[llm]\nprimary = { model = \"p\" }\nfallback = { model = \"p\" }\nmask = { symbols = true, dates = true }\n";
    let folder = tempdir().expect("a temporary folder can be made");
    let scenario = format!("{before}{live}{}\n{mask}", after.unwrap_or_default());
    fs::write(folder.path().join("live.toml"), scenario).expect("the folder is ours");
    // The server replies with what stands behind ANSWER.
    for (name, action) in [("sell.txt", "sell"), ("buy.txt", "buy")] {
        let advice = format!(
            r#"{{"trades": [{{"symbol": "ASSET1/ASSET2", "action": "{action}", "amount_usd": 25}}]}}"#
        );
        let template =
            format!("At {{{{time}}}} there is {{{{assets}}}}.\nANSWER {advice}\n{{{{reply}}}}");
        fs::write(folder.path().join(name), template).expect("the folder is ours");
    }
    folder
}

/// An asset or a day that the model is told, advice that is not followed, or another plan in a replay, fails here.
#[test]
fn a_model_advises_on_assets_that_it_is_not_told() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = call(desk.path(), RECORD);
    assert_eq!((exit, server.asked()), (Exit::Fine, 3), "{said}");
    let log = fs::read(desk.path().join("a.dlog")).expect("the run was recorded");
    let (asked, _) = transcript(&log);
    for prompt in &asked {
        let tells = ["BTC", "XRP", "USDT", "1970"]
            .iter()
            .any(|it| prompt.contains(it));
        assert!(prompt.contains("ASSET3") && !tells, "{prompt}");
    }
    let sold = |it: &OrderSubmitted| (&*it.order.symbol, &*it.order.side) == ("BTC/USDT", "sell");
    let log = events(&log);
    let orders = log.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::OrderSubmitted(it)) => Some(sold(it)),
        _ => None,
    });
    assert_eq!(orders.collect::<Vec<_>>(), [true; 3]);
    drop(server);
    let (exit, said) = call(desk.path(), "replay DESK/a.dlog");
    assert_eq!(exit, Exit::Fine, "{said}");
}

/// Other advice that is no flip, or a strategy where trades were advised, fails here.
#[test]
fn another_prompt_is_held_against_what_was_advised() {
    let server = Server::start("127.0.0.1:0").expect("there is a free port");
    let desk = desk(&server);
    let (exit, said) = call(desk.path(), RECORD);
    assert_eq!(exit, Exit::Fine, "{said}");
    for (template, flips) in [("sell.txt", "0 of 3"), ("buy.txt", "3 of 3")] {
        let words =
            format!("prompt-test DESK/a.dlog --of portfolio_rebalance --template DESK/{template}");
        let (_, said) = call(desk.path(), &words);
        let told = format!(
            "{flips} decisions flip, 0 become orders, 0 are no orders any more, 0 of 3 replies invalid"
        );
        assert!(said.contains(&told), "{template}: {said}");
    }
}
