//! Which kinds of fault a seed has, and the faults of each kind.

use std::str::FromStr;

use dacapo_kernel::{Fault, FaultKind, How, Seq, Stream, Time, When};

use super::draw::{by_magnitude, instant, times, value, values};
use crate::scenario::nearest;

/// How deep crashes go: a crash, one while the host recovers from it, and one more.
const DEPTH: u64 = 3;

/// Events into a recovery at which the next crash may strike.
const RECOVERY_EVENTS: u64 = 64;

/// The last event after which a crash is planned; a run may be over by then.
const EVENTS: u64 = 4_096;

/// The kinds of fault that may be drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum FaultChoice {
    /// All that the system can suffer.
    #[default]
    All,
    /// None: only what the scenario says itself.
    None,
    /// Those of these names; a name that ends in `.` or `*` stands for all that begin so.
    Named(Vec<String>),
}

/// A name that no kind of fault has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no kind of fault `{name}`{}", near.as_ref().map_or_else(String::new, |near| format!("; did you mean `{near}`?")))]
pub struct UnknownFault {
    /// As it was given.
    pub name: String,
    /// The nearest that there is.
    pub near: Option<String>,
}

impl FromStr for FaultChoice {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<FaultChoice, Self::Err> {
        Ok(match text {
            "all" => FaultChoice::All,
            "none" => FaultChoice::None,
            names => FaultChoice::Named(names.split(',').map(|n| n.trim().to_owned()).collect()),
        })
    }
}

impl FaultChoice {
    /// Checks that every name stands for a kind.
    ///
    /// # Errors
    /// The first that does not.
    pub fn check(&self, kinds: &[FaultKind]) -> Result<(), UnknownFault> {
        let FaultChoice::Named(names) = self else {
            return Ok(());
        };
        let unknown = |name: &&String| !kinds.iter().any(|kind| stands_for(name, kind.name));
        match names.iter().find(unknown) {
            None => Ok(()),
            Some(name) => Err(UnknownFault {
                name: name.clone(),
                near: nearest(name, kinds.iter().map(|kind| kind.name)).map(str::to_owned),
            }),
        }
    }

    fn has(&self, kind: &FaultKind) -> bool {
        match self {
            FaultChoice::All => true,
            FaultChoice::None => false,
            FaultChoice::Named(names) => names.iter().any(|name| stands_for(name, kind.name)),
        }
    }

    /// The faults of a seed, before this instant.
    pub(super) fn draw(&self, kinds: &[FaultKind], seed: u64, end: Time) -> Vec<Fault> {
        let allowed: Vec<&FaultKind> = kinds.iter().filter(|kind| self.has(kind)).collect();
        let wanted = how_many(seed, allowed.len() as u64);
        let mut faults = Vec::new();
        if wanted == 0 {
            return faults;
        }
        for kind in &allowed {
            let mut stream = stream_of(kind, seed);
            // About `wanted` kinds are on. The draw does not depend on how many there are.
            let is_on = stream.below(1 << 32) < (wanted << 32) / allowed.len() as u64;
            if is_on {
                faults_of(kind, &mut stream, end, &mut faults);
            }
        }
        faults
    }
}

/// Whether a name on the command line stands for this kind.
fn stands_for(name: &str, kind: &str) -> bool {
    match name.strip_suffix('*') {
        Some(stem) => kind.starts_with(stem),
        None => name == kind || name.ends_with('.') && kind.starts_with(name),
    }
}

/// About how many kinds are on in the run of a seed: none, one, a few, many or all.
fn how_many(seed: u64, kinds: u64) -> u64 {
    let mut stream = Stream::new(seed, "swarm", "kinds");
    let wanted = match stream.below(8) {
        0 => 0,
        1 => kinds,
        2 => kinds.div_ceil(2),
        3 | 4 => kinds.div_ceil(8),
        5 | 6 => 2,
        _ => 1,
    };
    wanted.min(kinds)
}

/// Two kinds of one name differ in whom they strike.
fn stream_of(kind: &FaultKind, seed: u64) -> Stream {
    let of = |whom: &str| Stream::new(seed, "swarm of faults", whom);
    match kind.how {
        How::CrashHost { host } => of(&format!("{} of {host}", kind.name)),
        How::CrashTask { task } => of(&format!("{} of {task}", kind.name)),
        How::Door { .. } | How::Act { .. } | How::JumpClock => of(kind.name),
    }
}

fn faults_of(kind: &FaultKind, stream: &mut Stream, end: Time, faults: &mut Vec<Fault>) {
    match kind.how {
        How::Door { most_per_mille } => {
            let per_mille = by_magnitude(
                stream,
                u64::from(most_per_mille / 16),
                u64::from(most_per_mille),
            ) as u32;
            let (least, most) = values(stream, kind);
            faults.push(Fault::Door {
                door: kind.name.to_owned(),
                actor: None,
                per_mille,
                least,
                most,
                until: None,
            });
        }
        How::Act { times: most } => {
            for _ in 0..times(stream, most) {
                faults.push(Fault::Act {
                    what: kind.name.to_owned(),
                    at: instant(stream, end),
                    value: value(stream, kind),
                });
            }
        }
        How::CrashHost { host } => crashes(kind, host, stream, end, faults),
        How::CrashTask { task } => {
            for _ in 0..times(stream, DEPTH as u32) {
                faults.push(Fault::CrashTask {
                    task: task.to_owned(),
                    at: instant(stream, end),
                });
            }
        }
        How::JumpClock => {
            for _ in 0..times(stream, DEPTH as u32) {
                let (at, millis) = (instant(stream, end), value(stream, kind));
                let span = i64::try_from(millis.saturating_mul(1_000_000)).unwrap_or(i64::MAX);
                let by = if stream.below(2) == 0 { span } else { -span };
                faults.push(Fault::JumpClock { at, by });
            }
        }
    }
}

/// Crashes of a host: each at an instant or after an event, and more of them while it recovers.
fn crashes(kind: &FaultKind, host: &str, stream: &mut Stream, end: Time, faults: &mut Vec<Fault>) {
    for _ in 0..times(stream, DEPTH as u32) {
        let depth = 1 + stream.below(DEPTH).min(stream.below(DEPTH));
        for level in 0..depth {
            let at = instant(stream, end);
            let down = value(stream, kind).saturating_mul(1_000_000);
            let (when, room) = match (level, stream.below(2)) {
                (0, 0) => (When::Time(at), end.as_nanos() - at.as_nanos()),
                (0, _) => {
                    let seq = Seq(by_magnitude(stream, 1, EVENTS));
                    (When::Event(seq), end.as_nanos() / 4)
                }
                _ => {
                    let after = by_magnitude(stream, 1, RECOVERY_EVENTS);
                    (When::Recovery(after), end.as_nanos() / 8)
                }
            };
            faults.push(Fault::CrashHost {
                host: host.to_owned(),
                when,
                // It is up again before the quiet part of the run.
                restart_after: Some(down.min(room)),
            });
        }
    }
}
