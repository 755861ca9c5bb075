//! What goes wrong with an agent, as doors of the plan of faults: it is late, fails, panics, or floods the
//! bus.

use std::panic::resume_unwind;
use std::time::Duration;

use dacapo_kernel::FaultKind;

use super::AgentError;
use crate::Ctx;

/// The kinds of trouble.
pub(crate) const KINDS: &[FaultKind] = &[
    FaultKind::door(
        "agent.timeout",
        "an agent takes longer than it may",
        "how long, in percent of its limit",
        100,
        1_000,
        100,
    ),
    FaultKind::door("agent.hung", "an agent never answers", "", 0, 0, 50),
    FaultKind::door(
        "agent.slow",
        "an agent takes its time",
        "how long, in percent of its limit",
        1,
        99,
        200,
    ),
    FaultKind::door(
        "agent.late",
        "an agent answers when it should be asked again",
        "how late, in percent of its interval",
        100,
        200,
        50,
    ),
    FaultKind::door("agent.error", "an agent fails", "", 0, 0, 200),
    FaultKind::door("agent.panic", "an agent panics", "", 0, 0, 50),
    FaultKind::door(
        "agent.storm",
        "an agent says the same many times over",
        "how many times",
        2,
        400,
        20,
    ),
];

/// How long nobody waits: longer than any run.
const FOR_EVER: Duration = Duration::from_secs(10 * 366 * 86_400);

/// Waits, fails or panics as the plan has it; `limit_s` is what the agent may take, `interval_s` how often
/// it is asked.
pub(super) async fn befall(ctx: &Ctx, (limit_s, interval_s): (f64, u64)) -> Result<(), AgentError> {
    if ctx.buggify("agent.hung") {
        ctx.sleep(FOR_EVER).await;
    }
    let of_limit = |percent: u64| Duration::from_secs_f64(limit_s * percent as f64 / 100.0);
    for door in ["agent.slow", "agent.timeout"] {
        if let Some(percent) = ctx.fault(door) {
            ctx.sleep(of_limit(percent)).await;
        }
    }
    if let Some(percent) = ctx.fault("agent.late") {
        let interval = Duration::from_secs(interval_s);
        ctx.sleep(interval * u32::try_from(percent).unwrap_or(100) / 100)
            .await;
    }
    if ctx.buggify("agent.panic") {
        // Without the report of a panic that nobody planned.
        resume_unwind(Box::new("the agent panicked"));
    }
    if ctx.buggify("agent.error") {
        return Err(AgentError("the agent failed".to_owned()));
    }
    Ok(())
}
