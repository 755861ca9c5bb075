//! `evidence.window`: what is young enough to count as evidence is still alive, and is found.

use dacapo_kernel::{ActorId, Event, Invariant, Plan, Time};

use crate::config::Config;
use crate::coordinator::evidence::{LIFE_BY_BARS, TOPICS};
use crate::domain_event::{ConsensusBuilt, DomainEvent, Published, number};
use crate::invariants::ages::Ages;
use crate::invariants::alike::alike;
use crate::invariants::messages::Messages;
use crate::invariants::outsiders::Outsiders;
use crate::message::{Instant, Message, Topic};

/// The windows, and what is on the bus.
#[derive(Debug)]
pub(super) struct Window {
    windows: Ages,
    outsiders: Outsiders,
    signals: Messages,
    evidence: Messages,
    /// Whether the history may have lost evidence for want of room.
    forgetful: bool,
}

impl Window {
    pub(super) fn new(plan: &Plan<Config>) -> Window {
        Window {
            windows: Ages::of(&plan.system.evidence_windows),
            outsiders: Outsiders::default(),
            signals: Messages::of(&[Topic::TradingSignals]),
            evidence: Messages::of(&TOPICS),
            forgetful: false,
        }
    }

    fn publish(&mut self, published: &Published, actor: ActorId, now: Time) -> Result<(), String> {
        let message = &published.message;
        self.signals.keep(message);
        self.evidence.keep(message);
        self.forgetful |= published.trimmed > 0;
        let Some((window, bars)) = self.windows.longest(now).of(message.topic) else {
            return Ok(());
        };
        let window = if bars.is_some() { LIFE_BY_BARS } else { window };
        let is_short = message.ttl.as_secs() < window.as_secs_f64();
        if is_short && !self.outsiders.has(actor) {
            return Err(format!(
                "expected {} to live as long as they count as evidence, found a shorter life",
                message.topic
            ));
        }
        Ok(())
    }

    /// The newest of each topic that is alive and within its window is what consensus rests on.
    fn build(&self, built: &ConsensusBuilt, now: Time) -> Result<(), String> {
        let Some(signal) = self.signals.get(built.signal) else {
            return Ok(());
        };
        if self.forgetful {
            return Ok(());
        }
        let symbol = signal.payload.field("symbol");
        let (at, windows) = (Instant::from(now), self.windows.shortest(now));
        for topic in TOPICS {
            let (window, _) = windows.of(topic).unwrap_or_default();
            let counts = |message: &Message| {
                let age = message.age(at);
                // What was published at this very instant may have come a moment too late.
                age.as_micros() > 0
                    && age <= window
                    && !message.ttl.is_over(age)
                    && alike(message.payload.field("symbol"), symbol)
            };
            let of_topic = self.evidence.newest_first().filter(|it| it.topic == topic);
            let Some(newest) = of_topic.into_iter().find(|message| counts(message)) else {
                continue;
            };
            let cited = built.evidence.iter().find(|cited| cited.topic == topic);
            if cited.is_none_or(|cited| cited.message < newest.id.as_number()) {
                return Err(format!(
                    "expected the latest {topic} to be found, found none or older"
                ));
            }
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for Window {
    fn id(&self) -> &'static str {
        "evidence.window"
    }

    fn statement(&self) -> &'static str {
        "evidence younger than its window is still alive: no time to live is shorter than the window \
         that reads it"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            dacapo_kernel::number::ActorNamed,
            number::Started,
            number::HistoryShrunk,
            number::Published,
            number::ConsensusBuilt,
            Ages::MADE_FROM,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Published]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.outsiders.observe(event);
        if let Some(domain) = event.domain() {
            self.windows.see(event.time, domain);
        }
        match event.domain() {
            Some(DomainEvent::Started(_)) => {
                self.signals.forget();
                self.evidence.forget();
            }
            Some(DomainEvent::HistoryShrunk(it)) => self.forgetful |= !it.expired,
            Some(DomainEvent::Published(it)) => self.publish(it, event.actor, event.time)?,
            Some(DomainEvent::ConsensusBuilt(it)) => self.build(it, event.time)?,
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use dacapo_kernel::ActorNamed;
    use serde_json::json;

    use super::super::plant::{cited, config, consensus, plan, published};
    use super::*;
    use crate::invariants::planted::Planted;
    use crate::message::Ttl;

    fn trend(number: u64, at_s: i64, symbol: &str) -> Published {
        let bias = json!({ "symbol": symbol, "bias": "long", "confidence": 0.8 });
        published(number, Topic::TaSignals, at_s, bias)
    }

    fn regime(ttl: f64) -> Published {
        let regime = json!({ "symbol": "BTC/USDT", "regime": "ranging", "confidence": 0.8 });
        let mut said = published(5, Topic::RegimeUpdates, 0, regime);
        let mut message = (*said.message).clone();
        message.ttl = Ttl::from_secs(ttl);
        said.message = message.into();
        said
    }

    fn window() -> Planted {
        Planted::of(Window::new(&plan(config())))
    }

    fn signal() -> Published {
        let signal = json!({ "symbol": "BTC/USDT", "action": "BUY", "confidence": 0.8 });
        published(9, Topic::TradingSignals, 60, signal)
    }

    #[test]
    fn no_life_is_shorter_than_its_window() {
        let what = window().then(regime(599.0)).violated();
        assert!(
            what.starts_with("expected regime_updates to live"),
            "{what}"
        );
        window().then(regime(600.0)).holds();
        let outside = ActorNamed {
            actor: ActorId(1),
            name: "outside".into(),
        };
        window().kernel(outside).then(regime(1.0)).holds();
    }

    #[test]
    fn what_is_alive_and_young_is_found() {
        let heard = || window().then(trend(1, 0, "BTC/USDT")).then(signal());
        let what = heard()
            .at(120.0)
            .then(consensus(9, Vec::new(), 0, 0))
            .violated();
        assert!(what.ends_with("found none or older"), "{what}");
        heard()
            .at(120.5)
            .then(consensus(9, Vec::new(), 0, 0))
            .holds();
        let found = || consensus(9, vec![cited(1, Topic::TaSignals, "BTC/USDT")], 1, 1);
        let newer = || heard().then(trend(10, 61, "BTC/USDT"));
        assert!(
            newer()
                .at(70.0)
                .then(found())
                .violated()
                .ends_with("none or older")
        );
        let other = heard().then(trend(10, 61, "XRP/USDT"));
        other.at(70.0).then(found()).holds();
    }
}
