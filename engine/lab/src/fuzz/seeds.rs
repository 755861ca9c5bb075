//! The seeds of a campaign: a range, or the share of it that one of several machines takes.

use std::fmt;
use std::str::FromStr;

/// Seeds from one up to, and not including, another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub from: u64,
    /// The first that is not one of them.
    pub to: u64,
    /// The share that is run.
    pub shard: Shard,
}

/// One of several shares of the seeds; each seed is in exactly one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// Which, from 1 on.
    pub number: u64,
    /// Of how many.
    pub of: u64,
}

/// What is wrong with a range or a share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SeedsError {
    /// It is no range.
    #[error("expected a range such as 0..1000, or how many seeds")]
    NoRange,
    /// The range is empty.
    #[error("there is no seed from {0} up to, and not including, {1}")]
    Empty(u64, u64),
    /// It is no share.
    #[error("expected a share such as 2/4: the second of four")]
    NoShard,
}

impl Seeds {
    /// The seed at a place among those of the share.
    pub fn nth(&self, index: u64) -> Option<u64> {
        let Shard { number, of } = self.shard;
        let wanted = (number - 1) % of;
        let ahead = (wanted + of - self.from % of) % of;
        let seed = index
            .checked_mul(of)
            .and_then(|by| self.from.checked_add(ahead)?.checked_add(by))?;
        (seed < self.to).then_some(seed)
    }

    /// How many there are in the share.
    pub fn count(&self) -> u64 {
        let Some(first) = self.nth(0) else { return 0 };
        (self.to - 1 - first) / self.shard.of + 1
    }
}

/// A seed, decimal or hexadecimal.
fn seed(text: &str) -> Option<u64> {
    let digits = text.trim().replace(['_', ','], "");
    match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

impl FromStr for Seeds {
    type Err = SeedsError;

    /// `A..B`, or how many from 0 on.
    fn from_str(text: &str) -> Result<Seeds, SeedsError> {
        let (from, to) = match text.split_once("..") {
            Some((from, to)) => (seed(from), seed(to)),
            None => (Some(0), seed(text)),
        };
        let (from, to) = from.zip(to).ok_or(SeedsError::NoRange)?;
        if from >= to {
            return Err(SeedsError::Empty(from, to));
        }
        Ok(Seeds {
            from,
            to,
            shard: Shard::ALL,
        })
    }
}

impl Shard {
    /// The only share: all seeds.
    pub const ALL: Shard = Shard { number: 1, of: 1 };
}

impl FromStr for Shard {
    type Err = SeedsError;

    fn from_str(text: &str) -> Result<Shard, SeedsError> {
        let (number, of) = text.split_once('/').ok_or(SeedsError::NoShard)?;
        let parse = |text: &str| text.trim().parse::<u64>().ok();
        match (parse(number), parse(of)) {
            (Some(number), Some(of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
            _ => Err(SeedsError::NoShard),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(seeds: Seeds) -> Vec<u64> {
        (0..).map_while(|index| seeds.nth(index)).collect()
    }

    #[test]
    fn each_seed_is_in_exactly_one_share() {
        for of in 1..6 {
            let mut seen = Vec::new();
            for number in 1..=of {
                let shard = Shard { number, of };
                let seeds = Seeds {
                    from: 7,
                    to: 40,
                    shard,
                };
                let share = all(seeds);
                assert_eq!(share.len() as u64, seeds.count(), "{shard}");
                assert!(share.iter().all(|seed| seed % of == number - 1));
                seen.extend(share);
            }
            seen.sort_unstable();
            assert_eq!(seen, (7..40).collect::<Vec<u64>>());
        }
    }

    #[test]
    fn a_range_is_two_seeds_or_a_number_of_them() {
        let range = |text: &str| text.parse::<Seeds>().map(|seeds| (seeds.from, seeds.to));
        assert_eq!(range("3..9"), Ok((3, 9)));
        assert_eq!(range("0x10..0x20"), Ok((16, 32)));
        assert_eq!(range("1_000"), Ok((0, 1_000)));
        assert_eq!(range("9..9"), Err(SeedsError::Empty(9, 9)));
        assert_eq!(range("0"), Err(SeedsError::Empty(0, 0)));
        assert_eq!(range("a..b"), Err(SeedsError::NoRange));
        assert_eq!(range("-1"), Err(SeedsError::NoRange));
        assert!(
            ["0/2", "3/2", "1", "a/b", "1/0"]
                .map(Shard::from_str)
                .iter()
                .all(Result::is_err)
        );
    }

    #[test]
    fn the_largest_seeds_are_no_trouble() {
        let seeds = Seeds {
            from: u64::MAX - 3,
            to: u64::MAX,
            shard: Shard { number: 2, of: 2 },
        };
        assert_eq!(all(seeds).len() as u64, seeds.count());
    }
}
