//! The trades of a rebalancing as its agent announces them.

use dacapo_kernel::Time;
use serde_json::Value;

use crate::message::{Instant, Message, Payload, Topic};

/// What is to be traded.
#[derive(Debug)]
pub(super) struct PlanAnnounced {
    /// How many trades are carried out at once.
    pub(super) at_once: u64,
    /// When each of the others is due.
    pub(super) later: Vec<Time>,
    /// Whether each trade has a size, so that none may be refused for its form.
    pub(super) well_formed: bool,
}

impl PlanAnnounced {
    /// The plan that a message announces, if it announces one that changes anything.
    pub(super) fn read(message: &Message, now: Time, start_us: i64) -> Option<PlanAnnounced> {
        let (Topic::PortfolioUpdates, Payload::Raw(plan)) = (message.topic, &message.payload)
        else {
            return None;
        };
        if plan.get("action")?.as_str()? != "rebalance" {
            return None;
        }
        let trades = plan.get("trades")?.as_array()?;
        let is_later = |trade: &&Value| trade["batch_index"].as_u64() != Some(0);
        let divided = plan["dca_batches"].as_u64().unwrap_or(0) > 1;
        let due = |trade: &Value| {
            let scheduled = trade["scheduled_time"].as_str();
            let due = scheduled.and_then(|text| Instant::from_iso(text, start_us));
            due.map_or(now, time)
        };
        let mut later: Vec<Time> = trades
            .iter()
            .filter(|trade| divided && is_later(trade))
            .map(due)
            .collect();
        later.sort();
        Some(PlanAnnounced {
            at_once: trades.iter().filter(|trade| !is_later(trade)).count() as u64,
            later,
            well_formed: trades.iter().all(is_well_formed),
        })
    }
}

fn is_well_formed(trade: &Value) -> bool {
    let sized = trade["amount_usd"]
        .as_f64()
        .is_some_and(|amount| amount > 0.0);
    sized
        && trade["symbol"]
            .as_str()
            .is_some_and(|symbol| !symbol.is_empty())
}

/// An instant as the time of a run.
pub(super) fn time(instant: Instant) -> Time {
    Time::from_micros(u64::try_from(instant.as_micros()).unwrap_or(0))
}
