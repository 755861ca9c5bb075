//! Waiting for a service that was asked too often: as long as it asks for, within what somebody allows.

use std::rc::Rc;
use std::time::Duration;

use dacapo_kernel::Heard;

use crate::interrupt::Interrupts;
use crate::screen::Screen;
use crate::text::{counted, grouped};

/// The longest rest without a look at whether somebody wants to end it.
const REST: Duration = Duration::from_millis(100);

/// The shortest wait, also where a service wants to be asked again at once: so there is an end to it.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long may be waited in all, and was.
pub(super) struct Patience<'a> {
    rest: Rc<dyn Fn(Duration) + 'a>,
    most: Duration,
    waited: Waited,
}

/// How often and how long was waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Waited {
    pub(super) times: u64,
    pub(super) span: Duration,
    /// How often it would have taken longer than was allowed.
    pub(super) given_up: u64,
}

impl<'a> Patience<'a> {
    /// At most so long in all.
    pub(super) fn new(most: Duration, screen: &Screen<'a>) -> Patience<'a> {
        Patience {
            rest: screen.rest(),
            most,
            waited: Waited::default(),
        }
    }

    /// How long to wait before the same is asked again; none if this is a reply, or the wait would be too long.
    pub(super) fn wanted(&mut self, heard: &Heard) -> Option<Duration> {
        let wanted = Duration::from_secs(heard.retry_after_s?).max(SHORTEST);
        let left = self.most.saturating_sub(self.waited.span);
        if wanted > left {
            self.waited.given_up += 1;
            return None;
        }
        Some(wanted)
    }

    /// Waits and says how long it still is; false if somebody interrupted that.
    pub(super) fn wait(
        &mut self,
        wanted: Duration,
        interrupts: &Interrupts,
        mut says: impl FnMut(Duration),
    ) -> bool {
        self.waited.times += 1;
        let mut left = wanted;
        while !left.is_zero() {
            if interrupts.any() {
                return false;
            }
            says(left);
            let rest = left.min(REST);
            (self.rest)(rest);
            left -= rest;
            self.waited.span += rest;
        }
        true
    }

    pub(super) fn waited(&self) -> Waited {
        self.waited
    }
}

impl Waited {
    /// In words; none if nobody asked for patience.
    pub(super) fn told(&self) -> Option<String> {
        let times = counted(self.times, "time", "times");
        (self.times > 0).then(|| {
            format!(
                "asked again {times}, after waits of {} in all that services asked for",
                seconds(self.span)
            )
        })
    }
}

/// A wait in whole seconds.
pub(super) fn seconds(span: Duration) -> String {
    let seconds = span.as_millis().div_ceil(1_000);
    format!("{} s", grouped(u64::try_from(seconds).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::Console;

    // Fails if a service that wants to be asked again at once is asked for ever.
    #[test]
    fn there_is_an_end_to_patience() {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let console = Console::captured(&mut out, &mut err);
        let mut patience = Patience {
            rest: Rc::clone(&console.rest),
            most: Duration::from_millis(2_500),
            waited: Waited::default(),
        };
        let interrupts = Interrupts::none();
        let at_once = Heard {
            retry_after_s: Some(0),
            ..Heard::default()
        };
        for _ in 0..2 {
            let wanted = patience.wanted(&at_once).expect("there is some left");
            assert!(patience.wait(wanted, &interrupts, |_| {}));
        }
        assert_eq!(patience.wanted(&at_once), None);
        assert_eq!(patience.wanted(&Heard::default()), None);
        let expected = Waited {
            times: 2,
            span: Duration::from_secs(2),
            given_up: 1,
        };
        assert_eq!(patience.waited(), expected);
        assert_eq!((console.elapsed)(), Duration::from_secs(2));
    }
}
