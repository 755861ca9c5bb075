//! The figures of a recorded log, without running any code.

use dacapo_kernel::log::{Ending, Reader};
use dacapo_kernel::{
    BoxedStorage, Events, Figure, Measured, Plan, RunError, Seq, System, Time, Wanted, World,
    plan_of, with_acts,
};

use crate::pace::now_and_then;

/// The figures of a log.
pub struct Figured<S: System> {
    /// What was planned.
    pub plan: Plan<S::Config>,
    /// What was counted over the whole run.
    pub counts: Vec<Figure>,
    /// What was folded from the events, if the system makes such figures.
    pub measured: Option<Measured>,
    /// Virtual time at the last event.
    pub end: Time,
    /// How the file ends.
    pub ending: Ending,
    /// How many events were read.
    pub events: u64,
    /// Whether the log was closed and its run came to an end.
    pub is_whole: bool,
    /// Whether anything of the system's own happened.
    pub happened: bool,
}

/// Reads a log from its first to its last event and makes its figures.
///
/// # Errors
/// If the log is damaged or of another system.
pub fn figures<S: System>(
    mut reader: Reader<BoxedStorage>,
    wanted: Wanted,
    mut watch: impl FnMut(Seq, Time),
) -> Result<Figured<S>, RunError> {
    let plan = plan_of::<S>(&mut reader)?;
    let ending = reader.ending()?;
    // A run went by the configuration that the acts among its faults made.
    let acted = with_acts::<S>(&plan)?;
    let mut measure = S::measure(acted.as_ref().unwrap_or(&plan), wanted);
    let mut world: World<S::View> = World::default();
    let (mut count, mut happened) = (0, false);
    let mut events = Events::<S::Event>::new(reader);
    events.seek(Seq(0))?;
    while let Some(event) = events.next()? {
        if let Some(measure) = &mut measure {
            measure.observe(&event);
        }
        world.apply(&event);
        count += 1;
        happened |= event.domain().is_some();
        now_and_then(&event, &mut watch);
    }
    Ok(Figured {
        counts: S::figures(&world),
        measured: measure.map(|measure| measure.finish(world.now)),
        end: world.now,
        is_whole: ending.is_closed() && world.verdict.is_some(),
        plan,
        ending,
        events: count,
        happened,
    })
}
