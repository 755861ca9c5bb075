//! What is left of the inputs of a recording while a run goes by it: each is used once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::recorded::{Anchored, Recorded};
use crate::id::{Seq, Time};
use crate::name::Name;

/// What was not used yet.
pub(super) struct Left {
    /// Bounds and values, by actor and purpose.
    draws: BTreeMap<(Name, Name), VecDeque<(u64, u64)>>,
    /// Calls, by who asked what.
    same: BTreeMap<(Name, u16, Vec<u8>), VecDeque<usize>>,
    /// Calls, by who asked a question of which kind.
    alike: BTreeMap<(Name, u16), VecDeque<usize>>,
    taken: BTreeSet<usize>,
    /// How many choices of this instant were made.
    chosen: (Time, usize),
    struck: BTreeMap<(Name, Name, u64), u64>,
    befallen: BTreeMap<(Name, Name), VecDeque<(Time, u64)>>,
    anchored: Vec<Anchored>,
}

impl Left {
    /// Everything.
    pub(super) fn whole<E>(recorded: &Recorded<E>) -> Left {
        let mut left = Left::after(recorded, None);
        for (at, call) in recorded.calls.iter().enumerate() {
            let alike = left.alike.entry((call.caller.clone(), call.kind));
            alike.or_default().push_back(at);
        }
        left.struck.clone_from(&recorded.struck);
        for (key, all) in &recorded.befallen {
            let all = all.iter().copied().collect();
            left.befallen.insert(key.clone(), all);
        }
        left.anchored.clone_from(&recorded.anchored);
        left
    }

    /// The draws behind an event, and the calls from it on that were answered; of the whole recording,
    /// every call.
    pub(super) fn after<E>(recorded: &Recorded<E>, from: Option<Seq>) -> Left {
        let mut left = Left {
            draws: BTreeMap::new(),
            same: BTreeMap::new(),
            alike: BTreeMap::new(),
            taken: BTreeSet::new(),
            chosen: (Time::ZERO, 0),
            struck: BTreeMap::new(),
            befallen: BTreeMap::new(),
            anchored: Vec::new(),
        };
        for (key, draws) in &recorded.draws {
            let behind = draws.iter().filter(|draw| Some(draw.at) > from);
            let behind = behind.map(|draw| (draw.bound, draw.value));
            left.draws.insert(key.clone(), behind.collect());
        }
        for (at, call) in recorded.calls.iter().enumerate() {
            if from.is_none_or(|from| call.seq >= from && call.answer.is_some()) {
                let key = (call.caller.clone(), call.kind, call.request.clone());
                left.same.entry(key).or_default().push_back(at);
            }
        }
        left
    }

    /// The next draw of an actor for a purpose, if it was below the same bound.
    pub(super) fn draw(&mut self, actor: &str, purpose: &str, bound: u64) -> Option<u64> {
        let key = (Name::from(actor), Name::from(purpose));
        let (recorded, value) = self.draws.get_mut(&key)?.pop_front()?;
        (recorded == bound).then_some(value)
    }

    /// The next call in which the same caller asked the same.
    pub(super) fn same(&mut self, key: &(Name, u16, Vec<u8>)) -> Option<usize> {
        let calls = self.same.get_mut(key)?;
        loop {
            let at = calls.pop_front()?;
            if self.taken.insert(at) {
                return Some(at);
            }
        }
    }

    /// The next call in which the same caller asked something of the same kind at this instant, or at any.
    pub(super) fn alike<E>(
        &mut self,
        recorded: &Recorded<E>,
        key: &(Name, u16),
        now: Time,
    ) -> Option<usize> {
        let calls = self.alike.get_mut(key)?;
        while calls.front().is_some_and(|at| self.taken.contains(at)) {
            calls.pop_front();
        }
        let of_now = |at: &&usize| recorded.calls[**at].made == now && !self.taken.contains(at);
        let at = *calls.iter().find(of_now).or(calls.front())?;
        self.taken.insert(at);
        Some(at)
    }

    /// The next choice of this instant.
    pub(super) fn choose<E>(&mut self, recorded: &Recorded<E>, now: Time) -> Option<usize> {
        if self.chosen.0 != now {
            self.chosen = (now, 0);
        }
        let index = *recorded.choices.get(&now)?.get(self.chosen.1)?;
        self.chosen.1 += 1;
        Some(index as usize)
    }

    /// The value with which a fault struck at a question of an actor.
    pub(super) fn struck(&mut self, actor: &str, door: &str, asked: u64) -> Option<u64> {
        let key = (Name::from(actor), Name::from(door), asked);
        self.struck.remove(&key)
    }

    /// What befell an actor at this instant.
    pub(super) fn befallen(&mut self, actor: &str, door: &str, now: Time) -> Option<u64> {
        let key = (Name::from(actor), Name::from(door));
        let all = self.befallen.get_mut(&key)?;
        while all.front().is_some_and(|(at, _)| *at < now) {
            all.pop_front();
        }
        let (_, value) = all.pop_front_if(|(at, _)| *at == now)?;
        // It is kept among those that struck as well, as one of its first question.
        self.struck.remove(&(key.0, key.1, 0));
        Some(value)
    }

    /// The host that crashed right after this event of an actor, if one did.
    pub(super) fn cut_after(&mut self, actor: &str, kind: u16) -> Option<Anchored> {
        let mut due = None;
        for (at, cut) in self.anchored.iter_mut().enumerate() {
            if cut.kind == kind && *cut.actor == *actor {
                cut.left = cut.left.saturating_sub(1);
                if cut.left == 0 && due.is_none() {
                    due = Some(at);
                }
            }
        }
        Some(self.anchored.remove(due?))
    }

    /// How many inputs nobody asked for, besides the items of feeds.
    pub(super) fn count<E>(&self, recorded: &Recorded<E>) -> u64 {
        let calls = recorded.calls.iter().enumerate();
        let calls = calls.filter(|(at, call)| call.answer.is_some() && !self.taken.contains(at));
        let draws = self.draws.values().map(VecDeque::len).sum::<usize>();
        (calls.count() + draws + self.struck.len() + self.anchored.len()) as u64
    }
}
