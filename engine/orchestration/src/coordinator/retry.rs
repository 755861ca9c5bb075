//! When to try again what the store did not do: after five seconds, doubling to a minute.

use crate::message::{Instant, Span};

const FIRST: Span = Span::from_secs(5);
const LONGEST: Span = Span::from_secs(60);

/// The pauses between the attempts at one thing.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Retry {
    pause: Option<Span>,
    next: Option<Instant>,
}

impl Retry {
    /// Notes that an attempt failed at `now`.
    pub(super) fn failed(&mut self, now: Instant) {
        let pause = self
            .pause
            .map_or(FIRST, |pause| pause.doubled().min(LONGEST));
        *self = Retry {
            pause: Some(pause),
            next: Some(now + pause),
        };
    }

    /// Notes that it is done.
    pub(super) fn done(&mut self) {
        *self = Retry::default();
    }

    /// When the next attempt is due, if one is.
    pub(super) fn next(&self) -> Option<Instant> {
        self.next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pause_doubles_up_to_a_minute_and_starts_anew_when_it_is_done() {
        let (mut retry, mut now) = (Retry::default(), Instant::START);
        let mut pauses = Vec::new();
        for _ in 0..6 {
            retry.failed(now);
            let next = retry.next().expect("an attempt is due after a failed one");
            pauses.push((next - now).as_micros() / 1_000_000);
            now = next;
        }
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        retry.done();
        assert_eq!(retry.next(), None);
        retry.failed(now);
        assert_eq!(retry.next(), Some(now + FIRST));
    }
}
