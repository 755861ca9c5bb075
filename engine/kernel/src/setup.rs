//! Putting a system together: its hosts, its feeds, who answers its calls.

use std::cell::RefCell;
use std::future::Future;
use std::path::PathBuf;
use std::rc::Rc;

use serde_json::Value;

use crate::companion::Companion;
use crate::ctx::Ctx;
#[cfg(debug_assertions)]
use crate::executor::Audit;
use crate::executor::Core;
use crate::id::{ActorId, HostId};
use crate::kernel_event::HostStarted;
use crate::name::Name;
use crate::outside::{Factory, FeedState, Host, PortState, ProgramAtPort, Waiting};
use crate::port::{Feed, Port, Provider};
use crate::program::{Interpreter, Program, ProgramMode};
use crate::sync::inbox::Inbox;
use crate::system::{BuildError, Files, System};
use crate::task::NewTask;
use crate::world::World;

/// Where a system is put together before its first step.
pub struct Setup<'a, S: System> {
    pub(crate) core: Rc<Core<S>>,
    /// Absent in a replay, which reads nothing but its log.
    pub(crate) files: Option<&'a dyn Files>,
    /// Who starts programs again in a replay, if they are to be asked again.
    pub(crate) programs: Option<&'a dyn Files>,
    /// What providers are made from where a recording is followed, which may not have every answer.
    pub(crate) stand_in: Option<&'a dyn Files>,
}

impl<'a, S: System> Setup<'a, S> {
    /// Where the run leaves a file of its own that its scenario names so, if it may. A replay and a fork may not: what
    /// real files did in the recorded run is in its log.
    pub fn place_to_leave(&self, path: &str) -> Option<PathBuf> {
        self.files?.place_to_leave(path)
    }

    /// Adds a host and starts its main task. After a crash and a restart it is started again,
    /// by the same factory and with nothing that it knew.
    pub fn host<F: Future<Output = ()> + 'static>(
        &mut self,
        name: impl Into<Name>,
        factory: impl Fn(Ctx<S>) -> F + 'static,
    ) {
        let name = name.into();
        let factory = Rc::new(factory);
        // The factory itself runs in the task: it may start others, and its panic is the task's.
        let factory: Factory<S> = Rc::new(move |ctx| {
            let factory = Rc::clone(&factory);
            Box::pin(async move { factory(ctx).await })
        });
        let host = {
            let mut state = self.core.state.borrow_mut();
            let actor = state.actor(&name);
            state.outside.hosts.push(Host {
                name: name.clone(),
                actor,
                factory,
            });
            let host = HostId(state.outside.hosts.len() as u32);
            state.append_kernel(ActorId::ENGINE, None, HostStarted { host, name });
            host
        };
        start_host(&self.core, host);
    }

    /// Adds a feed: inputs that arrive in time. It is opened only while a run is recorded.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn feed<F: Feed<S::Event> + 'static>(
        &mut self,
        name: impl Into<Name>,
        open: impl FnOnce(&'a dyn Files) -> Result<F, BuildError>,
    ) -> Result<Inbox<S>, BuildError> {
        let source = match self.files {
            Some(files) => Some(Box::new(open(files)?) as Box<dyn Feed<S::Event>>),
            None => None,
        };
        let mut state = self.core.state.borrow_mut();
        let actor = state.actor(name);
        let inbox = Rc::new(RefCell::new(Waiting::default()));
        let waiting = Rc::clone(&inbox);
        state.outside.feeds.push(FeedState {
            actor,
            source,
            next: None,
            recorded: std::collections::VecDeque::new(),
            is_recorded: false,
            injected: Vec::new(),
            inbox,
        });
        Ok(Inbox { waiting })
    }

    /// Compares what the system keeps for itself with what it shows, whenever no task can run.
    /// An error says what differs, and is a panic of the program: an event is missing somewhere.
    ///
    /// Only debug builds look; in others this does nothing.
    pub fn audit(&mut self, audit: impl Fn(&World<S::View>) -> Result<(), String> + 'static) {
        #[cfg(debug_assertions)]
        {
            let audit: Audit<S::View> = Rc::new(audit);
            self.core.state.borrow_mut().audits.push(audit);
        }
        #[cfg(not(debug_assertions))]
        drop(audit);
    }

    /// Says who answers at a port. The provider is made only while a run is recorded.
    ///
    /// # Errors
    /// Those of making it.
    pub fn provider<P: Provider<S::Event> + 'static>(
        &mut self,
        port: Port,
        name: impl Into<Name>,
        make: impl FnOnce(&'a dyn Files) -> Result<P, BuildError>,
    ) -> Result<(), BuildError> {
        let made = match (self.files, self.stand_in) {
            (Some(files), _) => Some(make(files)?),
            // Whoever needs a file to answer cannot stand in for the recording.
            (None, Some(nothing)) => make(nothing).ok(),
            (None, None) => None,
        };
        let provider = made.map(|made| Box::new(made) as Box<dyn Provider<S::Event>>);
        let mut state = self.core.state.borrow_mut();
        let actor = state.actor(name);
        let at_port = PortState {
            actor,
            provider,
            program: None,
        };
        state.outside.ports.insert(port.0, at_port);
        Ok(())
    }

    /// Says that a program outside answers at a port; `about` is what it is told of the run in advance. It is
    /// started while a run is recorded, and in a replay only if its mode says so and programs may be started.
    ///
    /// # Errors
    /// If it cannot be started, or does not answer the greeting.
    pub fn program(
        &mut self,
        port: Port,
        program: Program,
        about: &Value,
        interpreter: impl Interpreter<S::Event> + 'static,
    ) -> Result<(), BuildError> {
        let starts = match (self.files, program.mode) {
            (Some(files), _) => Some(files),
            (None, ProgramMode::Deterministic) => self.programs,
            (None, ProgramMode::Recorded) => None,
        };
        let (mode, name) = (program.mode, program.name.clone());
        let companion = match starts {
            Some(files) => {
                let dialogue = files.start(&program)?;
                let greeted = Companion::greet(program, dialogue, about);
                Some(greeted?)
            }
            None => None,
        };
        let mut state = self.core.state.borrow_mut();
        let actor = state.actor(format!("program of {name}"));
        let at_port = PortState {
            actor,
            provider: None,
            program: Some(ProgramAtPort {
                mode,
                interpreter: Box::new(interpreter),
                companion,
            }),
        };
        state.outside.ports.insert(port.0, at_port);
        Ok(())
    }
}

/// Starts the main task of a host, at first and after a crash.
pub(crate) fn start_host<S: System>(core: &Rc<Core<S>>, host: HostId) {
    let found = core
        .state
        .borrow()
        .outside
        .host(host)
        .map(|found| (Rc::clone(&found.factory), found.name.clone(), found.actor));
    let Some((factory, name, actor)) = found else {
        return;
    };
    if core.state.borrow().world.down.contains(&host) {
        return;
    }
    let ctx = Ctx {
        core: Rc::clone(core),
        actor,
    };
    let future = factory(ctx);
    let task = NewTask {
        name,
        actor,
        host,
        daemon: false,
        observed: false,
    };
    core.state.borrow_mut().start_task(task, future);
}
