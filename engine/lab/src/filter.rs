//! Which events somebody wants to see.

use std::str::FromStr;

use dacapo_kernel::{Event, EventSet, KernelEvent, Kind, Seq, System, TaskId, Time};

use crate::record::tags_of;
use crate::scenario::nearest;
use crate::tell::Names;

/// A place in a run: an event, or an instant of virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The event with this sequence number.
    Event(Seq),
    /// This instant.
    Time(Time),
}

/// Why a text is not a [`Moment`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected the number of an event (41) or a time (1.5s, 250ms, 10m, 2h, 00:01:02.5), found {found:?}"
)]
pub struct MomentError {
    /// The text.
    pub found: String,
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Moment, MomentError> {
        let error = || MomentError {
            found: text.to_owned(),
        };
        if let Ok(seq) = text.replace(['_', ','], "").parse() {
            return Ok(Moment::Event(Seq(seq)));
        }
        let nanos = if text.contains(':') {
            clock_nanos(text)
        } else {
            unit_nanos(text)
        };
        let nanos = nanos.ok_or_else(error)?;
        Ok(Moment::Time(Time::from_nanos(nanos)))
    }
}

/// `HH:MM:SS` or `MM:SS`, the seconds with a fraction.
fn clock_nanos(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split(':').collect();
    let (seconds, larger) = parts.split_last()?;
    if larger.len() > 2 {
        return None;
    }
    let mut whole: u64 = 0;
    for part in larger {
        whole = whole.checked_mul(60)?.checked_add(part.parse().ok()?)?;
    }
    let nanos = decimal(seconds, 1_000_000_000)?;
    whole.checked_mul(60_000_000_000)?.checked_add(nanos)
}

/// A number with a unit from nanoseconds to days.
fn unit_nanos(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 7] = [
        ("ns", 1),
        ("us", 1_000),
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ];
    let at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(at);
    let (_, nanos) = UNITS.iter().find(|(name, _)| *name == unit)?;
    decimal(number.trim(), *nanos)
}

/// A decimal number times a unit, exact to the nanosecond and cut below it.
fn decimal(text: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || fraction.len() > 18 {
        return None;
    }
    let scale = 10u128.checked_pow(fraction.len() as u32)?;
    let fraction = fraction.parse::<u128>().ok()? * u128::from(unit) / scale;
    let whole = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    whole.checked_add(u64::try_from(fraction).ok()?)
}

/// Which events are wanted. Every condition must hold; of several words for one, any.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Names of actors.
    pub actors: Vec<String>,
    /// Names or numbers of tasks; of events, the kernel's own about tasks carry one.
    pub tasks: Vec<String>,
    /// Numbers of kinds.
    pub kinds: Vec<u16>,
    /// Tags with their values.
    pub tags: Vec<(String, String)>,
    /// Not before this.
    pub from: Option<Moment>,
    /// Not after this.
    pub to: Option<Moment>,
}

impl Filter {
    /// Whether an event is wanted.
    pub fn wants<S: System>(&self, names: &Names, event: &Event<S::Event>) -> bool {
        if self.from.is_some_and(|from| is_before(event, from)) || self.is_past(event) {
            return false;
        }
        let any_of = |words: &[String], is: &dyn Fn(&str) -> bool| {
            words.is_empty() || words.iter().any(|word| is(word))
        };
        if !self.kinds.is_empty() && !self.kinds.contains(&event.kind().number) {
            return false;
        }
        if !any_of(&self.actors, &|wanted| names.actor(event.actor) == wanted) {
            return false;
        }
        if !any_of(&self.tasks, &|wanted| {
            tasks_of(event)
                .iter()
                .any(|task| names.is_task(*task, wanted))
        }) {
            return false;
        }
        if self.tags.is_empty() {
            return true;
        }
        let tags = tags_of::<S>(event);
        self.tags
            .iter()
            .all(|(key, value)| tags.get(key.as_str()) == Some(value))
    }

    /// Whether no later event can be wanted either.
    pub fn is_past<E: EventSet>(&self, event: &Event<E>) -> bool {
        match self.to {
            Some(Moment::Event(seq)) => event.seq > seq,
            Some(Moment::Time(time)) => event.time > time,
            None => false,
        }
    }
}

fn is_before<E: EventSet>(event: &Event<E>, moment: Moment) -> bool {
    match moment {
        Moment::Event(seq) => event.seq < seq,
        Moment::Time(time) => event.time < time,
    }
}

/// The tasks that one of the kernel's own events is about.
pub(crate) fn tasks_of<E: EventSet>(event: &Event<E>) -> Vec<TaskId> {
    let Some(event) = event.kernel() else {
        return Vec::new();
    };
    match event {
        KernelEvent::TaskStarted(e) => vec![e.task],
        KernelEvent::TaskEnded(e) => vec![e.task],
        KernelEvent::TaskCrashed(e) => vec![e.task],
        KernelEvent::TimerFired(e) => vec![e.task],
        KernelEvent::LockBlocked(e) => vec![e.task],
        KernelEvent::LockGranted(e) => vec![e.task, e.from],
        KernelEvent::LockAbandoned(e) => vec![e.task],
        KernelEvent::JoinBlocked(e) => vec![e.task, e.on],
        KernelEvent::JoinAbandoned(e) => vec![e.task, e.on],
        KernelEvent::CycleClosed(e) => e.cycle.links.iter().map(|link| link.task).collect(),
        KernelEvent::CycleBroken(e) => vec![e.by],
        _ => Vec::new(),
    }
}

/// Why a word names no kind of event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no kind of event called {found:?}{}; the kinds are: {}",
    nearest.map_or_else(String::new, |near| format!(", did you mean {near:?}?")),
    known.join(", ")
)]
pub struct KindError {
    /// The word.
    pub found: String,
    /// The kind whose name is nearest to it.
    pub nearest: Option<&'static str>,
    /// Every kind.
    pub known: Vec<&'static str>,
}

/// The number of a kind, by its name (spaces may be written as `-` or `_`) or number.
///
/// # Errors
/// If there is no such kind.
pub fn kind_named<S: System>(word: &str) -> Result<u16, KindError> {
    let kinds = || KernelEvent::KINDS.iter().chain(S::Event::KINDS);
    let plain = |text: &str| text.to_lowercase().replace(['-', '_'], " ");
    let is = |kind: &&Kind| plain(kind.name) == plain(word) || kind.number.to_string() == word;
    match kinds().find(is) {
        Some(kind) => Ok(kind.number),
        None => Err(KindError {
            found: word.to_owned(),
            nearest: nearest(word, kinds().map(|kind| kind.name)),
            known: kinds().map(|kind| kind.name).collect(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_an_event_or_a_time() {
        let time = |nanos| Ok(Moment::Time(Time::from_nanos(nanos)));
        assert_eq!("1,204".parse(), Ok(Moment::Event(Seq(1204))));
        assert_eq!("1.5s".parse(), time(1_500_000_000));
        assert_eq!("250ms".parse(), time(250_000_000));
        assert_eq!("00:01:02.5".parse(), time(62_500_000_000));
        assert_eq!("1:02".parse(), time(62_000_000_000));
        assert_eq!("1.5h".parse(), time(5_400_000_000_000));
        for wrong in [
            "",
            "-1",
            "5x",
            "1:2:3:4",
            "1..5s",
            "s",
            "99999999999999d",
            "1:-2",
        ] {
            assert!(wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
