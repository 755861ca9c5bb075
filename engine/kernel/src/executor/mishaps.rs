//! What befalls hosts and the wall clock: crashes, recoveries, jumps.

use super::{Cut, State};
use crate::id::{ActorId, HostId, Seq};
use crate::kernel_event::{ClockJumped, HOST_CRASHED, HostCrashed, HostRestarted, TaskEnding};
use crate::system::System;

impl<S: System> State<S> {
    /// Whether something that is planned comes about. A fork has it only where its recording has it,
    /// as far as it follows that.
    pub(crate) fn comes_about(&self, kind: u16) -> bool {
        let guide = self.guide.as_ref();
        guide.is_none_or(|guide| guide.comes_about(Seq(self.next_seq), kind))
    }

    /// A host crashes at this event: from here on its tasks do nothing. They are dropped, and
    /// their calls lost, as soon as the running task is out of the way.
    pub(crate) fn strike(&mut self, cut: Cut, abrupt: bool) {
        let host = cut.host;
        if self.world.down.contains(&host) || !self.comes_about(HOST_CRASHED) {
            return;
        }
        for slot in &mut self.slots {
            if slot.host == host && slot.fate.is_none() {
                slot.fate = Some(TaskEnding::Crashed);
                slot.queued = false;
            }
        }
        let slots = &self.slots;
        self.ready
            .retain(|task| slots[task.slot as usize].host != host);
        if let Some(running) = self.current
            && self.slots[running.slot as usize].host == host
        {
            self.halted = true;
        }
        self.struck.push_back(cut);
        self.append_kernel(ActorId::ENGINE, None, HostCrashed { host, abrupt });
    }

    /// The wall clock jumps.
    pub(crate) fn jump_clock(&mut self, by: i64) {
        let changed = self.guide.as_ref();
        let changed = changed.and_then(|guide| guide.jump(Seq(self.next_seq)));
        let by = changed.unwrap_or(by);
        self.wall_ahead = self.wall_ahead.saturating_add(by);
        self.append_kernel(ActorId::ENGINE, None, ClockJumped { by });
    }

    /// A host comes up again. If the plan has a crash during its recovery, that is now known to
    /// strike after a certain event.
    pub(crate) fn restarted(&mut self, host: HostId) {
        let restarted = self.append_kernel(ActorId::ENGINE, None, HostRestarted { host });
        let mine = |(_, cut): &(u64, Cut)| cut.host == host;
        if let Some(at) = self.cut_recoveries.iter().rposition(mine) {
            let (after, cut) = self.cut_recoveries.remove(at);
            let seq = Seq(restarted.0 + after.max(1));
            let place = self.cut_at.partition_point(|(other, _)| *other > seq);
            self.cut_at.insert(place, (seq, cut));
            self.plan_ahead();
        }
    }
}
