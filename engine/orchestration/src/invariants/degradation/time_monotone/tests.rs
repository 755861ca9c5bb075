//! Ages, intervals and cooldowns, told by the right clock and by the wrong one.

use dacapo_kernel::ClockJumped;

use super::super::samples::begun;
use super::*;
use crate::amount::Amount;
use crate::config::TradeResult;
use crate::domain_event::{
    ConsensusBuilt, HistoryShrunk, OutsideActed, PositionClosed, Proposed, Started, TaskFinished,
    WakeAsked,
};
use crate::invariants::bus::samples::{config, said};
use crate::invariants::money::planted::subscribed;
use crate::invariants::planted::Planted;
use crate::message::Topic;

fn log() -> Planted {
    let hour = 3_600_000_000_000;
    Planted::of(TimeMonotone::new(&config())).kernel(ClockJumped { by: hour })
}

fn finished() -> TaskFinished {
    TaskFinished {
        task: "ta_analysis".into(),
    }
}

fn refused() -> RiskJudged {
    RiskJudged {
        origin: crate::domain_event::TradeOrigin::Signal(1),
        basis: None,
        proposal: Proposed {
            symbol: "BTC/USDT".into(),
            side: "buy".into(),
            size_usd: 100.0,
            entry_price: 1.0,
            stop_loss: None,
            take_profit: None,
            leverage: 1,
            confidence: 0.5,
            regime: None,
        },
        status: "rejected".into(),
        rejections: vec!["IN_COOLDOWN".into()],
        warnings: Vec::new(),
        size_usd: None,
        leverage: None,
    }
}

fn lost() -> OutsideActed {
    OutsideActed {
        action: OutsideAction::TradeResult(TradeResult { win: false }),
    }
}

fn citing_nothing() -> ConsensusBuilt {
    ConsensusBuilt {
        signal: 1,
        symbol: "BTC/USDT".into(),
        evidence: Vec::new(),
        agreement: 0,
        total: 0,
        multiplier: 1.0,
        confidence: 0.5,
    }
}

fn shrunk(dropped: u64) -> HistoryShrunk {
    HistoryShrunk {
        dropped,
        expired: true,
    }
}

#[test]
fn what_is_told_by_virtual_time_is_fine() {
    log()
        .at(2.0)
        .then(said(0, Topic::TaSignals, 2))
        .then(begun("BTC/USDT", false))
        .then(finished())
        .then(lost())
        .at(61.9)
        .then(begun("BTC/USDT", true))
        .at(62.0)
        .then(begun("BTC/USDT", false))
        .then(refused())
        .at(400.0)
        .then(said(1, Topic::TradingSignals, 400))
        .then(citing_nothing())
        .then(shrunk(1))
        .holds();
}

#[test]
fn time_never_goes_back() {
    let log = log().at(5.0).then(finished()).at(4.0).then(finished());
    assert!(log.violated().contains("to go on from"));
}

#[test]
fn a_message_with_another_time_is_found() {
    let log = log().at(2.0).then(said(0, Topic::TaSignals, 3_602));
    assert!(log.violated().contains("stamped with virtual time"));
}

#[test]
fn so_are_evidence_that_is_lost_and_messages_that_are_dropped_early() {
    let said_both = || {
        log()
            .then(said(0, Topic::TaSignals, 0))
            .then(said(1, Topic::TradingSignals, 0))
    };
    let lost = said_both().then(citing_nothing()).violated();
    assert!(lost.contains("found nothing"), "{lost}");
    let early = said_both().then(shrunk(2)).violated();
    assert!(early.contains("found 2 dropped"), "{early}");
}

#[test]
fn so_is_a_task_that_comes_early() {
    let log = log().then(finished()).at(59.9);
    let early = log.then(begun("BTC/USDT", false)).violated();
    assert!(early.contains("one interval after"), "{early}");
}

/// A wake-up that excuses a run before it is due, or a second one, fails here.
#[test]
fn an_agent_that_asked_for_it_is_woken_earlier_and_once() {
    let asked = || {
        log().then(finished()).then(WakeAsked {
            task: "ta_analysis".into(),
            at: Instant::from_micros(20_000_000),
        })
    };
    let woken = || {
        asked()
            .at(20.0)
            .then(begun("BTC/USDT", false))
            .then(WakeAsked {
                task: "ta_analysis".into(),
                at: Instant::from_micros(90_000_000),
            })
            .then(begun("XRP/USDT", false))
            .then(finished())
    };
    woken().holds();
    let early = asked().at(19.0).then(begun("BTC/USDT", false)).violated();
    assert!(early.contains("one interval after"), "{early}");
    let twice = woken().at(21.0).then(begun("BTC/USDT", false)).violated();
    assert!(twice.contains("one interval after"), "{twice}");
}

#[test]
fn what_is_heard_after_a_crash_cools_down_from_then_on() {
    let log = log().then(lost()).at(3_000.0).then(Started {});
    log.at(4_000.0).then(refused()).holds();
}

/// Fails if what comes while a coordinator waits for its store is taken to be heard before.
#[test]
fn what_is_heard_when_the_store_is_there_cools_down_from_then_on() {
    let waits = log().then(Started {}).at(900.0).then(lost());
    let works = waits.at(3_000.0).then(subscribed());
    works.at(4_000.0).then(refused()).holds();
}

/// Fails if only a closing that somebody was told of is one to cool down after.
#[test]
fn a_position_that_closed_while_nobody_was_there_is_cooled_down_after() {
    let closed = PositionClosed {
        position: 1,
        size: Amount::from_int(1),
        price: Amount::HUNDRED,
        profit: Amount::from_int(-1),
        reason: "stop_loss".into(),
    };
    log().then(closed).then(refused()).holds();
}

#[test]
fn so_is_a_cooldown_that_does_not_end() {
    assert!(log().then(refused()).violated().contains("cooldown"));
    let long = log().then(lost()).at(3_600.0).then(refused());
    assert!(long.violated().contains("cooldown"));
}
