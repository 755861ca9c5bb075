//! Accepting what differs: for one reason, or after a look at each.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use dacapo_kernel::log::{Memory, SyncPolicy};
use dacapo_kernel::{BoxedStorage, Run, RunError, System};
use dacapo_lab::golden::{
    Accepted, CaseKind, EVERY_EVENT, Held, Kept, Standing, Tested, Trouble, accept as keep_reason,
    by_cause, has_state, keep_state, made_from, write_log,
};
use dacapo_lab::scenario::{Overrides, load};

use super::TestArgs;
use super::told::tell_apart;
use crate::exit::{Exit, Problem};
use crate::log_file::open;
use crate::screen::{Screen, Tone};
use crate::text::counted;

/// Accepts what somebody wants accepted; a case is the same afterwards if it was.
pub(super) fn accept<S: System>(
    args: &TestArgs,
    all: &mut [Tested],
    screen: &mut Screen<'_>,
) -> Result<(), Problem> {
    let chosen = if args.review {
        review(args, all, screen)
    } else {
        let reason = args.bless.clone().unwrap_or_default();
        let differs = |(at, tested): (usize, &Tested)| match &tested.standing {
            Standing::Differs(_) | Standing::Broken(Trouble::NotAccepted { .. }) => {
                Some((at, reason.clone()))
            }
            _ => None,
        };
        all.iter().enumerate().filter_map(differs).collect()
    };
    let mut accepted = 0;
    for (at, reason) in chosen {
        accepted += u64::from(take::<S>(&mut all[at], &reason, screen)?);
    }
    if let Some(reason) = &args.bless {
        for tested in all.iter() {
            if let Standing::Same { level, .. } = &tested.standing {
                complete::<S>(&tested.case.path, level, reason)?;
            }
        }
    }
    let mut made = 0;
    if let (Some(folder), Some(reason)) = (&args.keep, &args.bless) {
        for tested in all.iter() {
            let is_good = matches!(tested.standing, Standing::Passed { .. });
            if tested.case.kind == CaseKind::Scenario && is_good {
                made += u64::from(make::<S>(&tested.case.path, folder, reason, args)?);
            }
        }
    }
    if screen.is_for_people() && !screen.quiet {
        let (accepted, made) = (
            counted(accepted, "golden log", "golden logs"),
            counted(made, "golden log", "golden logs"),
        );
        let word = screen.paint(Tone::Head, "accepted");
        let kept = args
            .keep
            .as_ref()
            .map_or_else(String::new, |_| format!(", {made} made"));
        screen.line(format!("{word}  {accepted}{kept}"));
    }
    Ok(())
}

/// Shows each difference and asks; gives what is accepted, and why.
fn review(args: &TestArgs, all: &[Tested], screen: &mut Screen<'_>) -> Vec<(usize, String)> {
    let mut chosen = Vec::new();
    let is_difference = |at: &usize| matches!(all[*at].standing, Standing::Differs(_));
    let causes = by_cause(all);
    for cause in causes
        .into_iter()
        .filter(|it| it.of.iter().all(is_difference))
    {
        let mut reason = args.bless.clone();
        let mut whole_cause = false;
        let count = counted(cause.of.len() as u64, "log", "logs");
        screen.line("");
        let what = Screen::safe(&cause.what);
        screen.line(format!("{count} for this reason: {what}"));
        for at in cause.of {
            let tested = &all[at];
            let Standing::Differs(apart) = &tested.standing else {
                continue;
            };
            if !whole_cause {
                screen.line("");
                tell_apart(tested, apart, screen);
                match screen
                    .ask("accept? [y]es, [n]o, [a]ll of this reason, [q]uit:")
                    .as_deref()
                {
                    Some("y" | "yes") => {}
                    Some("a" | "all") => whole_cause = true,
                    Some("q" | "quit") | None => return chosen,
                    Some(_) => continue,
                }
            }
            if reason.is_none() {
                let typed = screen.ask("why is it right now?");
                reason = typed.filter(|text| !text.is_empty());
            }
            match &reason {
                Some(reason) => chosen.push((at, reason.clone())),
                None => screen.warning("not accepted: a reason is needed"),
            }
        }
    }
    chosen
}

/// Accepts one case; false if that is refused.
fn take<S: System>(
    tested: &mut Tested,
    reason: &str,
    screen: &mut Screen<'_>,
) -> Result<bool, Problem> {
    let problem = |what: String| Problem::Other(Exit::Usage, what);
    let path = tested.case.path.clone();
    match &tested.standing {
        Standing::Differs(apart) if !apart.violated.is_empty() => {
            screen.warning(format!(
                "{} is not accepted: {} would be violated in it",
                path.display(),
                apart.violated.join(", ")
            ));
            return Ok(false);
        }
        Standing::Differs(apart) => {
            let Some(fingerprint) = apart.fingerprint.clone() else {
                return Ok(false);
            };
            write_log(&path, &apart.log).map_err(problem)?;
            let accepted = Accepted {
                reason: reason.to_owned(),
                fingerprint,
                events: apart.events.1,
            };
            keep_reason(&path, &apart.level, &accepted).map_err(problem)?;
            keep::<S>(&path)?;
            tested.standing = Standing::Same {
                level: apart.level.clone(),
                events: apart.events.1,
                detail: None,
            };
        }
        Standing::Broken(Trouble::NotAccepted { .. }) => {
            accept_as_it_is(&path, EVERY_EVENT, reason)?;
            keep::<S>(&path)?;
            tested.standing = Standing::NothingRan;
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Makes a golden log of a scenario, unless there is one; false if there is.
fn make<S: System>(
    scenario: &Path,
    folder: &Path,
    reason: &str,
    args: &TestArgs,
) -> Result<bool, Problem> {
    let name = scenario.file_stem().unwrap_or_default().to_string_lossy();
    let path: PathBuf = folder.join(format!("{name}.dlog.gz"));
    if path.exists() || folder.join(format!("{name}.dlog")).exists() {
        return Ok(false);
    }
    let loaded = load::<S>(scenario, &Overrides::default())?;
    let bytes = Rc::new(std::cell::RefCell::new(Memory::default()));
    let storage: BoxedStorage = Box::new(Rc::clone(&bytes));
    let outcome = Run::<S>::new(&loaded.plan)
        .unchecked()
        .record(&loaded.files, storage, SyncPolicy::Never)
        .map_err(|error| Problem::log(&scenario.to_string_lossy(), &error))?;
    let held = Held::named::<S>(args.level.as_deref(), &[]).map_err(Problem::usage)?;
    let problem = |what: String| Problem::Other(Exit::Usage, what);
    write_log(&path, &bytes.borrow().0).map_err(problem)?;
    let fingerprint = outcome.fingerprint.map(|chain| chain.to_string());
    let accepted = Accepted {
        reason: reason.to_owned(),
        fingerprint: fingerprint.unwrap_or_default(),
        events: outcome.events,
    };
    made_from(&path, &held.level, scenario).map_err(problem)?;
    keep_reason(&path, &held.level, &accepted).map_err(problem)?;
    keep::<S>(&path)?;
    Ok(true)
}

/// Adds to a golden log that holds what is not beside it yet: why it is as it is, and the state at its end.
fn complete<S: System>(path: &Path, level: &str, reason: &str) -> Result<(), Problem> {
    let kept = Kept::beside(path).map_err(|what| Problem::Other(Exit::Usage, what))?;
    if kept.newest().is_none() {
        accept_as_it_is(path, level, reason)?;
    }
    if !has_state(path) {
        keep::<S>(path)?;
    }
    Ok(())
}

/// Adds the reason for which a log is accepted that nobody has to write anew.
fn accept_as_it_is(path: &Path, level: &str, reason: &str) -> Result<(), Problem> {
    let told = |error| Problem::log(&path.to_string_lossy(), &RunError::Log(error));
    let ending = open(path)?.ending().map_err(told)?;
    let accepted = Accepted {
        reason: reason.to_owned(),
        fingerprint: ending.chain().to_string(),
        events: ending.events(),
    };
    keep_reason(path, level, &accepted).map_err(|what| Problem::Other(Exit::Usage, what))
}

/// Keeps the state at the end of a golden log beside it.
fn keep<S: System>(path: &Path) -> Result<(), Problem> {
    let recorded = open(path)?;
    keep_state::<S>(path, recorded)
        .map_err(|trouble| Problem::Other(Exit::Usage, trouble.to_string()))
}
