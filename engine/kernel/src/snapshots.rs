//! States along a log, so that any other is near one of them.
//!
//! They follow from the log and from the program that folds it; a log never contains them. They may be kept as text
//! beside it, under the name of both, and thrown away at any time.

use std::marker::PhantomData;
use std::ops::Range;

use crate::id::{Seq, Time};
use crate::replay::Events;
use crate::run::RunError;
use crate::system::System;
use crate::world::World;

/// Every how many events a watch is called.
const WATCH_EVERY: u64 = 65_536;

/// States at every so many events of one log, as far as somebody has been.
pub struct Snapshots<S: System> {
    every: u64,
    /// A line that says what they are of, and a line of JSON for each.
    text: String,
    /// Where each state stands in the text: the first, the second and so on.
    kept: Vec<Range<usize>>,
    grown: bool,
    system: PhantomData<S>,
}

impl<S: System> Snapshots<S> {
    /// No states yet; one is kept at every so many events of what is folded. `of` names the log and the program that
    /// folds it, in one line.
    ///
    /// # Panics
    /// If `every` is zero.
    pub fn every(every: u64, of: &str) -> Snapshots<S> {
        assert!(every > 0, "snapshots lie at least one event apart");
        Snapshots {
            every,
            text: Self::head(every, of),
            kept: Vec::new(),
            grown: false,
            system: PhantomData,
        }
    }

    /// Those that were kept as text; none, if it is of another log, another program, or damaged at its end.
    ///
    /// # Panics
    /// If `every` is zero.
    pub fn read(text: String, every: u64, of: &str) -> Snapshots<S> {
        let none = Self::every(every, of);
        let Some(mut at) = text.starts_with(&none.text).then_some(none.text.len()) else {
            return none;
        };
        let mut kept = Vec::new();
        while let Some(length) = text[at..].find('\n') {
            kept.push(at..at + length);
            at += length + 1;
        }
        if at == text.len() {
            Snapshots { text, kept, ..none }
        } else {
            none
        }
    }

    /// The text to keep, if there is more to keep than was read.
    pub fn news(&self) -> Option<&str> {
        self.grown.then_some(self.text.as_str())
    }

    /// The state after an event, or after the last one if there is no such event: the nearest state before it, and the
    /// events from there on. `watch` sees now and then how far it is.
    ///
    /// # Errors
    /// If the log is damaged before that.
    pub fn seek(
        &mut self,
        events: &mut Events<S::Event>,
        at: Seq,
        mut watch: impl FnMut(Seq, Time),
    ) -> Result<World<S::View>, RunError> {
        let mut world = self.nearest(at);
        events.seek(world.last.map_or(Seq(0), Seq::next))?;
        while world.last < Some(at) {
            let Some(event) = events.next()? else { break };
            world.apply(&event);
            if event.seq.next() == self.next() {
                self.keep(&world);
            }
            if event.seq.0 % WATCH_EVERY == WATCH_EVERY - 1 {
                watch(event.seq, event.time);
            }
        }
        Ok(world)
    }

    fn head(every: u64, of: &str) -> String {
        format!("states of {of}, every {every} events\n")
    }

    /// The number of events after which the next state is to be kept.
    fn next(&self) -> Seq {
        Seq((self.kept.len() as u64 + 1).saturating_mul(self.every))
    }

    /// The last kept state that is not behind an event. What cannot be read is forgotten, with all behind it.
    fn nearest(&mut self, at: Seq) -> World<S::View> {
        let before = at.next().0 / self.every;
        let mut place = usize::try_from(before).map_or(self.kept.len(), |n| n.min(self.kept.len()));
        while place > 0 {
            let last = Seq(place as u64 * self.every - 1);
            let text = &self.text[self.kept[place - 1].clone()];
            match serde_json::from_str::<World<S::View>>(text) {
                Ok(world) if world.last == Some(last) => return world,
                _ => place -= 1,
            }
            let end = self.kept[place].start;
            self.kept.truncate(place);
            self.text.truncate(end);
        }
        World::default()
    }

    /// Keeps a state, unless JSON cannot say it: then there is none of those behind it, either.
    fn keep(&mut self, world: &World<S::View>) {
        if let Ok(state) = serde_json::to_string(world) {
            let start = self.text.len();
            self.text.push_str(&state);
            self.kept.push(start..self.text.len());
            self.text.push('\n');
            self.grown = true;
        }
    }
}
