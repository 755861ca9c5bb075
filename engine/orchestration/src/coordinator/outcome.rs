//! Counting successes and failures, and announcing the level that follows from them.

use std::rc::Rc;

use super::Coordinator;
use super::degradation::{Dependency, FailureCounts, LevelMove};
use crate::domain_event::{Counted, OutcomeCounted};
use crate::message::DegradationLevel;

impl Coordinator {
    /// Counts one outcome. If the level moves, that is announced by a step of its own, after
    /// whatever else this step does, with the counts as they are then.
    ///
    /// A success while no failure counts changes nothing, and leaves no trace.
    pub(super) fn count_outcome(self: &Rc<Self>, outcome: Counted) {
        let before = self.degradation.borrow().counts();
        let moved = {
            let mut degradation = self.degradation.borrow_mut();
            match outcome {
                Counted::LlmFailure => degradation.record_failure(Dependency::LanguageModel),
                Counted::LlmSuccess => degradation.record_success(Dependency::LanguageModel),
                Counted::ApiFailure => degradation.record_failure(Dependency::Api),
                Counted::ApiSuccess => degradation.record_success(Dependency::Api),
            }
        };
        let counts = self.degradation.borrow().counts();
        if before == FailureCounts::default() && counts == before {
            return;
        }
        self.ctx.emit(OutcomeCounted {
            outcome,
            llm_failures: counts.llm_failures,
            api_failures: counts.api_failures,
            level: self.level(),
        });
        if let Some(moved) = moved {
            let announcement = Rc::clone(self).announce(moved);
            drop(self.ctx.spawn_daemon("announce level", announcement));
            self.level_moved.notify(&self.ctx);
        }
    }

    /// The degradation level.
    pub(super) fn level(&self) -> DegradationLevel {
        self.degradation.borrow().level()
    }

    async fn announce(self: Rc<Self>, moved: LevelMove) {
        let draft = self.degradation.borrow().announcement(moved);
        let published = self.bus.publish(&self.ctx, draft).await;
        published.expect("the coordinator names itself as the source and keeps the default life");
    }
}
