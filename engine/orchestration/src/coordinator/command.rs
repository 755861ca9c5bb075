//! What an operator can tell the coordinator on the bus.

use std::rc::Rc;

use super::Coordinator;
use super::state::{self, RunState};
use crate::bus::HandlerError;
use crate::defect::Defect;
use crate::domain_event::TaskSwitched;
use crate::message::{CommandRejected, Field, Message, Name, Payload, Priority, Raised, Topic};

/// Why a command was not carried out.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    /// A field is not what the command needs.
    #[error(transparent)]
    Raised(#[from] Raised),
    /// The command is none that is known.
    #[error("unknown command")]
    Unknown,
    /// The command names a task that does not exist.
    #[error("unknown task")]
    UnknownTask,
    /// Clearing a halt needs a name and a reason.
    #[error("clear_halt needs an operator and a reason")]
    Unsigned,
}

impl Coordinator {
    /// Carries out a command. One that cannot be carried out becomes an alert; with the defect, an
    /// error of the handler where a field is malformed, and nothing at all where it is unknown.
    pub(super) async fn on_command(
        self: Rc<Self>,
        message: Rc<Message>,
    ) -> Result<(), HandlerError> {
        let payload = &message.payload;
        let Err(error) = self.obey(payload).await else {
            return Ok(());
        };
        if self.raises_on_bad_input() {
            return match error {
                CommandError::Raised(raised) => Err(raised.into()),
                CommandError::Unknown | CommandError::UnknownTask | CommandError::Unsigned => {
                    Ok(())
                }
            };
        }
        let command = payload.field("command").text().unwrap_or("").into();
        let rejected = CommandRejected {
            command,
            reason: Name::from(error.to_string()),
        };
        self.publish(Topic::RiskAlerts, rejected, Priority::Normal)
            .await;
        Ok(())
    }

    async fn obey(self: &Rc<Self>, payload: &Payload) -> Result<(), CommandError> {
        let params = payload.field("params");
        match payload.field("command").text() {
            Some("pause") => self.pause("pause").await,
            Some("resume") => self.resume("resume").await,
            Some("halt") => self.enter(RunState::Halted, "halt"),
            Some("clear_halt") => self.clear_halt(params)?,
            Some("enable_task") => self.set_enabled(params, true)?,
            Some("disable_task") => self.set_enabled(params, false)?,
            Some("force_run") => self.force_run(params).await?,
            _ => return Err(CommandError::Unknown),
        }
        Ok(())
    }

    /// An operator says that the reason of a halt is gone: HALTED becomes PAUSED.
    fn clear_halt(&self, params: Field<'_>) -> Result<(), CommandError> {
        if state::is_lifted_by_pause(self.defects) {
            return Err(CommandError::Unknown);
        }
        let said = |name: &str| params.get(name).text().is_some_and(|text| !text.is_empty());
        if !said("operator") || !said("reason") {
            return Err(CommandError::Unsigned);
        }
        self.enter(self.state.get().cleared(self.defects), "clear_halt");
        Ok(())
    }

    fn set_enabled(&self, params: Field<'_>, enabled: bool) -> Result<(), CommandError> {
        let at = self.task_named(params)?;
        self.switch_task(at, enabled);
        Ok(())
    }

    /// Enables or disables the task at a place of the table.
    pub fn switch_task(&self, at: usize, enabled: bool) {
        let task = {
            let mut timetable = self.timetable.borrow_mut();
            let task = timetable.task_mut(at);
            task.enabled = enabled;
            task.name.clone()
        };
        self.ctx.emit(TaskSwitched { task, enabled });
        self.nudge();
    }

    /// Runs a task for one symbol now. It keeps to the same limits as any run; with the defect it
    /// has no time limit, and may run beside a scheduled run of the same task.
    async fn force_run(self: &Rc<Self>, params: Field<'_>) -> Result<(), CommandError> {
        let at = self.task_named(params)?;
        let symbol: Name = params.get("symbol").text().unwrap_or_default().into();
        Ok(self.force(at, symbol).await?)
    }

    /// Runs a task for one symbol now, because somebody asked for it directly.
    ///
    /// # Errors
    /// What the run raises, where nothing guards it; if there is no such task.
    pub async fn force_task(self: &Rc<Self>, task: &str, symbol: Name) -> Result<(), String> {
        let at = self.timetable.borrow().find(task);
        let at = at.ok_or_else(|| format!("there is no task {task}"))?;
        self.force(at, symbol)
            .await
            .map_err(|raised| raised.to_string())
    }

    async fn force(self: &Rc<Self>, at: usize, symbol: Name) -> Result<(), Raised> {
        if self.defects.has(Defect::ForceRunBypassesGuards) {
            return self.run_unguarded(at, symbol).await;
        }
        let running = self.timetable.borrow().tasks()[at].running;
        if !running {
            // From here on, and not from when the task below gets its turn: nothing else may begin it.
            self.begin_task(at);
            let me = Rc::clone(self);
            drop(self.ctx.spawn_daemon("forced run", async move {
                me.run_forced(at, symbol).await;
            }));
        }
        Ok(())
    }

    fn task_named(&self, params: Field<'_>) -> Result<usize, CommandError> {
        if matches!(params, Field::Null) {
            return Err(Raised::Type.into());
        }
        let name = params.get("task_name").text().unwrap_or_default();
        self.timetable
            .borrow()
            .find(name)
            .ok_or(CommandError::UnknownTask)
    }
}
