//! What a model is told about a conflict: the facts of the signal and of what contradicts it, and nothing else.

use serde_json::{Value, json};

use super::contradictions::Contradiction;
use super::facts::{Fact, Facts, equal};
use crate::config::Config;
use crate::message::Name;

/// How prompts are worded in a run.
#[derive(Debug)]
pub(super) struct Wording {
    /// Whether the facts can be told from the words around them.
    is_known: bool,
    /// The assets behind whose names others stand, in the order of their numbers.
    hidden: Vec<String>,
}

impl Wording {
    pub(super) fn of(config: &Config) -> Wording {
        let mut hidden = Vec::new();
        let symbols = config.symbols.iter().filter(|_| config.llm.mask.symbols);
        for asset in symbols.flat_map(|symbol| symbol.as_str().split('/')) {
            if !hidden.iter().any(|known| known == asset) {
                hidden.push(asset.to_owned());
            }
        }
        Wording {
            is_known: config.llm.template.is_none(),
            hidden,
        }
    }

    /// Whether a prompt tells these facts. Where its wording is not known, nobody can say.
    pub(super) fn tells(&self, prompt: &str, facts: &Value) -> bool {
        let told = prompt.find('{').map_or("", |start| &prompt[start..]);
        !self.is_known || serde_json::from_str(told).is_ok_and(|told: Value| equal(&told, facts))
    }

    /// The facts of a conflict about a signal that consensus left this confidence.
    pub(super) fn facts(&self, signal: Facts<'_>, confidence: f64, all: &[Contradiction]) -> Value {
        let conflicts: Vec<_> = all
            .iter()
            .map(|it| json!({"conflict": it.kind, "details": it.details}))
            .collect();
        json!({
            "symbol": signal.text("symbol").map(|symbol| self.masked(symbol)),
            "action": signal.get("action").map(Fact::to_json),
            "confidence": format!("{confidence:.2}"),
            "entry_price": signal.own_number("entry_price"),
            "stop_loss": signal.own_number("stop_loss"),
            "take_profit": signal.own_number("take_profit"),
            "conflicts": conflicts,
        })
    }

    fn masked(&self, symbol: &str) -> String {
        let neutral = |asset: &str| {
            let place = self.hidden.iter().position(|known| known == asset);
            place.map_or_else(|| asset.to_owned(), |place| format!("ASSET{}", place + 1))
        };
        let assets: Vec<_> = symbol.split('/').map(neutral).collect();
        assets.join("/")
    }

    /// Whether it is known how a symbol is told.
    pub(super) fn knows(&self, symbol: &Name, config: &[Name]) -> bool {
        self.hidden.is_empty() || config.contains(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plant::config;
    use super::*;
    use crate::message::Payload;

    // Fails if one fact may be missing, added or another.
    #[test]
    fn a_prompt_tells_exactly_the_facts() {
        let wording = Wording::of(&config());
        let signal = json!({"symbol": "BTC/USDT", "action": "BUY", "entry_price": 45_000});
        let signal = Payload::Raw(signal);
        let facts = wording.facts(Facts::of(&signal), 0.126, &[]);
        let told = r#"{"action":"BUY","confidence":"0.13","conflicts":[],"entry_price":45000.0,"stop_loss":null,"symbol":"BTC/USDT","take_profit":null}"#;
        assert!(wording.tells(&format!("The situation: {told}"), &facts));
        for (from, to) in [
            ("BUY", "SELL"),
            ("0.13", "0.12"),
            ("45000.0", "45001"),
            ("[]", "[1]"),
            ("\"take", "\"more\":1,\"take"),
            (",\"take_profit\":null", ""),
            ("}", ""),
        ] {
            let other = told.replace(from, to);
            assert!(!wording.tells(&other, &facts), "{other}");
        }
    }

    // Fails if a name is hidden behind another one than the rule has.
    #[test]
    fn a_hidden_symbol_is_told_by_its_number() {
        let mut hiding = config();
        hiding.symbols = vec!["BTC/USDT".into(), "XRP/BTC".into()];
        assert_eq!(Wording::of(&hiding).masked("XRP/BTC"), "XRP/BTC");
        hiding.llm.mask.symbols = true;
        let wording = Wording::of(&hiding);
        assert_eq!(wording.masked("XRP/BTC"), "ASSET3/ASSET1");
        assert!(!wording.knows(&"NO/WHERE".into(), &hiding.symbols));
    }
}
