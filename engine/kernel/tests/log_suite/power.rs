//! Power is lost at every operation, also while recovering; what was not synced is dropped,
//! reordered and torn. Nothing acknowledged is lost, and nothing is misread.
//!
//! Killing a process cannot reveal a missing sync; these tests can. Each sync that a log needs is
//! swallowed in turn, and the loss is noticed.

use dacapo_kernel::log::SyncPolicy;

use crate::disk::{Disk, Flaws, Random, Synced};
use crate::lives::{Promised, begin, broken_promise, broken_promise_of_reading, resume};
use crate::long_form;
use crate::support::{closed, events};

/// `DACAPO_POWER_SEEDS` asks for more.
fn seeds() -> u64 {
    long_form("DACAPO_POWER_SEEDS", 20)
}

/// Loses power at each operation of writing, and for each at each operation of recovering and
/// going on, and then at one more. The first broken promise.
fn lose_power_everywhere(policy: SyncPolicy, seeds: u64, flaws: Flaws) -> Option<String> {
    let written = events(12);
    let how = (policy, None);
    for seed in 0..seeds {
        for first in 1.. {
            let random = &mut Random(0x9E37_79B9_7F4A_7C15 ^ (seed << 32) ^ first);
            let mut promised = Promised::default();
            let disk = Disk::new(Vec::new(), first, flaws);
            let _ = begin(disk.clone(), &written, how, &mut promised);
            let content = disk.after_loss(random);
            let broken = broken_promise(&content, &written, policy, promised);
            if broken.is_some() {
                return broken;
            }
            // The power stayed on for all of it.
            if promised.is_closed {
                break;
            }
            for second in 1.. {
                let mut promised = promised;
                let disk = Disk::new(content.clone(), second, flaws);
                let _ = resume(disk.clone(), &written, how, &mut promised);
                let content = disk.after_loss(random);
                let mut broken = broken_promise(&content, &written, policy, promised);
                if broken.is_none() && !promised.is_closed {
                    let mut promised = promised;
                    let disk = Disk::new(content, 1 + random.below(8), flaws);
                    let _ = resume(disk.clone(), &written, how, &mut promised);
                    broken = broken_promise(&disk.after_loss(random), &written, policy, promised);
                }
                if broken.is_some() {
                    return broken;
                }
                if promised.is_closed || second > 60 {
                    break;
                }
            }
        }
    }
    None
}

const POLICIES: [SyncPolicy; 2] = [SyncPolicy::Every, SyncPolicy::Interval(4)];

#[test]
fn nothing_acknowledged_is_lost() {
    for policy in POLICIES {
        let lost = lose_power_everywhere(policy, seeds(), Flaws::default());
        assert_eq!(lost, None, "{policy:?}");
    }
}

/// The disk takes a few bytes at a time, so that power is lost between any two parts of a block.
#[test]
fn nothing_acknowledged_is_lost_when_writes_are_short() {
    let flaws = Flaws {
        at_most: Some(50),
        ..Flaws::default()
    };
    let lost = lose_power_everywhere(SyncPolicy::Interval(4), seeds().div_ceil(4), flaws);
    assert_eq!(lost, None);
}

/// A disk that swallows a sync is a writer without it. A sync that nothing misses would not be caught.
#[test]
fn each_sync_that_is_left_out_is_noticed() {
    let kinds = [
        Synced::Anything,
        Synced::Header,
        Synced::Block,
        Synced::Footer,
        Synced::EndMark,
        Synced::Recovered,
    ];
    for policy in POLICIES {
        for swallowed in kinds {
            let flaws = Flaws {
                swallows: Some(swallowed),
                ..Flaws::default()
            };
            let noticed =
                kill_first(policy, flaws).or_else(|| lose_power_everywhere(policy, seeds(), flaws));
            assert!(noticed.is_some(), "{policy:?}, {swallowed:?}");
        }
    }
}

/// A process is killed at each operation, another recovers what it left in the cache, and the power
/// is lost at each operation of that. The first broken promise.
fn kill_first(policy: SyncPolicy, flaws: Flaws) -> Option<String> {
    let written = events(12);
    for seed in 1..=seeds() {
        for first in 3..14 {
            let mut promised = Promised::default();
            let disk = Disk::new(Vec::new(), first, flaws);
            let _ = begin(disk.clone(), &written, (policy, None), &mut promised);
            for second in 1..8 {
                let mut promised = promised;
                let disk = disk.after_kill(second);
                let _ = resume(disk.clone(), &written, (policy, None), &mut promised);
                let content = disk.after_loss(&mut Random(seed * 1_000 + first * 10 + second));
                let broken = broken_promise(&content, &written, policy, promised);
                if broken.is_some() {
                    return broken;
                }
            }
        }
    }
    None
}

/// What a killed process left in the cache is durable once it was recovered.
#[test]
fn what_was_recovered_after_a_kill_outlives_a_loss_of_power() {
    for policy in POLICIES {
        assert_eq!(kill_first(policy, Flaws::default()), None, "{policy:?}");
    }
}

/// Several blocks between two syncs: the writer syncs at the end of each, or a lost block in front
/// of one that was kept would look like damage.
#[test]
fn a_full_block_is_synced_before_the_next_is_written() {
    let mut written = events(8);
    for event in &mut written {
        event.body = vec![0x5A; 30_000];
    }
    let policy = SyncPolicy::Interval(1_000);
    assert!(closed(&written, policy).bytes > 200_000);
    for seed in 1..=seeds() {
        for first in 1.. {
            let mut promised = Promised::default();
            let disk = Disk::new(Vec::new(), first, Flaws::default());
            let _ = begin(disk.clone(), &written, (policy, None), &mut promised);
            let content = disk.after_loss(&mut Random(seed * 1_000 + first));
            assert_eq!(broken_promise(&content, &written, policy, promised), None);
            if promised.is_closed {
                break;
            }
        }
    }
}

/// Without a policy nothing is acknowledged but what a sync was asked for. The log may be refused
/// as damaged then; what was acknowledged is still read, and salvaged.
#[test]
fn what_a_sync_was_asked_for_outlives_any_loss_behind_it() {
    let mut written = events(12);
    for event in &mut written {
        event.body = vec![0x5A; 30_000];
    }
    let how = (SyncPolicy::Never, Some(7));
    let mut refused = 0;
    for seed in 1..=seeds() {
        for first in 1.. {
            let mut promised = Promised::default();
            let disk = Disk::new(Vec::new(), first, Flaws::default());
            let _ = begin(disk.clone(), &written, how, &mut promised);
            let content = disk.after_loss(&mut Random(seed * 1_000 + first));
            let broken = broken_promise_of_reading(&content, &written, promised);
            assert_eq!(broken, None, "seed {seed}, operation {first}");
            refused += u32::from(crate::support::read(&content).1.is_err());
            if promised.is_closed {
                break;
            }
        }
    }
    assert!(refused > 0, "the policies would not differ");
}
