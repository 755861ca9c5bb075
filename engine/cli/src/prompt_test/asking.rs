//! Asking live: services that are reached once, questions in rounds, a wait where one asks for it.

use std::path::Path;
use std::time::Duration;

use dacapo_kernel::{BuildError, Dialogue, Heard, Service, Unfit};
use dacapo_lab::rehearing::{Docket, SavedReply};
use serde_json::Value;

use crate::console::Connect;
use crate::exit::Problem;
use crate::interrupt::Interrupts;
use crate::progress::{Goal, Progress};
use crate::screen::Screen;
use crate::text::{counted, grouped};

use super::patience::{Patience, seconds};
use super::saved::SavedFile;

/// How often is asked, how often may be, and where replies are kept.
pub(super) struct Live<'a> {
    pub(super) samples: u32,
    pub(super) budget_calls: u64,
    pub(super) save: Option<&'a Path>,
}

impl Live<'_> {
    /// Asks, and says whether somebody stopped it.
    pub(super) fn ask(
        &self,
        decisions: u64,
        dockets: &mut [Docket],
        patience: &mut Patience<'_>,
        screen: &mut Screen<'_>,
    ) -> Result<bool, Problem> {
        let Some(connect) = screen.connect() else {
            return Err(Problem::usage(
                "this program has no services that are asked live; give --replies",
            ));
        };
        let calls = decisions.saturating_mul(u64::from(self.samples));
        if calls > self.budget_calls {
            return Err(Problem::usage(format!(
                "{} with {} each would be {} calls, and --budget-calls allows {}; nothing was asked",
                counted(decisions, "decision", "decisions"),
                counted(u64::from(self.samples), "reply", "replies"),
                grouped(calls),
                grouped(self.budget_calls)
            )));
        }
        let mut services = Services::default();
        for decided in dockets.iter().flat_map(|it| &it.decided) {
            // Whatever is wrong with any of them is told before the first is asked.
            services.reach(&decided.service, &*connect)?;
        }
        let mut file = self.save.map(SavedFile::create).transpose()?;
        let interrupts = Interrupts::of(screen);
        let mut round = Round {
            calls,
            done: 0,
            patience,
            bar: screen.progress("ask", Goal::Unknown),
            interrupts,
        };
        // In rounds, so that whoever stops it has asked each decision about as often.
        for _ in 0..self.samples {
            for docket in &mut *dockets {
                for at in 0..docket.decided.len() {
                    let service = services.reach(&docket.decided[at].service, &*connect)?;
                    let Some((said, heard)) = round.ask(docket, at, service, screen)? else {
                        return Ok(true);
                    };
                    if let Some(file) = &mut file {
                        file.append(&kept(docket, at, said))?;
                    }
                    docket.heard[at].push(heard);
                    round.go_on();
                }
            }
        }
        Ok(false)
    }
}

/// A reply as it is kept.
fn kept(docket: &Docket, at: usize, said: String) -> SavedReply {
    let decided = &docket.decided[at];
    SavedReply {
        log: Some(docket.log.clone()),
        event: decided.asked.0,
        request: Some(decided.request.clone()),
        reply: serde_json::from_str(&said).unwrap_or(Value::String(said)),
    }
}

/// How far the asking is.
struct Round<'a, 'p, C> {
    calls: u64,
    done: u64,
    patience: &'p mut Patience<'a>,
    bar: Progress<C>,
    interrupts: Interrupts,
}

impl<C: Fn() -> Duration> Round<'_, '_, C> {
    /// Asks about one decision until there is a reply that is no wish to be asked later, or one that nobody waits for;
    /// nothing if somebody stopped it.
    fn ask(
        &mut self,
        docket: &Docket,
        at: usize,
        service: &mut dyn Dialogue,
        screen: &mut Screen<'_>,
    ) -> Result<Option<(String, Heard)>, Problem> {
        let decided = &docket.decided[at];
        let name = &decided.service.name;
        let place = format!("{}, event {}", docket.log, decided.asked);
        let problem = |Unfit { what, help }: Unfit| {
            Problem::usage(format!("{place}: the {name}: {what}; {help}"))
        };
        if self.interrupts.any() {
            return Ok(None);
        }
        loop {
            let said = service.ask(&decided.question).map_err(problem)?;
            let heard = docket.rehearsal.hear(decided, &said).map_err(problem)?;
            let Some(wanted) = self.patience.wanted(&heard) else {
                return Ok(Some((said, heard)));
            };
            if !self.bar.is_allowed() {
                let wait = seconds(wanted);
                let what = format!(
                    "{place}: the {name} asks for a wait of {wait}: {}",
                    heard.text
                );
                screen.note(Screen::safe(what));
            }
            if !self.wait(wanted, name) {
                return Ok(None);
            }
        }
    }

    /// Waits; false if somebody stopped it.
    fn wait(&mut self, wanted: Duration, name: &str) -> bool {
        let (done, calls) = (grouped(self.done), grouped(self.calls));
        let bar = &mut self.bar;
        self.patience.wait(wanted, &self.interrupts, |left| {
            let left = seconds(left);
            bar.says(format!(
                "{done} of {calls} calls, the {name} asks to wait: {left} left"
            ));
        })
    }

    /// One more is done.
    fn go_on(&mut self) {
        self.done += 1;
        let (done, calls) = (grouped(self.done), grouped(self.calls));
        self.bar.says(format!("{done} of {calls} calls"));
    }
}

/// Services that were reached, each once.
#[derive(Default)]
struct Services(Vec<(Service, Box<dyn Dialogue>)>);

impl Services {
    fn reach(
        &mut self,
        service: &Service,
        connect: &Connect,
    ) -> Result<&mut dyn Dialogue, Problem> {
        let at = match self.0.iter().position(|(known, _)| known == service) {
            Some(at) => at,
            None => {
                let reached = connect(service).map_err(unreached)?;
                self.0.push((service.clone(), reached));
                self.0.len() - 1
            }
        };
        Ok(&mut *self.0[at].1)
    }
}

/// Why a service cannot be asked. No plan is built here, whatever the error would say.
fn unreached(error: BuildError) -> Problem {
    Problem::usage(match error {
        BuildError::Plan(what) => what,
        other => other.to_string(),
    })
}
