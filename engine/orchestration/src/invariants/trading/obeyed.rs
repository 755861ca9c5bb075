//! `command.obeyed`: what an operator orders is done at once.

use std::collections::BTreeMap;

use dacapo_kernel::{Event, Invariant, Time, number as kernel};

use crate::coordinator::state::RunState;
use crate::domain_event::{
    Delivered, DomainEvent, OutsideAction, Published, TaskOutcome, TaskRunStarted, number,
};
use crate::message::{Name, Payload, Topic};

/// How the coordinator is called on the bus.
const COORDINATOR: &str = "coordinator";

/// What a command asks for.
#[derive(Clone, Debug, PartialEq)]
enum Order {
    /// A state, unless the coordinator is halted and the command does not lift that.
    Enter(RunState),
    /// A halt is lifted: whoever asks for it has signed it.
    Clear,
    /// A task is switched on or off.
    Switch(Name, bool),
    /// A task is run, for a symbol.
    Run(Name, Name),
}

impl Order {
    fn read(payload: &Payload) -> Option<Order> {
        let params = payload.field("params");
        let said = |name: &str| {
            let text = params.get(name).text().map(str::to_owned);
            text.filter(|text| !text.is_empty())
        };
        Some(match payload.field("command").text()? {
            "pause" => Order::Enter(RunState::Paused),
            "resume" => Order::Enter(RunState::Running),
            "halt" => Order::Enter(RunState::Halted),
            "clear_halt" => {
                said("operator").and(said("reason"))?;
                Order::Clear
            }
            "enable_task" => Order::Switch(said("task_name")?.into(), true),
            "disable_task" => Order::Switch(said("task_name")?.into(), false),
            "force_run" => {
                let symbol = said("symbol").unwrap_or_default();
                Order::Run(said("task_name")?.into(), symbol.into())
            }
            _ => return None,
        })
    }

    /// What is missing, in words.
    fn told(&self) -> String {
        match self {
            Order::Enter(state) => format!("the coordinator to be {state} when a command says so"),
            Order::Clear => "a halt to be lifted when a command says so".to_owned(),
            Order::Switch(task, true) => format!("{task} to be enabled by a command"),
            Order::Switch(task, false) => format!("{task} to be disabled by a command"),
            Order::Run(task, _) => format!("{task} to be run by a command"),
        }
    }
}

/// A command that reaches the coordinator has its effect before time goes on.
#[derive(Default)]
pub(super) struct Obeyed {
    /// The commands on the bus, by the number of their message.
    ordered: BTreeMap<u64, Order>,
    /// What has reached the coordinator at this instant and was not done yet.
    open: Vec<(Time, Order)>,
    /// The tasks that there are, as far as anybody has seen them run.
    known: Vec<Name>,
    /// The tasks that run by the schedule, from their first run to the end of their last: what is due
    /// besides may wait for them.
    scheduled: Vec<Name>,
    /// The tasks that run because somebody asked for it, and when one was done.
    forced: Vec<(Name, Option<Time>)>,
    state: Option<RunState>,
    /// The runs that somebody asked for at this instant: when, of which task, for which symbol.
    asked: Vec<(Time, Name, Name)>,
    /// What commands said that have reached the coordinator at this instant.
    said: Vec<(Time, Order)>,
    /// It was told to stop, and owes nothing more.
    stopped: bool,
}

impl Obeyed {
    fn pass(&mut self, now: Time) -> Result<(), String> {
        match self.open.iter().find(|(since, _)| *since < now) {
            Some((_, order)) => Err(format!("expected {}, found nothing done", order.told())),
            None => Ok(()),
        }
    }

    fn publish(&mut self, published: &Published) {
        let message = &published.message;
        if message.topic == Topic::CoordinatorCommands
            && let Some(order) = Order::read(&message.payload)
        {
            self.ordered.insert(message.id.as_number(), order);
        }
    }

    fn deliver(&mut self, delivered: &Delivered, now: Time) {
        if delivered.subscriber.as_str() != COORDINATOR {
            return;
        }
        let Some(order) = self.ordered.remove(&delivered.message) else {
            return;
        };
        if let Order::Run(task, symbol) = &order {
            self.ask(now, task, symbol);
        }
        self.said.retain(|(at, _)| *at == now);
        self.said.push((now, order.clone()));
        if !self.stopped && !self.is_done(&order) {
            self.open.push((now, order));
        }
    }

    /// What only a command brings about came of one.
    fn was_said(&self, order: &Order, now: Time) -> Result<(), String> {
        if self
            .said
            .iter()
            .any(|(at, said)| *at == now && said == order)
        {
            return Ok(());
        }
        Err(format!("expected {} alone, found none", order.told()))
    }

    /// Whether there is nothing to do.
    fn is_done(&self, order: &Order) -> bool {
        let state = self.state.unwrap_or(RunState::Running);
        match order {
            Order::Enter(wanted) => state == *wanted || state == RunState::Halted,
            Order::Clear => state != RunState::Halted,
            // A task that nobody knows becomes an alert.
            Order::Switch(task, _) => !self.known.contains(task),
            // One that runs, or waits for others to end, is not run again beside.
            Order::Run(task, _) => {
                let is_idle = self.scheduled.is_empty() && !self.is_forced(task);
                !self.known.contains(task) || !is_idle || state == RunState::Halted
            }
        }
    }

    fn ask(&mut self, now: Time, task: &Name, symbol: &Name) {
        self.asked.retain(|(at, ..)| *at == now);
        self.asked.push((now, task.clone(), symbol.clone()));
    }

    /// A run that somebody asked for is for the symbol that it was asked for.
    fn is_asked_for(&self, run: &TaskRunStarted, now: Time) -> Result<(), String> {
        let asked = self.asked.iter();
        let mut asked = asked
            .filter(|(at, task, _)| *at == now && *task == run.task)
            .peekable();
        let is_none = asked.peek().is_none();
        if is_none || asked.any(|(_, _, symbol)| *symbol == run.symbol) {
            return Ok(());
        }
        Err(format!(
            "expected {} to be run for what it was asked for, found it run for {}",
            run.task, run.symbol
        ))
    }

    fn is_forced(&self, task: &Name) -> bool {
        self.forced.iter().any(|(forced, _)| forced == task)
    }

    fn done(&mut self, is_done: impl Fn(&Order) -> bool) {
        self.open.retain(|(_, order)| !is_done(order));
    }
}

impl Invariant<DomainEvent> for Obeyed {
    fn id(&self) -> &'static str {
        "command.obeyed"
    }

    fn statement(&self) -> &'static str {
        "a command that reaches the coordinator has its effect before time goes on, and nothing else lifts a halt or \
         switches a task"
    }

    fn watches(&self) -> &'static [u16] {
        &[
            kernel::HostCrashed,
            kernel::TaskCrashed,
            number::Started,
            number::Published,
            number::Delivered,
            number::HandlerFailed,
            number::StateChanged,
            number::TaskSwitched,
            number::TaskRunStarted,
            number::TaskRunEnded,
            number::TaskFinished,
            number::OutsideActed,
        ]
    }

    fn needs(&self) -> &'static [&'static [u16]] {
        &[&[number::Delivered]]
    }

    fn observe(&mut self, event: &Event<DomainEvent>) -> Result<(), String> {
        self.pass(event.time)?;
        let is_over = |done: Option<Time>| done.is_some_and(|done| done < event.time);
        self.forced.retain(|(_, done)| !is_over(*done));
        match event.domain() {
            Some(DomainEvent::Published(it)) => self.publish(it),
            Some(DomainEvent::Delivered(it)) => self.deliver(it, event.time),
            Some(DomainEvent::StateChanged(it)) => {
                self.state = Some(it.to);
                // A restart tells the same reason again, and lifts nothing.
                if it.from == RunState::Halted && it.by == *"clear_halt" {
                    self.was_said(&Order::Clear, event.time)?;
                }
                // Where it goes from there, others may have decided at the same instant.
                self.done(|order| matches!(order, Order::Enter(_) | Order::Clear));
            }
            Some(DomainEvent::TaskSwitched(it)) => {
                let switch = Order::Switch(it.task.clone(), it.enabled);
                self.was_said(&switch, event.time)?;
                self.done(|order| *order == switch);
            }
            Some(DomainEvent::TaskRunStarted(it)) => {
                if !self.known.contains(&it.task) {
                    self.known.push(it.task.clone());
                }
                if it.forced {
                    self.is_asked_for(it, event.time)?;
                    self.forced.retain(|(task, _)| *task != it.task);
                    self.forced.push((it.task.clone(), None));
                } else if !self.scheduled.contains(&it.task) {
                    self.scheduled.push(it.task.clone());
                }
                // A look at the schedule, or another order, that came at this instant may be first.
                self.done(
                    |order| matches!(order, Order::Run(task, _) if !it.forced || *task == it.task),
                );
            }
            Some(DomainEvent::TaskRunEnded(it)) => {
                // Whoever fails tells everybody of it before it is over, however long that takes.
                if it.outcome == TaskOutcome::Done
                    && let Some(run) = self.forced.iter_mut().find(|(task, _)| *task == it.task)
                {
                    run.1 = Some(event.time);
                }
            }
            Some(DomainEvent::TaskFinished(it)) => self.scheduled.retain(|task| *task != it.task),
            Some(DomainEvent::OutsideActed(it)) if matches!(it.action, OutsideAction::Stop) => {
                self.open.clear();
                self.stopped = true;
            }
            Some(DomainEvent::OutsideActed(it)) => {
                if let OutsideAction::ForceRun(run) = &it.action {
                    self.ask(event.time, &run.task, &run.symbol);
                }
            }
            Some(DomainEvent::Started(_)) => {
                self.open.clear();
                self.scheduled.clear();
                self.forced.clear();
                self.state = None;
                self.stopped = false;
            }
            // Whoever is cut off, or fails, owes nothing.
            _ => self.open.clear(),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::plant::{changed, published};
    use super::*;
    use crate::domain_event::{HandlerFailed, TaskSwitched};
    use crate::invariants::planted::Planted;

    const COMMANDS: Topic = Topic::CoordinatorCommands;

    fn run(forced: bool) -> TaskRunStarted {
        TaskRunStarted {
            task: "report".into(),
            symbol: "BTC/USDT".into(),
            forced,
        }
    }

    /// A task has been seen to run, and then a command reaches the coordinator.
    fn told(command: serde_json::Value) -> Planted {
        Planted::of(Obeyed::default())
            .then(run(false))
            .then(crate::domain_event::TaskRunEnded {
                task: "report".into(),
                symbol: "BTC/USDT".into(),
                outcome: TaskOutcome::Done,
            })
            .then(crate::domain_event::TaskFinished {
                task: "report".into(),
            })
            .at(1.0)
            .then(published(1, COMMANDS, 1, command))
            .then(Delivered {
                message: 1,
                subscriber: COORDINATOR.into(),
                label: None,
                under_lock: false,
            })
    }

    /// Time goes on, and something happens that has nothing to do with it.
    fn later(log: Planted) -> Planted {
        log.at(2.0)
            .then(published(2, Topic::TaSignals, 2, json!({})))
    }

    #[test]
    fn a_command_without_effect_is_found() {
        let params = json!({"task_name": "report", "symbol": "BTC/USDT"});
        for (command, done) in [
            ("pause", "to be paused"),
            ("enable_task", "to be enabled"),
            ("disable_task", "to be disabled"),
            ("force_run", "to be run"),
        ] {
            let told = told(json!({"command": command, "params": params}));
            let what = later(told).violated();
            assert!(what.contains(done), "{what}");
        }
        let halted = Planted::of(Obeyed::default()).then(changed(
            RunState::Running,
            RunState::Halted,
            "halt",
        ));
        let signed = json!({"operator": "one", "reason": "done"});
        let cleared = halted
            .then(published(
                1,
                COMMANDS,
                0,
                json!({"command": "clear_halt", "params": signed}),
            ))
            .then(Delivered {
                message: 1,
                subscriber: COORDINATOR.into(),
                label: None,
                under_lock: false,
            });
        assert!(later(cleared).violated().contains("a halt to be lifted"));
    }

    // Fails if anything but a command that says who and why may lift a halt, or anything but its own command switch a task.
    #[test]
    fn what_no_command_says_is_found() {
        let cleared = || changed(RunState::Halted, RunState::Paused, "clear_halt");
        let clear =
            |params| told(json!({"command": "clear_halt", "params": params})).then(cleared());
        clear(json!({"operator": "one", "reason": "done"})).holds();
        for unsigned in [
            json!({"operator": "one"}),
            json!({"reason": "done"}),
            json!({"operator": "", "reason": "done"}),
        ] {
            let what = clear(unsigned).violated();
            assert!(what.contains("a halt to be lifted"), "{what}");
        }
        let signed = json!({"operator": "one", "reason": "done"});
        let late = later(told(json!({"command": "clear_halt", "params": signed})).then(cleared()));
        late.then(cleared()).violated();
        let off = TaskSwitched {
            task: "report".into(),
            enabled: false,
        };
        let enable = told(json!({"command": "enable_task", "params": {"task_name": "report"}}));
        let what = enable.then(off).violated();
        assert!(what.contains("report to be disabled"), "{what}");
    }

    #[test]
    fn a_command_that_is_done_or_cannot_be_is_fine() {
        let pause = told(json!({"command": "pause"}));
        later(pause.then(changed(RunState::Running, RunState::Paused, "pause"))).holds();
        let resume = told(json!({"command": "resume"}));
        later(resume).holds();
        let params = json!({"task_name": "report", "symbol": "BTC/USDT"});
        let disable = told(json!({"command": "disable_task", "params": params}));
        let switched = TaskSwitched {
            task: "report".into(),
            enabled: false,
        };
        later(disable.then(switched)).holds();
        let force = || told(json!({"command": "force_run", "params": params}));
        later(force().then(run(true))).holds();
        // The schedule was about to run it.
        later(force().then(run(false))).holds();
        let failed = HandlerFailed {
            message: 1,
            subscriber: COORDINATOR.into(),
            label: None,
            error: "it fails".to_owned(),
        };
        later(force().then(failed)).holds();
        let unknown = json!({"task_name": "nothing", "symbol": "BTC/USDT"});
        later(told(json!({"command": "force_run", "params": unknown}))).holds();
        later(told(json!({"command": "dance"}))).holds();
    }

    // Fails if a command may run a task for another symbol than it says.
    #[test]
    fn a_run_is_for_its_symbol() {
        let of = |symbol: &str| {
            let params = json!({"task_name": "report", "symbol": symbol});
            told(json!({"command": "force_run", "params": params})).then(run(true))
        };
        of("BTC/USDT").holds();
        let found = of("XRP/USDT").violated();
        assert!(found.contains("for what it was asked for"), "{found}");
    }
}
