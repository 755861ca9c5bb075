//! `run.published`: what an agent came to is on the bus when its run is over.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, number as kernel};

use crate::agents::AgentKind;
use crate::config::{Config, TaskKind};
use crate::domain_event::{
    DomainEvent, Published, TaskOutcome, TaskRunEnded, TaskRunStarted, number,
};
use crate::message::{Name, Topic};

/// A run that succeeds has published something on its agent's topic about its symbol.
pub(super) struct Output {
    /// The topics of tasks whose agents always come to something.
    topics: BTreeMap<Name, Topic>,
    /// Of each run under way, by task and symbol, whether it has spoken.
    under_way: BTreeMap<(Name, Name), bool>,
}

impl Output {
    pub(super) fn new(config: &Config) -> Output {
        let agents = &config.agents;
        let kinds = [
            (TaskKind::TechnicalAnalysis, &agents.technical_analysis),
            (TaskKind::RegimeDetection, &agents.regime_detection),
            (TaskKind::SentimentAnalysis, &agents.sentiment_analysis),
        ];
        // What an agent elsewhere says may still be on its way.
        let speaks = |agent: &AgentKind| matches!(agent, AgentKind::Random) && !agents.remote;
        let kinds = kinds.into_iter().filter(|(_, agent)| speaks(agent));
        Output {
            topics: kinds
                .map(|(kind, _)| (Name::fixed(kind.task()), kind.topic()))
                .collect(),
            under_way: BTreeMap::new(),
        }
    }

    fn begin(&mut self, run: &TaskRunStarted) {
        if self.topics.contains_key(&run.task) {
            let run = (run.task.clone(), run.symbol.clone());
            self.under_way.insert(run, false);
        }
    }

    fn publish(&mut self, published: &Published) {
        let message = &published.message;
        for ((task, symbol), spoken) in &mut self.under_way {
            let about = message.payload.field("symbol").is(symbol);
            *spoken |= about && self.topics.get(task) == Some(&message.topic);
        }
    }

    fn end(&mut self, run: &TaskRunEnded) -> Result<(), String> {
        let key = (run.task.clone(), run.symbol.clone());
        let spoken = self.under_way.remove(&key);
        if run.outcome == TaskOutcome::Done && spoken == Some(false) {
            return Err(format!(
                "expected what {} came to on the bus when its run is over, found nothing",
                run.task
            ));
        }
        Ok(())
    }
}

impl Invariant<DomainEvent> for Output {
    fn id(&self) -> &'static str {
        "run.published"
    }

    fn statement(&self) -> &'static str {
        "what an agent came to is on the bus when its run ends as done"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::TaskCrashed,
            number::Started,
            number::Published,
            number::TaskRunStarted,
            number::TaskRunEnded,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::TaskRunEnded]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        match event.domain() {
            Some(DomainEvent::Published(it)) => self.publish(it),
            Some(DomainEvent::TaskRunStarted(it)) => self.begin(it),
            Some(DomainEvent::TaskRunEnded(it)) => return self.end(it),
            // What was cut off is not waited for.
            _ => self.under_way.clear(),
        }
        Ok(())
    }

    fn evaluable(&self) -> bool {
        !self.topics.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain_event::Started;
    use crate::invariants::bus::samples::{config, said, said_of};
    use crate::invariants::degradation::samples::{begun, ended};
    use crate::invariants::planted::Planted;

    fn log() -> Planted {
        let mut config = config();
        config.agents.technical_analysis = AgentKind::Random;
        Planted::of(Output::new(&config)).then(begun("BTC/USDT", false))
    }

    #[test]
    fn a_run_that_is_done_has_spoken_and_any_other_need_not() {
        let done = || ended("BTC/USDT", TaskOutcome::Done);
        let spoken = log().then(said(1, Topic::TaSignals, 0));
        spoken.then(done()).holds();
        log().then(ended("BTC/USDT", TaskOutcome::TimedOut)).holds();
        log().then(Started {}).then(done()).holds();
        for elsewhere in [
            said(1, Topic::SentimentUpdates, 0),
            said_of(1, Topic::TaSignals, 0, "XRP/USDT"),
        ] {
            let silent = log().then(elsewhere).then(done()).violated();
            assert!(silent.ends_with("found nothing"), "{silent}");
        }
    }
}
