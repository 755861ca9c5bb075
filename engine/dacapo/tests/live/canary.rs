//! A key that is like no other text, and a search for it in everything that the program writes: standard output and
//! error, the diagnostics of every layer, logs, the facts beside them, pages, exports, kept replies.

use std::fs;

use crate::desk::{Desk, Said};
use crate::server::Server;

const KEY: &str = "sk-canary-5c1f7e0a93d2";

/// Calls the program with the key in its environment, and all diagnostics; the key is in nothing that it says.
fn call(desk: &Desk, words: &str) -> Said {
    let words: Vec<&str> = words.split(' ').collect();
    let mut command = desk.command(&words);
    command.env("CANARY_KEY", KEY).arg("-vvv");
    let said = Said::of(command.output().unwrap());
    assert!(!said.to_string().contains(KEY), "{words:?} tells the key");
    let is_run = words[0] == "record" || words[0] == "replay";
    assert!(
        !is_run || said.err.contains(" TRACE "),
        "no diagnostics of {words:?}"
    );
    said
}

/// Every file of the desk that has the key in it, and how many there are.
fn searched(desk: &Desk) -> (Vec<String>, usize) {
    let files = crate::desk::names(&desk.path("."));
    let has = |name: &&String| {
        let bytes = fs::read(desk.path(name)).unwrap();
        bytes.windows(KEY.len()).any(|it| it == KEY.as_bytes())
    };
    (files.iter().filter(has).cloned().collect(), files.len())
}

/// Fails if the key is written anywhere: by the program, by a library of its own accord, or because a provider repeats
/// it; and if the search would not find it.
#[test]
fn a_key_is_in_nothing_that_is_written() {
    let server = Server::start("127.0.0.1:0").unwrap();
    let desk = crate::desk(&server, ", key_env = \"CANARY_KEY\"");
    let mut words = vec!["record live.toml --out a.dlog --acknowledge".to_owned()];
    // These repeat what they were sent: in a reply, and in an error.
    for model in ["echo", "unauthorized"] {
        words.push(format!(
            "record live.toml --out {model}.dlog --set llm.primary.model={model} --set run.duration=5m"
        ));
    }
    let more = [
        "replay a.dlog",
        "show echo.dlog --message-format json",
        "show a.dlog --at 200",
        "report echo.dlog --out echo.html",
        "export echo.dlog --to jsonl --out echo.jsonl",
        "figures a.dlog",
        "prompt-test echo.dlog a.dlog --template resolution.txt --save-replies kept.jsonl --summary sum.md",
        "prompt-test echo.dlog a.dlog --template resolution.txt --replies kept.jsonl --message-format json",
        "prompt-test a.dlog --template resolution.txt --message-format github",
        "record live.toml --from a.dlog --out b.dlog",
    ];
    words.extend(more.map(str::to_owned));
    for words in &words {
        let said = call(&desk, words);
        let refused = words.contains("unauthorized");
        let code = if refused { Some(2) } else { Some(0) };
        assert_eq!(said.code, code, "{words}: {said}");
    }
    let (found, files) = searched(&desk);
    assert!(found.is_empty(), "the key is in {found:?}");
    // The facts beside each log are among them, and whatever the commands above are asked to write.
    let names = crate::desk::names(&desk.path("."));
    for expected in [
        "a.dlog.meta.json",
        "echo.html",
        "kept.jsonl",
        "sum.md",
        "unauthorized.dlog",
    ] {
        assert!(
            names.contains(&expected.to_owned()),
            "{expected}: {names:?}"
        );
    }
    assert!(server.asked() > 20, "{} calls", server.asked());
    fs::write(desk.path("planted"), format!("x{KEY}x")).unwrap();
    assert_eq!(searched(&desk), (vec!["planted".to_owned()], files + 1));
}
