//! Which clock things are told by.

use dacapo_kernel::{Event, Invariant, KernelEvent, Time};

use super::super::bus::History;
use super::super::money::goes_to_work;
use crate::config::Config;
use crate::domain_event::{DomainEvent, OutsideAction, Published, RiskJudged, TaskRunStarted};
use crate::invariants::ages::Ages;
use crate::message::{Instant, Name, Payload, Span};

/// Virtual time never goes back; a jump of the wall clock changes no age, interval, cooldown or order.
///
/// So messages are stamped with virtual time, those that expired by it are dropped and no others, evidence
/// is found and not found by its virtual age, a task begins no earlier than its interval after its last
/// end, unless its agent asked for it, and no cooldown lasts longer than the longest that there is. (That nothing comes late is what
/// `live.tasks-run` looks at.)
pub(super) struct TimeMonotone {
    now: Time,
    jumped: bool,
    history: History,
    ages: Ages,
    tasks: Vec<Task>,
    longest_cooldown: Span,
    /// The last thing after which there may be a cooldown.
    cooled: Option<Instant>,
}

struct Task {
    name: Name,
    interval: Span,
    /// When it last ended, in the life of this coordinator.
    ended: Option<Instant>,
    /// When its agent wants to be asked again.
    wake: Option<Instant>,
    /// Whether it runs because its agent wanted it.
    woken: bool,
}

impl TimeMonotone {
    pub(super) fn new(config: &Config) -> TimeMonotone {
        let tasks = config.schedules.tasks(&config.symbols, &config.agents);
        let seconds = |whole: u64| Span::from_secs(i64::try_from(whole).unwrap_or(i64::MAX));
        let cooldowns = &config.risk.cooldowns;
        let longest = [
            cooldowns.post_trade_minutes,
            cooldowns.post_loss_minutes,
            cooldowns.consecutive_loss_3_minutes,
            cooldowns.consecutive_loss_5_minutes,
        ];
        let longest = longest.into_iter().max().unwrap_or(0);
        TimeMonotone {
            now: Time::ZERO,
            jumped: false,
            history: History::default(),
            ages: Ages::of(&config.evidence_windows),
            tasks: tasks
                .into_iter()
                .map(|task| Task {
                    interval: match task.interval_bars {
                        Some(_) => Span::default(),
                        None => seconds(task.interval_seconds),
                    },
                    name: task.name,
                    ended: None,
                    wake: None,
                    woken: false,
                })
                .collect(),
            longest_cooldown: Span::from_secs(longest.saturating_mul(60)),
            cooled: None,
        }
    }
}

impl Invariant<DomainEvent> for TimeMonotone {
    fn id(&self) -> &'static str {
        "time.monotone"
    }

    fn statement(&self) -> &'static str {
        "virtual time never goes back; a wall-clock jump changes no age, interval, cooldown or order"
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        if event.time < self.now {
            return Err(format!(
                "expected virtual time to go on from {}, found {}",
                self.now, event.time
            ));
        }
        self.now = event.time;
        let Some(domain) = event.domain() else {
            self.jumped |= matches!(event.kernel(), Some(KernelEvent::ClockJumped(_)));
            return Ok(());
        };
        match domain {
            DomainEvent::MarketTrade(_) | DomainEvent::MarketQuote(_) => Ok(()),
            DomainEvent::MarketBar(_) => {
                self.ages.see(event.time, domain);
                Ok(())
            }
            DomainEvent::Published(it) => {
                self.history.apply(event.time, domain);
                self.stamped(it)
            }
            DomainEvent::HistoryShrunk(it) => {
                let expired = self.history.apply(event.time, domain);
                dropped(it.dropped, expired)
            }
            // Without a jump this is what `bus.latest` looks at.
            DomainEvent::ConsensusBuilt(it) if self.jumped => {
                self.history
                    .check_evidence(&self.ages, event.time, it.signal, &it.evidence)
            }
            DomainEvent::TaskRunStarted(it) => self.begun(it),
            DomainEvent::TaskFinished(it) => {
                let now = Instant::from(event.time);
                if let Some(task) = self.tasks.iter_mut().find(|task| task.name == it.task) {
                    task.ended = Some(now);
                    task.woken = false;
                }
                Ok(())
            }
            DomainEvent::WakeAsked(it) => {
                if let Some(task) = self.tasks.iter_mut().find(|task| task.name == it.task) {
                    task.wake = Some(task.wake.map_or(it.at, |before| before.min(it.at)));
                }
                Ok(())
            }
            DomainEvent::OutsideActed(it) => {
                if let OutsideAction::TradeResult(_) = it.action {
                    self.cooled = Some(Instant::from(event.time));
                }
                Ok(())
            }
            // Nobody may have been told: a host that was down asks the exchange for it afterwards.
            DomainEvent::PositionClosed(_) => {
                self.cooled = Some(Instant::from(event.time));
                Ok(())
            }
            DomainEvent::RiskJudged(it) => self.judged(it),
            DomainEvent::Started(_) => {
                self.history.apply(event.time, domain);
                self.hear();
                for task in &mut self.tasks {
                    (task.ended, task.wake, task.woken) = (None, None, false);
                }
                Ok(())
            }
            // It may have waited for its store until now.
            DomainEvent::Subscribed(it) if goes_to_work(it) => {
                self.hear();
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl TimeMonotone {
    /// What was said while nobody listened is heard from now on.
    fn hear(&mut self) {
        self.cooled = self.cooled.map(|_| Instant::from(self.now));
    }

    fn stamped(&mut self, it: &Published) -> Result<(), String> {
        let now = Instant::from(self.now);
        if let Payload::PositionClosed(_) = it.message.payload {
            self.cooled = Some(now);
        }
        if it.message.timestamp == now {
            return Ok(());
        }
        Err(format!(
            "expected the message to be stamped with virtual time, {now}, found {}",
            it.message.timestamp
        ))
    }

    fn begun(&mut self, it: &TaskRunStarted) -> Result<(), String> {
        let task = self.tasks.iter_mut().find(|task| task.name == it.task);
        let Some(task) = task.filter(|_| !it.forced) else {
            return Ok(());
        };
        let now = Instant::from(self.now);
        task.woken |= task.wake.take_if(|wake| *wake <= now).is_some();
        if task.woken {
            return Ok(());
        }
        match task.ended {
            Some(ended) if now < ended + task.interval => Err(format!(
                "expected {} not before {}, one interval after its last run, found it begun at {now}",
                it.task,
                ended + task.interval
            )),
            _ => Ok(()),
        }
    }

    fn judged(&self, it: &RiskJudged) -> Result<(), String> {
        if !it.rejections.iter().any(|code| *code == "IN_COOLDOWN") {
            return Ok(());
        }
        let now = Instant::from(self.now);
        let over = |cooled: Instant| now - cooled >= self.longest_cooldown;
        if self.cooled.is_none_or(over) {
            return Err(
                "expected every cooldown to be over, found a proposal refused for one".to_owned(),
            );
        }
        Ok(())
    }
}

fn dropped(dropped: u64, expired: Option<u64>) -> Result<(), String> {
    match expired {
        Some(expired) if expired != dropped => Err(format!(
            "expected the {expired} messages that expired to be dropped, found {dropped} dropped"
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
