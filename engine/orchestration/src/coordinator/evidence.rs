//! Which messages speak for or against a trading signal, and which way each leans.
//!
//! Consensus and conflicts read the same three: the newest technical analysis, regime and
//! sentiment. This file says what to look up; the bus does the looking.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use crate::bus::history::Criteria;
use crate::defect::{Defect, Defects};
use crate::message::{Field, Message, Payload, Span, Topic};

/// The topics that evidence comes from, in the order in which it is looked up.
pub const TOPICS: [Topic; 3] = [
    Topic::TaSignals,
    Topic::RegimeUpdates,
    Topic::SentimentUpdates,
];

/// How old evidence may be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceWindows {
    /// Technical analysis.
    pub ta_signals: Span,
    /// Regime.
    pub regime_updates: Span,
    /// Sentiment.
    pub sentiment_updates: Span,
}

impl Default for EvidenceWindows {
    /// 120 s, 600 s and 3,600 s. The time to live of a message may end it sooner.
    fn default() -> EvidenceWindows {
        EvidenceWindows {
            ta_signals: Span::from_secs(120),
            regime_updates: Span::from_secs(600),
            sentiment_updates: Span::from_secs(3_600),
        }
    }
}

/// One question to the bus: the newest message of `topic` that meets the criteria and is accepted.
#[derive(Clone, Debug)]
pub struct Lookup<'a> {
    /// Where to look.
    pub topic: Topic,
    /// How old it may be.
    pub criteria: Criteria,
    /// The symbol that it must carry.
    symbol: Option<Field<'a>>,
}

impl Lookup<'_> {
    /// Whether a message is about the right symbol. One without a symbol is about none.
    pub fn accepts(&self, message: &Message) -> bool {
        self.symbol
            .is_none_or(|symbol| message.payload.field("symbol").equals(symbol))
    }
}

/// What to look up for `signal`, one question per topic in the order of [`TOPICS`].
pub fn lookups<'a>(
    signal: &'a Payload,
    windows: &EvidenceWindows,
    defects: Defects,
) -> [Lookup<'a>; 3] {
    let any_symbol = defects.has(Defect::NoSymbolFilter);
    let symbol = (!any_symbol).then(|| signal.field("symbol"));
    let ages = [
        windows.ta_signals,
        windows.regime_updates,
        windows.sentiment_updates,
    ];
    std::array::from_fn(|place| Lookup {
        topic: TOPICS[place],
        criteria: Criteria {
            source: None,
            max_age: Some(ages[place]),
        },
        symbol,
    })
}

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The newest technical analysis.
    pub technical: Option<Rc<Message>>,
    /// The newest regime.
    pub regime: Option<Rc<Message>>,
    /// The newest sentiment.
    pub sentiment: Option<Rc<Message>>,
}

impl Evidence {
    /// What was found for the three [`lookups`], in their order.
    pub fn found([technical, regime, sentiment]: [Option<Rc<Message>>; 3]) -> Evidence {
        Evidence {
            technical,
            regime,
            sentiment,
        }
    }

    /// For each message that was found, the direction that it speaks for, if any.
    pub fn leanings(&self, defects: Defects) -> [Option<Option<Leaning>>; 3] {
        [
            self.technical.as_ref().map(|it| of_technical(&it.payload)),
            self.regime
                .as_ref()
                .map(|it| of_regime(&it.payload, defects)),
            self.sentiment.as_ref().map(|it| of_sentiment(&it.payload)),
        ]
    }
}

/// A direction of the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaning {
    /// Prices rise.
    Up,
    /// Prices fall.
    Down,
}

/// The direction that the action of a signal bets on: none but BUY and SELL bet on one.
pub fn of_action(signal: &Payload) -> Option<Leaning> {
    match signal.field("action").text()? {
        "BUY" => Some(Leaning::Up),
        "SELL" => Some(Leaning::Down),
        _ => None,
    }
}

/// The direction of a technical bias.
pub fn of_technical(payload: &Payload) -> Option<Leaning> {
    match payload.field("bias").text()? {
        "long" => Some(Leaning::Up),
        "short" => Some(Leaning::Down),
        _ => None,
    }
}

/// The direction of a sentiment, however strong.
pub fn of_sentiment(payload: &Payload) -> Option<Leaning> {
    match payload.field("bias").text()? {
        "very_bullish" | "bullish" => Some(Leaning::Up),
        "very_bearish" | "bearish" => Some(Leaning::Down),
        _ => None,
    }
}

/// The direction of a regime, in the words of consensus and in those of the regime agent.
pub fn of_regime(payload: &Payload, defects: Defects) -> Option<Leaning> {
    let own_words_only = defects.has(Defect::RegimeVocabulary);
    match payload.field("regime").text()? {
        "trending_up" | "breakout" => Some(Leaning::Up),
        "trending_down" => Some(Leaning::Down),
        _ if own_words_only => None,
        "trending_bull" | "breakout_potential" => Some(Leaning::Up),
        "trending_bear" => Some(Leaning::Down),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::defect::Profile;

    #[test]
    fn both_vocabularies_are_understood_unless_the_defect_is_on() {
        let leaning = |regime: &str, defects| {
            let json = json!({"symbol": "BTC/USDT", "regime": regime, "confidence": 0.5});
            of_regime(&Payload::from_json(Topic::RegimeUpdates, json), defects)
        };
        let broken = Profile::ReviewFixed.defects();
        for (regime, sound, found) in [
            ("trending_up", Some(Leaning::Up), Some(Leaning::Up)),
            ("breakout", Some(Leaning::Up), Some(Leaning::Up)),
            ("trending_down", Some(Leaning::Down), Some(Leaning::Down)),
            ("trending_bull", Some(Leaning::Up), None),
            ("breakout_potential", Some(Leaning::Up), None),
            ("trending_bear", Some(Leaning::Down), None),
            ("volatile_bull", None, None),
            ("choppy", None, None),
        ] {
            assert_eq!(leaning(regime, Defects::NONE), sound, "{regime}");
            assert_eq!(leaning(regime, broken), found, "{regime}");
        }
    }
}
