//! The doors of a run: places at which the plan of faults is asked whether chance comes in.
//!
//! Each actor has a stream of its own at each door, and its questions are counted, so that a fault
//! that is taken away changes none of the others. In a replay the recording is asked instead.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::chance::{Chance, Stream};
use crate::fault::{Fault, FaultPlan};
use crate::id::{ActorId, Time};
use crate::kernel_event::FaultInjected;
use crate::name::Name;

/// What the plan says of one door.
#[derive(Debug, Default)]
struct Door {
    rates: Vec<Rate>,
    /// Single strikes: for whom, at which question, with which value.
    strikes: Vec<(String, u64, u64)>,
    /// How often each actor has asked.
    asked: BTreeMap<ActorId, u64>,
}

#[derive(Debug)]
struct Rate {
    actor: Option<String>,
    per_mille: u64,
    least: u64,
    most: u64,
    until: Option<Time>,
}

/// Every door that the plan names.
#[derive(Debug, Default)]
pub(crate) struct Doors {
    doors: Vec<(String, Door)>,
    quiet_from: Option<Time>,
    /// A question whose answer is another one than planned: the one that a fork is about.
    instead: Option<Instead>,
}

/// Who asks what at which question, and what the answer is.
#[derive(Debug)]
pub(crate) struct Instead {
    pub(crate) actor: String,
    pub(crate) door: String,
    pub(crate) asked: u64,
    pub(crate) value: Option<u64>,
}

impl Doors {
    pub(crate) fn new(plan: &FaultPlan) -> Doors {
        let mut doors = Doors {
            doors: Vec::new(),
            quiet_from: plan.quiet_from,
            instead: None,
        };
        for fault in &plan.faults {
            match fault {
                Fault::Door {
                    door,
                    actor,
                    per_mille,
                    least,
                    most,
                    until,
                } => doors.named(door).rates.push(Rate {
                    actor: actor.clone(),
                    per_mille: u64::from(*per_mille),
                    least: *least,
                    most: *most,
                    until: *until,
                }),
                Fault::Strike {
                    door,
                    actor,
                    asked,
                    value,
                } => doors
                    .named(door)
                    .strikes
                    .push((actor.clone(), *asked, *value)),
                _ => {}
            }
        }
        doors
    }

    fn named(&mut self, name: &str) -> &mut Door {
        let at = self.doors.iter().position(|(known, _)| known == name);
        let at = at.unwrap_or_else(|| {
            self.doors.push((name.to_owned(), Door::default()));
            self.doors.len() - 1
        });
        &mut self.doors[at].1
    }

    /// When a fault is over that begins at an instant and lasts for so many seconds: it does not
    /// outlast the part of the run in which things go wrong.
    pub(crate) fn end_of(&self, from: Time, seconds: u64) -> Time {
        let end = from + Duration::from_secs(seconds);
        self.quiet_from.map_or(end, |quiet| end.min(quiet))
    }

    /// Whether the plan names this door.
    #[inline]
    pub(crate) fn has(&self, door: &str) -> bool {
        self.doors.iter().any(|(known, _)| known == door)
    }

    /// Whether nothing goes wrong any more.
    pub(crate) fn is_quiet(&self, now: Time) -> bool {
        self.quiet_from.is_some_and(|quiet| now >= quiet)
    }

    /// Counts a question, and says how many came before it, and whether the door opens to this one:
    /// with which value. None if the plan does not name the door. The answer no leaves no trace.
    #[inline]
    pub(crate) fn ask(
        &mut self,
        chance: &mut Chance,
        now: Time,
        (actor, name): (ActorId, &str),
        door: &'static str,
    ) -> Option<(u64, Option<u64>)> {
        let is_quiet = self.is_quiet(now);
        let (_, planned) = self.doors.iter_mut().find(|(known, _)| known == door)?;
        let counted = planned.asked.entry(actor).or_default();
        let asked = *counted;
        *counted += 1;
        if is_quiet {
            return Some((asked, None));
        }
        let value = planned.strike(name, asked).or_else(|| {
            let stream = chance.door(actor, name, door);
            planned.drawn(name, now, stream)
        });
        let instead = self.instead.as_ref().filter(|instead| {
            instead.door == door && instead.asked == asked && instead.actor == name
        });
        Some((asked, instead.map_or(value, |instead| instead.value)))
    }

    /// Has one question answered in another way than planned.
    pub(crate) fn answer(&mut self, instead: Instead) {
        self.instead = Some(instead);
    }
}

impl Door {
    fn strike(&self, actor: &str, asked: u64) -> Option<u64> {
        let mine = |(who, when, _): &&(String, u64, u64)| who == actor && *when == asked;
        self.strikes.iter().find(mine).map(|(_, _, value)| *value)
    }

    /// Draws once for each rate that is for this actor, whatever came of the one before.
    fn drawn(&self, actor: &str, now: Time, stream: &mut Stream) -> Option<u64> {
        let mut value = None;
        for rate in &self.rates {
            if rate.actor.as_ref().is_some_and(|who| who != actor) {
                continue;
            }
            let opens = stream.below(1000) < rate.per_mille;
            if opens && rate.until.is_none_or(|until| now < until) {
                let span = (rate.most - rate.least).saturating_add(1);
                value = value.or(Some(rate.least + stream.below(span)));
            }
        }
        value
    }
}

/// What a provider or a feed draws from while a run is recorded: the stream of its own, and the
/// doors of the plan.
pub struct Odds<'a> {
    pub(crate) chance: &'a mut Chance,
    pub(crate) doors: &'a mut Doors,
    pub(crate) now: Time,
    pub(crate) actor: ActorId,
    pub(crate) name: &'a str,
    pub(crate) purpose: &'static str,
    /// The faults that were let in, for the log.
    pub(crate) injected: &'a mut Vec<FaultInjected>,
    /// Why nothing true can be answered.
    pub(crate) failed: Option<Failed>,
}

/// Why a service outside could not be asked at all.
pub(crate) struct Failed {
    /// Where the answer was to come from.
    pub(crate) service: String,
    pub(crate) what: String,
    pub(crate) help: String,
}

impl Odds<'_> {
    /// The stream of whoever answers.
    pub fn stream(&mut self) -> &mut Stream {
        let name = self.name;
        self.chance.stream(self.actor, || name, self.purpose)
    }

    /// Says that a service outside, which is there, cannot be asked at all: the run ends with this error of operation,
    /// and what is answered does not count.
    pub fn give_up(&mut self, service: String, what: String, help: String) {
        self.failed = Some(Failed {
            service,
            what,
            help,
        });
    }

    /// Whether chance is let in at this door, and the value that it strikes with.
    pub fn fault(&mut self, door: &'static str) -> Option<u64> {
        let who = (self.actor, self.name);
        let (asked, value) = self.doors.ask(self.chance, self.now, who, door)?;
        let value = value?;
        self.injected.push(FaultInjected {
            door: Name::fixed(door),
            asked,
            value,
        });
        Some(value)
    }

    /// Whether a fault that lasts is let in at this door, and when it is over: its value is for how
    /// many seconds it lasts from an instant on. It does not outlast the part of the run in which
    /// things go wrong.
    pub fn lasting_fault(&mut self, door: &'static str, from: Time) -> Option<Time> {
        let seconds = self.fault(door)?;
        Some(self.doors.end_of(from, seconds))
    }
}
