//! What contradicts what: a signal and what was heard of its symbol, by the rules and by no code of the coordinator's.

use serde_json::{Value, json};

use super::facts::Facts;
use crate::domain_event::Evidence;
use crate::invariants::messages::Messages;
use crate::message::Topic;

/// What a contradiction between a trade and its market is called.
pub(super) const REGIME: &str = "regime_conflict";

/// One contradiction: what it is called, and what a model is told of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Contradiction {
    pub(super) kind: &'static str,
    pub(super) details: Value,
}

/// What contradicts what, opinions first. None if what would have to be compared is no number.
///
/// Two opinions contradict each other if one sees prices rise and the other sees them fall, and both are about equally sure. A
/// choppy market contradicts every trade.
pub(super) fn contradictions(
    signal: Facts<'_>,
    heard: &[(Topic, Facts<'_>)],
    threshold: f64,
) -> Option<Vec<Contradiction>> {
    let of = |topic: Topic| {
        let found = heard.iter().find(|(of, _)| *of == topic);
        found.map(|(_, facts)| *facts)
    };
    let opinions = of(Topic::TaSignals).zip(of(Topic::SentimentUpdates));
    let mut all = Vec::new();
    if let Some((technical, sentiment)) = opinions
        && are_opposed(technical.text("bias"), sentiment.text("bias"))
    {
        let ta = technical.number("confidence", 0.5)?;
        let sent = sentiment.number("confidence", 0.5)?;
        let apart = if ta > sent { ta - sent } else { sent - ta };
        if apart < threshold {
            all.push(Contradiction {
                kind: "ta_sentiment_conflict",
                details: json!({
                    "ta_bias": technical.text("bias"), "ta_confidence": ta,
                    "sent_bias": sentiment.text("bias"), "sent_confidence": sent,
                    "confidence_diff": apart,
                }),
            });
        }
    }
    let is_choppy = of(Topic::RegimeUpdates).is_some_and(|it| it.text("regime") == Some("choppy"));
    let trades = signal
        .get("action")
        .is_some_and(|it| it.text() != Some("HOLD"));
    if is_choppy && trades {
        let wanted = signal.get("action").map(|it| match it.text() {
            Some(text) => text.to_owned(),
            None => it.to_json().to_string(),
        });
        all.push(Contradiction {
            kind: REGIME,
            details: json!({ "regime": "choppy", "proposed_action": wanted }),
        });
    }
    Some(all)
}

fn are_opposed(technical: Option<&str>, sentiment: Option<&str>) -> bool {
    matches!(
        (technical, sentiment),
        (Some("long"), Some("bearish" | "very_bearish"))
            | (Some("short"), Some("bullish" | "very_bullish"))
    )
}

/// What the cited messages say; none if one of them is not kept any more.
pub(super) fn heard<'a>(cited: &[Evidence], kept: &'a Messages) -> Option<Vec<(Topic, Facts<'a>)>> {
    let said = |cited: &Evidence| {
        let message = kept.get(cited.message)?;
        Some((cited.topic, Facts::of(&message.payload)))
    };
    cited.iter().map(said).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Payload;

    fn kinds(
        bias: &str,
        ta: Value,
        sentiment: &str,
        sent: Value,
        regime: &str,
    ) -> Option<Vec<&'static str>> {
        let said = [
            json!({"bias": bias, "confidence": ta}),
            json!({ "regime": regime }),
            json!({"bias": sentiment, "confidence": sent}),
            json!({"action": "BUY"}),
        ]
        .map(Payload::Raw);
        let [technical, market, mood, signal] = said.each_ref().map(Facts::of);
        let heard = [
            (Topic::TaSignals, technical),
            (Topic::RegimeUpdates, market),
            (Topic::SentimentUpdates, mood),
        ];
        let all = contradictions(signal, &heard, 0.2)?;
        Some(all.into_iter().map(|it| it.kind).collect())
    }

    // Fails if a direction is not understood, or the threshold is taken in.
    #[test]
    fn opposed_opinions_that_are_about_equally_sure_contradict_each_other() {
        let opinion = Some(vec!["ta_sentiment_conflict"]);
        let none = Some(Vec::new());
        for (bias, sentiment, expected) in [
            ("long", "bearish", &opinion),
            ("long", "very_bearish", &opinion),
            ("short", "bullish", &opinion),
            ("short", "very_bullish", &opinion),
            ("long", "bullish", &none),
            ("neutral", "bullish", &none),
            ("long", "neutral", &none),
        ] {
            let found = kinds(bias, json!(0.7), sentiment, json!(0.5), "ranging");
            assert_eq!(found, *expected, "{bias} and {sentiment}");
        }
        assert_eq!(
            kinds("long", json!(0.9), "bearish", json!(0.7), "ranging"),
            none
        );
        assert_eq!(
            kinds("long", json!("high"), "bearish", json!(0.7), "ranging"),
            None
        );
        assert_eq!(
            kinds("long", json!("high"), "bullish", json!(0.7), "ranging"),
            none
        );
    }

    // Fails if the market is forgotten, or comes first.
    #[test]
    fn a_choppy_market_contradicts_every_trade() {
        let both = Some(vec!["ta_sentiment_conflict", "regime_conflict"]);
        assert_eq!(
            kinds("long", json!(0.7), "bearish", json!(0.7), "choppy"),
            both
        );
        let market = Payload::Raw(json!({"regime": "choppy"}));
        let choppy = [(Topic::RegimeUpdates, Facts::of(&market))];
        for (signal, found) in [
            (json!({"action": "CLOSE"}), 1),
            (json!({"action": 1}), 1),
            (json!({"action": "HOLD"}), 0),
            (json!({}), 0),
        ] {
            let signal = Payload::Raw(signal);
            let all = contradictions(Facts::of(&signal), &choppy, 0.2).expect("numbers");
            assert_eq!(all.len(), found);
        }
    }
}
