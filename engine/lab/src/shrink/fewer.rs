//! Fewer inputs: whole kinds of them left out at once, many strikes of one door put together as one
//! that is always open, and what is left gone through one by one.

use dacapo_kernel::{Fault, Plan, System};

use super::Recorded;
use super::ddmin::ddmin;
use super::trials::Trials;

/// How many single strikes are tried in place of a door that is always open.
const STRIKES_TRIED: usize = 6;

/// Leaves out everything, else every kind of input that is not needed at all: the choices first,
/// then the kinds with the most inputs.
pub(super) fn whole_kinds<S: System>(plan: &mut Plan<S::Config>, trials: &mut Trials<'_, S>) {
    if trials.fails_with(plan, &[]) {
        plan.faults.faults.clear();
        return;
    }
    for kind in kinds(&plan.faults.faults) {
        let others: Vec<Fault> = plan
            .faults
            .faults
            .iter()
            .filter(|fault| kind_of(fault) != kind)
            .cloned()
            .collect();
        if !others.is_empty() && trials.fails_with(plan, &others) {
            plan.faults.faults = others;
        }
    }
}

/// What inputs are left out together: a crash, a door, an act by its name.
fn kind_of(fault: &Fault) -> (u8, String) {
    let rank = match fault {
        Fault::Choose { .. } => 0,
        Fault::Door { .. } | Fault::Strike { .. } => 1,
        Fault::CrashHost { .. } => 2,
        Fault::CrashTask { .. } => 3,
        Fault::JumpClock { .. } => 4,
        Fault::Act { .. } => 5,
    };
    (rank, fault.name().to_owned())
}

fn kinds(faults: &[Fault]) -> Vec<(u8, String)> {
    let mut counted: Vec<((u8, String), usize)> = Vec::new();
    for fault in faults {
        let kind = kind_of(fault);
        match counted.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counted.push((kind, 1)),
        }
    }
    counted.sort_by_key(|((rank, _), count)| (*rank != 0, std::cmp::Reverse(*count)));
    counted.into_iter().map(|(kind, _)| kind).collect()
}

/// The smallest part of the inputs that still fails, by delta debugging.
pub(super) fn one_by_one<S: System>(plan: &mut Plan<S::Config>, trials: &mut Trials<'_, S>) {
    if plan.faults.faults.len() == 1 && trials.fails_with(plan, &[]) {
        plan.faults.faults.clear();
        return;
    }
    let all = plan.faults.faults.clone();
    let base = plan.clone();
    plan.faults.faults = ddmin(all, &mut |faults| trials.fails_with(&base, faults));
}

/// "This one fails always" is one input: many strikes of a door at an actor become a door that is
/// always open to it.
pub(super) fn always<S: System>(
    recorded: &Recorded<S>,
    plan: &mut Plan<S::Config>,
    trials: &mut Trials<'_, S>,
) {
    for (door, actor) in doors(recorded) {
        together(&door, Some(&actor), plan, trials);
    }
}

/// And doors that are always open to several become one that is open to all. Only what is needed
/// of each is asked for, so this comes after the others are gone.
pub(super) fn for_everybody<S: System>(
    recorded: &Recorded<S>,
    plan: &mut Plan<S::Config>,
    trials: &mut Trials<'_, S>,
) {
    let mut names: Vec<String> = doors(recorded).into_iter().map(|(door, _)| door).collect();
    names.dedup();
    for door in names {
        together(&door, None, plan, trials);
    }
}

/// Puts everything at a door together that is for this actor; for anybody, if none is named.
fn together<S: System>(
    door: &str,
    who: Option<&str>,
    plan: &mut Plan<S::Config>,
    trials: &mut Trials<'_, S>,
) {
    let all = plan.faults.faults.iter().cloned();
    let (mine, others): (Vec<Fault>, Vec<Fault>) = all.partition(|fault| is_at(fault, door, who));
    if mine.len() < 2 {
        return;
    }
    let values = || mine.iter().flat_map(values_of);
    let (least, most) = (values().min().unwrap_or(0), values().max().unwrap_or(0));
    let first = mine.first().map_or(0, |fault| values_of(fault)[0]);
    for (least, most) in [(first, first), (most, most), (least, least), (least, most)] {
        let faults = [&others[..], &[always_open(door, who, (least, most))]].concat();
        if trials.fails_with(plan, &faults) {
            plan.faults.faults = faults;
            return;
        }
    }
}

fn always_open(door: &str, who: Option<&str>, (least, most): (u64, u64)) -> Fault {
    Fault::Door {
        door: door.to_owned(),
        actor: who.map(str::to_owned),
        per_mille: 1_000,
        least,
        most,
        until: None,
    }
}

/// The other way round at the end: where one strike is enough, the door need not always be open.
pub(super) fn once<S: System>(
    recorded: &Recorded<S>,
    plan: &mut Plan<S::Config>,
    trials: &mut Trials<'_, S>,
) {
    for at in 0..plan.faults.faults.len() {
        let Fault::Door {
            door, actor, most, ..
        } = &plan.faults.faults[at]
        else {
            continue;
        };
        let (door, actor, value) = (door.clone(), actor.clone(), *most);
        let struck = recorded.struck.iter().filter(|struck| {
            struck.door == door && actor.as_ref().is_none_or(|who| *who == struck.actor)
        });
        for struck in struck.take(STRIKES_TRIED) {
            let mut faults = plan.faults.faults.clone();
            faults[at] = Fault::Strike {
                door: door.clone(),
                actor: struck.actor.clone(),
                asked: struck.asked,
                value,
            };
            if trials.fails_with(plan, &faults) {
                plan.faults.faults = faults;
                break;
            }
        }
    }
}

/// Every door with every actor it was open to, each once, in the order of the log.
fn doors<S: System>(recorded: &Recorded<S>) -> Vec<(String, String)> {
    let mut doors: Vec<(String, String)> = Vec::new();
    for struck in &recorded.struck {
        let door = (struck.door.clone(), struck.actor.clone());
        if !doors.contains(&door) {
            doors.push(door);
        }
    }
    doors
}

fn is_at(fault: &Fault, of: &str, who: Option<&str>) -> bool {
    match fault {
        Fault::Strike { door, actor, .. } => {
            door == of && who.is_none_or(|who| who == actor.as_str())
        }
        Fault::Door { door, actor, .. } => {
            door == of && who.is_none_or(|who| Some(who) == actor.as_deref())
        }
        _ => false,
    }
}

fn values_of(fault: &Fault) -> [u64; 2] {
    match fault {
        Fault::Strike { value, .. } => [*value; 2],
        Fault::Door { least, most, .. } => [*least, *most],
        _ => [0; 2],
    }
}
