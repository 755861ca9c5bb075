//! Where a run ends or is cut, looked at after each event: its budgets, and the crashes planned for an event.

use super::State;
use crate::event::FIRST_DOMAIN_KIND;
use crate::id::{ActorId, Seq};
use crate::journal::Journal;
use crate::log::Head;
use crate::system::System;
use crate::verdict::{Budget, Verdict};

impl<S: System> State<S> {
    /// What follows from the fact that an event is in the log.
    #[inline]
    pub(super) fn bound(&mut self, seq: Seq, actor: ActorId, head: Head) {
        if head.time != self.instant {
            self.instant = head.time;
            self.instant_from = seq;
            self.plan_ahead();
        }
        if head.kind >= FIRST_DOMAIN_KIND {
            self.last_progress = head.time;
        }
        if self.next_seq >= self.special {
            self.specially(seq);
        }
        if let Journal::Verify(verifier) = &mut self.journal
            && let Some(cut) = verifier.abrupt_crash()
        {
            self.strike(cut, true);
        }
        if self.guide.is_some() {
            self.cut_as_recorded(actor, head.kind);
        }
    }

    /// A budget is used up, or the plan has a host crash right after this event.
    #[cold]
    fn specially(&mut self, seq: Seq) {
        if self.next_seq >= self.budgets.events {
            self.end_with(Verdict::Exhausted(Budget::Events(self.budgets.events)));
        }
        if self.next_seq - self.instant_from.0 > self.budgets.events_at_one_instant {
            self.too_much_at_once();
        }
        let due = self.cut_at.pop_if(|(at, _)| *at <= seq);
        self.plan_ahead();
        if let Some((_, cut)) = due.filter(|_| !self.doors.is_quiet(self.now)) {
            self.strike(cut, true);
        }
    }

    /// Notes at which sequence number something is planned or used up next.
    #[inline]
    pub(crate) fn plan_ahead(&mut self) {
        let most = self.budgets.events_at_one_instant;
        let at_once = self.instant_from.0.saturating_add(most).saturating_add(1);
        let next_cut = self.cut_at.last().map_or(u64::MAX, |(seq, _)| seq.0 + 1);
        self.special = self.budgets.events.min(at_once).min(next_cut);
    }

    #[cold]
    pub(crate) fn too_much_at_once(&mut self) {
        let most = self.budgets.events_at_one_instant;
        self.end_with(Verdict::Exhausted(Budget::EventsAtOneInstant(most)));
    }
}
