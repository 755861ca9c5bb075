//! What a signal comes to, once it is weighed and its conflicts are resolved: computed from what was said, by no code of
//! the coordinator's.

use super::facts::{Fact, Facts};
use super::reading::Changes;
use crate::coordinator::modification::ModificationBounds;
use crate::domain_event::Proposed;

/// What a signal comes to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Decision {
    /// Exactly this is proposed.
    Proposal(Proposed),
    /// Nothing: its entry was moved beyond its stop.
    BeyondStop,
    /// Nothing: what is left is no valid proposal.
    Invalid,
    /// Nothing: what was to be changed is no number.
    Malformed,
}

/// The numbers of a signal that a reply may change.
struct Numbers<'a> {
    size_usd: Fact<'a>,
    entry_price: Fact<'a>,
    leverage: Fact<'a>,
}

/// What `signal` comes to with this confidence and these changes.
pub(super) fn decide(
    signal: Facts<'_>,
    confidence: f64,
    changes: Option<&Changes>,
    bounds: &ModificationBounds,
    default_size_usd: f64,
) -> Decision {
    let own = |name: &str, missing| signal.get(name).unwrap_or(missing);
    let mut numbers = Numbers {
        size_usd: own("size_usd", Fact::Number(default_size_usd)),
        entry_price: own("entry_price", Fact::Whole(0)),
        leverage: own("leverage", Fact::Whole(1)),
    };
    if let Some(changes) = changes {
        match change(signal, changes, bounds, &mut numbers) {
            None => return Decision::Malformed,
            Some(true) => return Decision::BeyondStop,
            Some(false) => {}
        }
    }
    propose(signal, confidence, &numbers).map_or(Decision::Invalid, Decision::Proposal)
}

/// Changes the numbers: leverage, size, entry, in this order. Whether the entry then lies beyond the stop; none if
/// one of those to be changed is no number.
fn change(
    signal: Facts<'_>,
    changes: &Changes,
    bounds: &ModificationBounds,
    numbers: &mut Numbers<'_>,
) -> Option<bool> {
    let own_leverage = signal.number("leverage", 1.0);
    let own_size = signal.number("size_usd", 0.0);
    let own_entry = signal.number("entry_price", 0.0);
    // Nothing is changed if one of them cannot be.
    changes.leverage.map_or(Some(0.0), |_| own_leverage)?;
    changes.size_reduction_pct.map_or(Some(0.0), |_| own_size)?;
    changes
        .entry_adjustment_pct
        .map_or(Some(0.0), |_| own_entry)?;
    if let (Some(wanted), Some(own)) = (changes.leverage, own_leverage) {
        let (least, most) = bounds.leverage;
        let within = wanted.trunc().max(least as f64).min(most as f64);
        numbers.leverage = Fact::Whole((within.min(own.trunc()) as i64).into());
    }
    if let (Some(pct), Some(own)) = (changes.size_reduction_pct, own_size) {
        let (least, most) = bounds.size_reduction_pct;
        let left = own * (1.0 - pct.max(least).min(most) / 100.0);
        numbers.size_usd = Fact::Number(if left < 0.0 { 0.0 } else { left });
    }
    if let (Some(pct), Some(own)) = (changes.entry_adjustment_pct, own_entry)
        && own > 0.0
    {
        let (least, most) = bounds.entry_adjustment_pct;
        let moved = own * (1.0 + pct.max(least).min(most) / 100.0);
        let moved = if moved < bounds.min_entry_price {
            bounds.min_entry_price
        } else {
            moved
        };
        numbers.entry_price = Fact::Number(moved);
        let Some(stop) = signal.own_number("stop_loss") else {
            return Some(false);
        };
        return Some(match signal.text("action") {
            Some("BUY") => stop >= moved,
            Some("SELL") => stop <= moved,
            _ => false,
        });
    }
    Some(false)
}

/// The proposal, if it is a valid one.
fn propose(signal: Facts<'_>, confidence: f64, numbers: &Numbers<'_>) -> Option<Proposed> {
    let buys = signal.text("action") == Some("BUY");
    let positive = |fact: Fact<'_>| fact.number().filter(|it| *it > 0.0);
    let entry = positive(numbers.entry_price)?;
    // A level that is stated is a price on its own side of the entry.
    let level = |name: &str, is_below: bool| match signal.get(name) {
        None | Some(Fact::Null) => Some(None),
        Some(stated) => {
            let level = positive(stated)?;
            let fits = if is_below {
                level < entry
            } else {
                level > entry
            };
            fits.then_some(Some(level))
        }
    };
    let leverage = match numbers.leverage {
        Fact::Truth(truth) => i64::from(truth),
        Fact::Whole(whole) => i64::try_from(whole).unwrap_or(i64::MAX),
        _ => return None,
    };
    let symbol = signal.text("symbol").filter(|symbol| !symbol.is_empty())?;
    let regime = match signal.get("regime") {
        None => Some("ranging"),
        Some(stated) => stated.text(),
    };
    let is_valid = leverage >= 1 && (0.0..=1.0).contains(&confidence);
    Some(Proposed {
        symbol: symbol.into(),
        side: if buys { "buy" } else { "sell" }.into(),
        size_usd: positive(numbers.size_usd)?,
        entry_price: entry,
        stop_loss: level("stop_loss", buys)?,
        take_profit: level("take_profit", !buys)?,
        leverage,
        confidence,
        regime: regime.map(Into::into),
    })
    .filter(|_| is_valid)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::message::Payload;

    fn signal(more: Value) -> Payload {
        let mut signal = json!({
            "symbol": "BTC/USDT", "action": "BUY", "size_usd": 500.0, "leverage": 2,
            "entry_price": 45_000.0, "stop_loss": 44_100.0,
        });
        for (name, value) in more.as_object().expect("an object") {
            signal[name] = value.clone();
        }
        Payload::Raw(signal)
    }

    fn decided(signal: &Payload, changes: Changes) -> Decision {
        let bounds = ModificationBounds::default();
        decide(Facts::of(signal), 0.8, Some(&changes), &bounds, 100.0)
    }

    fn proposed(signal: &Payload, changes: Changes) -> (f64, f64, i64) {
        match decided(signal, changes) {
            Decision::Proposal(it) => (it.size_usd, it.entry_price, it.leverage),
            other => panic!("expected a proposal, found {other:?}"),
        }
    }

    fn leverage(wanted: f64) -> Changes {
        Changes {
            leverage: Some(wanted),
            ..Changes::default()
        }
    }

    fn smaller(pct: f64) -> Changes {
        Changes {
            size_reduction_pct: Some(pct),
            ..Changes::default()
        }
    }

    fn moved(pct: f64) -> Changes {
        Changes {
            entry_adjustment_pct: Some(pct),
            ..Changes::default()
        }
    }

    // Fails if a change is taken beyond its bounds, or touches anything else.
    #[test]
    fn each_change_keeps_to_its_bounds_and_to_its_field() {
        let plain = signal(json!({}));
        assert_eq!(proposed(&plain, Changes::default()), (500.0, 45_000.0, 2));
        for (wanted, left) in [(1.9, 1), (-7.0, 1), (9.0, 2), (2.0, 2)] {
            assert_eq!(proposed(&plain, leverage(wanted)), (500.0, 45_000.0, left));
        }
        for (pct, left) in [(25.0, 375.0), (-400.0, 500.0)] {
            assert_eq!(proposed(&plain, smaller(pct)), (left, 45_000.0, 2));
        }
        for (pct, entry) in [(1.0, 45_450.0), (900.0, 67_500.0), (-1.0, 44_550.0)] {
            assert_eq!(proposed(&plain, moved(pct)), (500.0, entry, 2));
        }
        let five = signal(json!({"leverage": 9}));
        assert_eq!(proposed(&five, leverage(7.0)).2, 5);
    }

    // Fails if what cannot be traded is.
    #[test]
    fn what_is_left_must_be_tradable() {
        let plain = signal(json!({}));
        assert_eq!(decided(&plain, smaller(300.0)), Decision::Invalid);
        assert_eq!(decided(&plain, moved(-2.0)), Decision::BeyondStop);
        let sells = signal(json!({"action": "SELL", "stop_loss": 45_900.0}));
        assert_eq!(decided(&sells, moved(2.0)), Decision::BeyondStop);
        assert_eq!(proposed(&sells, moved(-2.0)).1, 44_100.0);
        for wrong in [
            json!({"size_usd": 0}),
            json!({"symbol": ""}),
            json!({"leverage": 2.0}),
            json!({"leverage": 0}),
            json!({"entry_price": null}),
            json!({"stop_loss": 45_000.0}),
            json!({"take_profit": 44_000.0}),
            json!({"stop_loss": "low"}),
        ] {
            let decision = decided(&signal(wrong.clone()), Changes::default());
            assert_eq!(decision, Decision::Invalid, "{wrong}");
        }
        let text = signal(json!({"size_usd": "much"}));
        assert_eq!(decided(&text, smaller(10.0)), Decision::Malformed);
        assert_eq!(decided(&text, leverage(1.0)), Decision::Invalid);
    }

    // Fails if what a signal does not say is made up otherwise than the rules say.
    #[test]
    fn what_is_missing_has_its_default() {
        let least = json!({"symbol": "BTC/USDT", "action": "SELL", "entry_price": 100});
        let least = Payload::Raw(least);
        assert_eq!(proposed(&least, Changes::default()), (100.0, 100.0, 1));
        assert_eq!(proposed(&least, leverage(3.0)), (100.0, 100.0, 1));
        // A size that is missing is none, once it is to be reduced.
        assert_eq!(decided(&least, smaller(10.0)), Decision::Invalid);
    }
}
