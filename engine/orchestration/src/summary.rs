//! A run in tables, and what a person should know of it.

mod files;

use dacapo_kernel::Section;
use dacapo_market::MarketConfig;

use crate::agents::AgentKind;
use crate::config::Config;
use crate::views::{MarketView, Views};

/// How many trades a summary lists.
const TRADES_SHOWN: usize = 12;

/// The tables of a run's summary.
pub(crate) fn summary(view: &Views) -> Vec<Section> {
    vec![
        files::bars(view),
        files::tape(view),
        levels(view),
        tasks(view),
        trades(view),
        balances(view),
        reused(view),
    ]
    .into_iter()
    .filter(|section| !section.rows.is_empty())
    .collect()
}

fn section(title: &str, columns: &[&str], rows: Vec<Vec<String>>) -> Section {
    let columns = columns.iter().map(|&column| column.to_owned()).collect();
    Section {
        title: title.to_owned(),
        columns,
        rows,
    }
}

/// Replies that no model gave in this run.
fn reused(view: &Views) -> Section {
    let rows = view.models.reused.iter();
    let rows = rows.map(|(why, times)| vec![why.clone(), times.to_string()]);
    section(
        "REUSED replies of an earlier recording",
        &["because", "times"],
        rows.collect(),
    )
}

fn levels(view: &Views) -> Section {
    let row = |(time, level): &(dacapo_kernel::Time, _)| vec![time.to_string(), format!("{level}")];
    let rows = view.coordinator.levels.iter().map(row).collect();
    section("level over time", &["time", "level"], rows)
}

fn tasks(view: &Views) -> Section {
    let rows = view.coordinator.tasks.iter().map(|(name, task)| {
        let last = task
            .last_run_ns
            .map_or("never".to_owned(), |time| time.to_string());
        vec![
            name.to_string(),
            task.done.to_string(),
            task.failed.to_string(),
            last,
        ]
    });
    section(
        "tasks",
        &["task", "runs", "failed", "last run"],
        rows.collect(),
    )
}

fn trades(view: &Views) -> Section {
    let fills = &view.trading.fills;
    let earlier = fills.len().saturating_sub(TRADES_SHOWN);
    let rows = fills[earlier..].iter().map(|fill| {
        let cells = [
            fill.time_ns.to_string(),
            fill.side.to_string(),
            fill.size.to_string(),
            fill.symbol.to_string(),
            fill.price.to_string(),
            fill.fee.to_string(),
        ];
        cells.to_vec()
    });
    let title = match earlier {
        0 => "trades".to_owned(),
        _ => format!("trades, the last {TRADES_SHOWN} of {}", fills.len()),
    };
    let columns = ["time", "side", "size", "symbol", "price", "fee"];
    section(&title, &columns, rows.collect())
}

fn balances(view: &Views) -> Section {
    let rows = view.trading.balances.iter();
    let rows = rows.map(|(asset, balance)| vec![asset.to_string(), balance.to_string()]);
    section("balances", &["asset", "balance"], rows.collect())
}

/// What a person should know about a run that went by without a mistake.
pub(crate) fn warnings(config: &Config, view: &Views) -> Vec<String> {
    let Views {
        coordinator,
        market,
        trading,
        ..
    } = view;
    let mut warnings = Vec::new();
    files::odd(view, &mut warnings);
    let doubtful = trading.doubtful_bars;
    if doubtful > 0 {
        warnings.push(format!(
            "{doubtful} times one bar touched both stop and target: the stop was taken"
        ));
    }
    let is_silent = |market: &MarketView| market.trades == 0 && market.bars == 0;
    let unpriced: Vec<&str> = config
        .symbols
        .iter()
        .filter(|symbol| market.get(*symbol).is_none_or(is_silent))
        .map(|symbol| symbol.as_str())
        .collect();
    if !unpriced.is_empty() && config.market != MarketConfig::None {
        warnings.push(format!("the market never traded {}", unpriced.join(", ")));
    }
    // Where nobody is there to decide, nobody expects it.
    let decides = config.agents.trading_decision != AgentKind::Absent;
    if coordinator.signals == 0 && decides {
        warnings.push(format!("nothing was ever decided: {}", why_no_signal(view)));
    } else if coordinator.signals > 0 && trading.filled == 0 {
        let refused: Vec<String> = trading
            .rejected
            .iter()
            .chain(&trading.refused)
            .chain(&coordinator.dropped)
            .map(|(reason, count)| format!("{reason} {count} times"))
            .collect();
        let why = if refused.is_empty() {
            "every order rests".to_owned()
        } else {
            refused.join(", ")
        };
        warnings.push(format!("no order was ever filled: {why}"));
    }
    warnings
}

fn why_no_signal(view: &Views) -> String {
    match view.coordinator.tasks.get("trading_decision") {
        None => "the task trading_decision never ran; see its interval, its dependencies and \
                 the duration of the run"
            .to_owned(),
        Some(task) if task.done == 0 => {
            format!("all {} runs of trading_decision failed", task.failed)
        }
        Some(task) => format!(
            "{} runs of trading_decision held or had too few prices; see agents.analysis for the \
             length of the windows",
            task.done
        ),
    }
}
