//! Draws that prefer neither small nor large: rates, values and instants of faults.

use dacapo_kernel::{FaultKind, Stream, Time};

/// A number from `least` to `most`, all magnitudes equally likely.
pub(super) fn by_magnitude(stream: &mut Stream, least: u64, most: u64) -> u64 {
    let least = least.max(1);
    if least >= most {
        return most.min(least);
    }
    let (low, high) = (least.ilog2(), most.ilog2());
    let octave = low + stream.below(u64::from(high - low) + 1) as u32;
    let from = least.max(1 << octave);
    let to = most.min((1 << octave) | ((1 << octave) - 1));
    from + stream.below(to - from + 1)
}

/// A number from `least` to `most`: any, or any magnitude above the least.
pub(super) fn value(stream: &mut Stream, kind: &FaultKind) -> u64 {
    let span = kind.most.saturating_sub(kind.least);
    match stream.below(2) {
        0 => kind.least + stream.below(span.saturating_add(1)),
        _ if span == 0 => kind.least,
        _ => kind.least + by_magnitude(stream, 1, span),
    }
}

/// The values that a door strikes with: all of them, a part, or only one.
pub(super) fn values(stream: &mut Stream, kind: &FaultKind) -> (u64, u64) {
    let (one, other) = (value(stream, kind), value(stream, kind));
    match stream.below(3) {
        0 => (kind.least, kind.most),
        1 => (one.min(other), one.max(other)),
        _ => (one, one),
    }
}

/// An instant before `end`, in milliseconds, but not the very first one.
pub(super) fn instant(stream: &mut Stream, end: Time) -> Time {
    let millis = end.as_nanos() / 1_000_000;
    Time::from_nanos((1 + stream.below(millis.max(2) - 1)) * 1_000_000)
}

/// How many times, from 1 to `most`, few times rather than many.
pub(super) fn times(stream: &mut Stream, most: u32) -> u32 {
    by_magnitude(stream, 1, u64::from(most.max(1))) as u32
}
