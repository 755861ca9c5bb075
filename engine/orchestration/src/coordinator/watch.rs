//! What the coordinator keeps an eye on beside the schedule: positions, and models that failed.

use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::{Receiver, Time};

use super::Coordinator;
use super::resolution::Which;
use super::state::RunState;
use crate::Orchestration;
use crate::clock::start_us;
use crate::defect::Defect;
use crate::domain_event::Counted;
use crate::exchange::Notice;
use crate::execution::Closed;
use crate::message::{DegradationLevel, Json, Name, PositionClosed, Priority};
use crate::model::PROBE;
use crate::model::ask::Prompt;

/// How often stops and targets are compared with the price.
const POSITION_CHECK: Duration = Duration::from_secs(5);

impl Coordinator {
    /// Announces positions that resting orders open, and those that bars close.
    pub(super) async fn announce_notices(
        self: Rc<Self>,
        mut notices: Receiver<Orchestration, Notice>,
    ) {
        let mut latest = None;
        while let Some(notice) = notices.recv().await {
            let position = match notice {
                Notice::Opened(position) => position,
                Notice::Closed(closed) => {
                    self.announce_closing(&closed).await;
                    continue;
                }
            };
            // Positions are told of in their order: one that is told of again is no new one.
            if latest >= Some(position.id) {
                continue;
            }
            latest = Some(position.id);
            self.feed_risk();
            self.announce_opening(&position).await;
        }
    }

    /// Closes positions at their stops and targets. They are looked at every five seconds from the
    /// start; looks that would find nothing are slept through.
    pub(super) async fn watch_positions(self: Rc<Self>) {
        let started = self.ctx.now();
        loop {
            self.exchange.until_positions_move(&self.ctx).await;
            self.ctx
                .sleep_until(next_check(started, self.ctx.now()))
                .await;
            if self.stopped.get() {
                return;
            }
            for closed in self.exchange.close_due(&self.ctx) {
                self.announce_closing(&closed).await;
            }
        }
    }

    /// Tells the risk engine how a position ended, and then everybody.
    pub(super) async fn announce_closing(&self, closed: &Closed) {
        self.feed_risk();
        let message = PositionClosed {
            position: Json(closed.closed.payload(start_us(&self.ctx))),
            reason: Name::fixed(closed.closed.reason.name()),
        };
        self.publish_as_tracker(message, Priority::High).await;
    }

    /// At LIMITED and EMERGENCY hardly anything is asked, so nothing would ever show that the
    /// models work again: a small call now and then finds out. With `emergency-absorbing`
    /// nobody does.
    pub(super) async fn probe_models(self: Rc<Self>) {
        if self.defects.has(Defect::EmergencyAbsorbing) {
            return;
        }
        let every = Duration::from_secs(self.config.coordinator.probe_interval_seconds.max(1));
        let limit = Duration::from_millis(self.config.conflicts.max_resolution_time_ms);
        loop {
            self.until_degraded().await;
            self.ctx.sleep(every).await;
            if !self.is_degraded() || self.state.get() == RunState::Halted {
                continue;
            }
            let prompt = Prompt::fixed("Answer with the word ready.");
            let probe = self.ask(Which::Primary, PROBE, &prompt);
            let answered = self.ctx.timeout(limit, probe).await;
            let works = matches!(answered, Ok(Ok(_)));
            self.count_outcome(if works {
                Counted::LlmSuccess
            } else {
                Counted::LlmFailure
            });
        }
    }

    fn is_degraded(&self) -> bool {
        matches!(
            self.level(),
            DegradationLevel::Limited | DegradationLevel::Emergency
        )
    }

    async fn until_degraded(&self) {
        while !self.is_degraded() {
            self.level_moved.wait(&self.ctx).await;
        }
    }
}

/// The next multiple of the check interval after `started` that lies after `now`.
fn next_check(started: Time, now: Time) -> Time {
    let step = POSITION_CHECK.as_nanos() as u64;
    let passed = now.since(started).as_nanos() as u64 / step;
    started + Duration::from_nanos(step * (passed + 1))
}
