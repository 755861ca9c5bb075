//! `rebalance.told`: what is said of a rebalancing's trade is what was judged and what the exchange answered.

use std::collections::BTreeMap;

use dacapo_kernel::{ActorId, Event, Invariant};

use super::prices::{CRASHED, TASK_CRASHED};
use crate::domain_event::{
    DomainEvent, OrderAnswered, OrderOutcome, OrderSubmitted, Published, RebalanceTradeSkipped,
    RiskJudged, TradeOrigin, number,
};
use crate::message::{Name, Payload};

/// What became of a trade.
#[derive(Debug, PartialEq)]
enum End {
    /// It was carried out, or waits for its price.
    Done(Option<Name>),
    /// Why nothing came of it.
    Skipped(Name),
}

/// A trade that was sent, or was refused before it could be.
#[derive(Debug)]
struct Trade {
    /// The name of its order, if it came that far.
    key: Option<Name>,
    symbol: Name,
    side: Name,
    /// Whether it waited for its time: then nobody is told that it was carried out.
    waited: bool,
    /// None while nobody answers.
    end: Option<End>,
    /// Whether its first answer was lost.
    lost: bool,
}

/// The trades of which nothing was said yet.
#[derive(Debug, Default)]
pub(super) struct TradesTold {
    coordinator: Option<ActorId>,
    sent: BTreeMap<Name, Trade>,
    /// What was judged or answered last: it is told before anything else is judged.
    owed: Option<Trade>,
}

impl TradesTold {
    fn judge(&mut self, judged: &RiskJudged) -> Result<(), String> {
        self.is_all_told()?;
        let refused = matches!(judged.status.as_str(), "rejected" | "halted");
        if !refused || matches!(judged.origin, TradeOrigin::Signal(_)) {
            return Ok(());
        }
        let why = judged.rejections.first().cloned();
        self.owed = Some(Trade {
            key: None,
            symbol: judged.proposal.symbol.clone(),
            side: judged.proposal.side.clone(),
            waited: judged.origin == TradeOrigin::Leg,
            end: Some(End::Skipped(why.unwrap_or(Name::fixed("rejected")))),
            lost: false,
        });
        Ok(())
    }

    fn submit(&mut self, sent: &OrderSubmitted) -> Result<(), String> {
        self.is_all_told()?;
        if !matches!(sent.origin, TradeOrigin::Signal(_)) {
            let trade = Trade {
                key: Some(sent.intent.clone()),
                symbol: sent.order.symbol.clone(),
                side: sent.order.side.clone(),
                waited: sent.origin == TradeOrigin::Leg,
                end: None,
                lost: false,
            };
            self.sent.insert(sent.intent.clone(), trade);
        }
        Ok(())
    }

    fn answer(&mut self, answered: &OrderAnswered) -> Result<(), String> {
        if answered.outcome == OrderOutcome::Unknown {
            if let Some(trade) = self.sent.get_mut(&answered.intent) {
                trade.lost = true;
            }
            return Ok(());
        }
        let Some(mut trade) = self.sent.remove(&answered.intent) else {
            return Ok(());
        };
        self.is_all_told()?;
        let end = match &answered.outcome {
            OrderOutcome::Refused(code) | OrderOutcome::Raised(code) => End::Skipped(code.clone()),
            _ => End::Done(answered.order.clone()),
        };
        // What became of an order while nobody answered is told in other words.
        let is_told = !trade.lost && (!trade.waited || matches!(end, End::Skipped(_)));
        trade.end = Some(end);
        self.owed = Some(trade).filter(|_| is_told);
        Ok(())
    }

    fn publish(&mut self, published: &Published) -> Result<(), String> {
        let Payload::RebalanceTradeExecuted(told) = &published.message.payload else {
            return Ok(());
        };
        if told.batch_index != 0 {
            return Err(format!(
                "expected nobody to be told of a trade that waited, found one of {} told",
                told.symbol
            ));
        }
        let Some(owed) = self.owed.take() else {
            return Ok(());
        };
        let end = End::Done(told.order_id.0.clone());
        let is_this = owed.end.as_ref() == Some(&end)
            && owed.symbol == told.symbol
            && owed.side == told.side
            && !owed.waited;
        if is_this {
            return Ok(());
        }
        Err(format!(
            "expected {:?} to be told of a trade of {}, found {end:?} of {}",
            owed.end, owed.symbol, told.symbol
        ))
    }

    fn skip(&mut self, skipped: &RebalanceTradeSkipped) -> Result<(), String> {
        let Some(owed) = self.owed.take() else {
            return Ok(());
        };
        let end = End::Skipped(skipped.reason.clone());
        let is_this = owed.end.as_ref() == Some(&end)
            && owed.key.as_ref().is_none_or(|key| *key == skipped.key)
            && owed.symbol == skipped.symbol
            && owed.side == skipped.side
            && owed.waited == (skipped.batch_index > 0);
        if is_this {
            return Ok(());
        }
        Err(format!(
            "expected {:?} to be told of a trade of {}, found {end:?} of {}",
            owed.end, owed.symbol, skipped.symbol
        ))
    }

    fn is_all_told(&mut self) -> Result<(), String> {
        let Some(owed) = self.owed.take() else {
            return Ok(());
        };
        Err(format!(
            "expected {:?} to be told of a trade of {}, found it untold",
            owed.end, owed.symbol
        ))
    }

    fn forget(&mut self) {
        self.sent.clear();
        self.owed = None;
    }
}

impl Invariant<DomainEvent> for TradesTold {
    fn id(&self) -> &'static str {
        "rebalance.told"
    }

    fn statement(&self) -> &'static str {
        "of each trade of a rebalancing it is said at once that it was carried out, or why not, as risk or \
         the exchange had it"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            CRASHED,
            TASK_CRASHED,
            number::Started,
            number::Published,
            number::RiskJudged,
            number::OrderSubmitted,
            number::OrderAnswered,
            number::RebalanceTradeSkipped,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::RebalanceTradeSkipped, number::OrderAnswered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.coordinator = Some(event.actor);
                self.forget();
            }
            Some(DomainEvent::Published(it)) if self.coordinator == Some(event.actor) => {
                return self.publish(it);
            }
            Some(DomainEvent::RiskJudged(it)) => return self.judge(it),
            Some(DomainEvent::OrderSubmitted(it)) => return self.submit(it),
            Some(DomainEvent::OrderAnswered(it)) => return self.answer(it),
            Some(DomainEvent::RebalanceTradeSkipped(it)) => return self.skip(it),
            Some(_) => {}
            None => self.forget(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{answered, judged, published, submitted};
    use super::*;
    use crate::domain_event::Started;
    use crate::invariants::planted::Planted;
    use crate::message::Topic;

    fn begun() -> Planted {
        Planted::of(TradesTold::default()).then(Started {})
    }

    fn sent(origin: TradeOrigin) -> Planted {
        let log = begun().then(judged(origin, "buy"));
        log.then(submitted("rebalance-1-0", origin, "buy"))
    }

    fn answer(outcome: OrderOutcome) -> OrderAnswered {
        answered("rebalance-1-0", Some("order-1"), outcome)
    }

    fn executed(order: &str, side: &str) -> Published {
        let payload = json!({"event_type": "rebalance_trade_executed", "order_id": order,
            "symbol": "BTC/USDT", "side": side, "batch_index": 0});
        published(8, Topic::ExecutionEvents, 0, payload)
    }

    fn skipped(reason: &str, batch_index: i64) -> RebalanceTradeSkipped {
        RebalanceTradeSkipped {
            key: "rebalance-1-0".into(),
            symbol: "BTC/USDT".into(),
            side: "buy".into(),
            batch_index,
            reason: reason.into(),
        }
    }

    fn next(log: Planted) -> Planted {
        log.then(judged(TradeOrigin::Plan, "sell"))
    }

    // Fails if the order or its side may be another one, or nothing need be said.
    #[test]
    fn what_was_carried_out_is_told() {
        let filled = || sent(TradeOrigin::Plan).then(answer(OrderOutcome::Filled));
        next(filled().then(executed("order-1", "buy"))).holds();
        filled().then(executed("order-2", "buy")).violated();
        filled().then(executed("order-1", "sell")).violated();
        filled().then(skipped("no_price", 0)).violated();
        next(filled()).violated();
    }

    // Fails if the reason may be another one, or a refused trade be called carried out.
    #[test]
    fn what_was_refused_is_told_with_its_reason() {
        let outcome = OrderOutcome::Refused("no_price".into());
        let refused = || sent(TradeOrigin::Plan).then(answer(outcome.clone()));
        next(refused().then(skipped("no_price", 0))).holds();
        refused().then(skipped("rejected", 0)).violated();
        refused().then(executed("order-1", "buy")).violated();
        let mut no = judged(TradeOrigin::Leg, "buy");
        (no.status, no.rejections) = ("halted".into(), vec!["TRADING_HALTED".into()]);
        next(begun().then(no.clone()).then(skipped("TRADING_HALTED", 1))).holds();
        next(begun().then(no)).violated();
    }

    // Fails if a later trade must be told like one that is carried out at once.
    #[test]
    fn what_waited_is_marked_and_not_told() {
        let filled = || sent(TradeOrigin::Leg).then(answer(OrderOutcome::Filled));
        next(filled()).holds();
        let told = json!({"event_type": "rebalance_trade_executed", "order_id": "order-1",
            "symbol": "BTC/USDT", "side": "buy", "batch_index": 1});
        filled()
            .then(published(8, Topic::ExecutionEvents, 0, told))
            .violated();
    }
}
