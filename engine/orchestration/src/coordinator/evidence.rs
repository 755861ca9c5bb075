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

/// How old evidence may be: in seconds, or in bars, of which no more may have closed since it was published.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EvidenceWindows {
    /// Technical analysis.
    pub ta_signals: Span,
    /// Regime.
    pub regime_updates: Span,
    /// Sentiment.
    pub sentiment_updates: Span,
    /// Instead of seconds: technical analysis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ta_signals_bars: Option<u32>,
    /// Instead of seconds: regime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regime_updates_bars: Option<u32>,
    /// Instead of seconds: sentiment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentiment_updates_bars: Option<u32>,
}

/// How long evidence lives whose window is in bars: how long so many take, nobody knows, so it is longer than
/// any run.
pub const LIFE_BY_BARS: Span = Span::from_secs(1 << 32);

impl EvidenceWindows {
    /// The windows in seconds, in the order of [`TOPICS`].
    pub fn spans(&self) -> [Span; 3] {
        [self.ta_signals, self.regime_updates, self.sentiment_updates]
    }

    /// The windows in bars, in the order of [`TOPICS`]; none where the one in seconds holds.
    pub fn bars(&self) -> [Option<u32>; 3] {
        [
            self.ta_signals_bars,
            self.regime_updates_bars,
            self.sentiment_updates_bars,
        ]
    }

    /// The window of a topic, if evidence comes from it: seconds, and bars where these hold instead.
    pub fn of(&self, topic: Topic) -> Option<(Span, Option<u32>)> {
        let place = TOPICS.iter().position(|read| *read == topic)?;
        Some((self.spans()[place], self.bars()[place]))
    }

    /// The same windows with those in bars as the time that they reach back now.
    pub fn in_time(&self, reach: impl Fn(u32) -> Span) -> EvidenceWindows {
        let spans = self.spans();
        let [ta_signals, regime_updates, sentiment_updates] =
            std::array::from_fn(|place| self.bars()[place].map_or(spans[place], &reach));
        EvidenceWindows {
            ta_signals,
            regime_updates,
            sentiment_updates,
            ..*self
        }
    }
}

impl Default for EvidenceWindows {
    /// 120 s, 600 s and 3,600 s. The time to live of a message may end it sooner.
    fn default() -> EvidenceWindows {
        EvidenceWindows {
            ta_signals: Span::from_secs(120),
            regime_updates: Span::from_secs(600),
            sentiment_updates: Span::from_secs(3_600),
            ta_signals_bars: None,
            regime_updates_bars: None,
            sentiment_updates_bars: None,
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
    let ages = windows.spans();
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
