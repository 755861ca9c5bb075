//! What varies in a sweep: a key and its values, listed or from one to another by steps.
//!
//! Steps are exact: they are counted in decimals, so 0.5 to 0.8 by 0.05 has 0.65 and not
//! 0.6500000000000001.

use std::str::FromStr;

use super::COMBINATIONS_MAX;

/// A key and the values that it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vary {
    /// As it was written.
    pub key: String,
    values: Vec<String>,
}

/// One value for each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combination {
    /// In the order of the keys.
    pub values: Vec<String>,
}

/// What is wrong with what is to vary.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaryError {
    /// It has no key or no values.
    #[error("expected KEY=A..B, KEY=A..B/STEP or KEY=X,Y,Z, found {0:?}")]
    Shape(String),
    /// A range leads nowhere.
    #[error(
        "expected a range from a number to one that is not smaller, by a step above zero, found {0:?}"
    )]
    Range(String),
    /// A value stands in a list twice.
    #[error("{key} takes the value {value} twice")]
    Twice {
        /// Of which key.
        key: String,
        /// Which value.
        value: String,
    },
    /// A key varies twice.
    #[error("{0} varies twice; give it all its values at once")]
    KeyTwice(String),
    /// There are too many combinations.
    #[error(
        "there are more than {COMBINATIONS_MAX} combinations; take larger steps or fewer values"
    )]
    TooMany,
}

impl Vary {
    /// The values, in order.
    pub fn values(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(String::as_str)
    }

    /// The key as `--set` takes it.
    pub(super) fn set_key(&self) -> &str {
        match self.key.as_str() {
            "seed" => "run.seed",
            key => key,
        }
    }

    /// Whether it is the seed that varies.
    pub fn is_seed(&self) -> bool {
        self.set_key() == "run.seed"
    }

    /// The door for faults whose rate varies, if it is one: `faults.` and the name of a door, where `faults.`
    /// and a number is an entry of the scenario's own faults.
    pub(super) fn door(&self) -> Option<&str> {
        let door = self.key.strip_prefix("faults.")?;
        (!door.starts_with(|c: char| c.is_ascii_digit())).then_some(door)
    }
}

impl FromStr for Vary {
    type Err = VaryError;

    fn from_str(text: &str) -> Result<Vary, VaryError> {
        let shape = || VaryError::Shape(text.to_owned());
        let (key, values) = text.split_once('=').ok_or_else(shape)?;
        let (key, values) = (key.trim(), values.trim());
        if key.is_empty() || values.is_empty() {
            return Err(shape());
        }
        let values = match values.split_once("..") {
            Some((from, rest)) => {
                let (to, step) = rest.split_once('/').unwrap_or((rest, "1"));
                range(from, to, step).unwrap_or_else(|| Err(VaryError::Range(text.to_owned())))?
            }
            None => list(values),
        };
        if values.iter().any(String::is_empty) {
            return Err(shape());
        }
        for (at, value) in values.iter().enumerate() {
            if at < 1_000 && values[..at].contains(value) {
                return Err(VaryError::Twice {
                    key: key.to_owned(),
                    value: value.clone(),
                });
            }
        }
        Ok(Vary {
            key: key.to_owned(),
            values,
        })
    }
}

/// Values between commas. A comma within quotes or brackets belongs to a value.
fn list(text: &str) -> Vec<String> {
    let (mut values, mut depth, mut quote) = (vec![String::new()], 0_i32, None);
    for c in text.chars() {
        match (c, quote) {
            ('"' | '\'', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('[' | '{', None) => depth += 1,
            (']' | '}', None) => depth -= 1,
            (',', None) if depth == 0 => {
                values.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(value) = values.last_mut() {
            value.push(c);
        }
    }
    values.iter().map(|value| value.trim().to_owned()).collect()
}

/// Every value of a range; none if it is no range of numbers.
fn range(from: &str, to: &str, step: &str) -> Option<Result<Vec<String>, VaryError>> {
    let texts = [from, to, step].map(str::trim);
    let places = texts.map(|text| text.split_once('.').map_or(0, |(_, digits)| digits.len()));
    let places = places.into_iter().max().filter(|places| *places <= 18)?;
    let [from, to, step] = texts.map(|text| scaled(text, places));
    let (from, to, step) = (from?, to?, step?);
    if step <= 0 || to < from {
        return None;
    }
    let count = (to - from) / step + 1;
    if count > i128::from(COMBINATIONS_MAX) {
        return Some(Err(VaryError::TooMany));
    }
    let values = (0..count).map(|at| unscaled(from + at * step, places));
    Some(Ok(values.collect()))
}

/// A decimal number in units of its last place.
fn scaled(text: &str, places: usize) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.replace('_', "");
    let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || whole.len() > 18 || !is_number(&whole) || !is_number(part) {
        return None;
    }
    let number: i128 = format!("{whole}{part:0<places$}").parse().ok()?;
    Some(sign * number)
}

fn unscaled(number: i128, places: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", number.unsigned_abs(), width = places + 1);
    let (whole, part) = digits.split_at(digits.len() - places);
    if places == 0 {
        format!("{sign}{whole}")
    } else {
        format!("{sign}{whole}.{part}")
    }
}

/// How many combinations there are.
///
/// # Errors
/// If they are too many, or a key varies twice.
pub fn combinations(vary: &[Vary]) -> Result<u64, VaryError> {
    for (at, one) in vary.iter().enumerate() {
        let same = |other: &&Vary| other.set_key() == one.set_key();
        if vary[..at].iter().any(|other| same(&other)) {
            return Err(VaryError::KeyTwice(one.key.clone()));
        }
    }
    let all = vary.iter().try_fold(1_u64, |all, one| {
        let all = all.checked_mul(one.values.len() as u64)?;
        (all <= COMBINATIONS_MAX).then_some(all)
    });
    all.ok_or(VaryError::TooMany)
}

/// The combination at a place: the last key changes fastest.
pub fn nth(vary: &[Vary], mut at: u64) -> Combination {
    let mut values: Vec<String> = Vec::with_capacity(vary.len());
    for one in vary.iter().rev() {
        let count = one.values.len() as u64;
        values.push(one.values[(at % count) as usize].clone());
        at /= count;
    }
    values.reverse();
    Combination { values }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Result<Vec<String>, VaryError> {
        text.parse().map(|vary: Vary| vary.values)
    }

    fn list_of(texts: &[&str]) -> Result<Vec<String>, VaryError> {
        Ok(texts.iter().map(|text| (*text).to_owned()).collect())
    }

    // Fails if steps are added up as floating-point numbers, or the last value is left out.
    #[test]
    fn a_range_has_both_its_ends_exactly() {
        assert_eq!(
            values("a.b=0.5..0.8/0.05"),
            list_of(&["0.50", "0.55", "0.60", "0.65", "0.70", "0.75", "0.80"])
        );
        assert_eq!(values("seed=8..11"), list_of(&["8", "9", "10", "11"]));
        assert_eq!(values("a=-1..1/0.75"), list_of(&["-1.00", "-0.25", "0.50"]));
        assert_eq!(
            values("a=1_000..3_000/1000"),
            list_of(&["1000", "2000", "3000"])
        );
    }

    // Fails if a comma within a value divides it.
    #[test]
    fn a_list_has_values_of_any_kind() {
        assert_eq!(values("a=x, y,\"z,1\""), list_of(&["x", "y", "\"z,1\""]));
        assert_eq!(values("a=[1,2],[3]"), list_of(&["[1,2]", "[3]"]));
        assert_eq!(values("a=7"), list_of(&["7"]));
    }

    // Fails if what makes no sense, or too much of it, is taken.
    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["a", "=1", "a=", "a=1,,2"] {
            assert_eq!(values(text), Err(VaryError::Shape(text.to_owned())));
        }
        for text in [
            "a=2..1",
            "a=1..2/0",
            "a=1..2/-1",
            "a=x..y",
            "a=1..",
            "a=1e3..2e3",
        ] {
            assert_eq!(
                values(text),
                Err(VaryError::Range(text.to_owned())),
                "{text}"
            );
        }
        assert_eq!(values("a=0..1/0.0000001"), Err(VaryError::TooMany));
        assert!(matches!(values("a=1,1"), Err(VaryError::Twice { .. })));
        let vary = |text: &str| text.parse::<Vary>().unwrap();
        let many = [vary("a=1..2000"), vary("b=1..2000")];
        assert_eq!(combinations(&many), Err(VaryError::TooMany));
        let twice = [vary("seed=1"), vary("run.seed=2")];
        assert_eq!(
            combinations(&twice),
            Err(VaryError::KeyTwice("run.seed".into()))
        );
    }

    // Fails if a combination is left out or comes twice.
    #[test]
    fn every_combination_comes_once() {
        let vary: Vec<Vary> = ["a=1,2", "b=x,y,z"]
            .map(|text| text.parse().unwrap())
            .into();
        let all = combinations(&vary).unwrap();
        let all: Vec<String> = (0..all).map(|at| nth(&vary, at).values.concat()).collect();
        assert_eq!(all, ["1x", "1y", "1z", "2x", "2y", "2z"]);
    }

    // Fails if an entry of the scenario's faults is taken for a door.
    #[test]
    fn a_door_is_named_by_its_name() {
        let door = |text: &str| text.parse::<Vary>().unwrap().door().map(str::to_owned);
        assert_eq!(door("faults.stove.cold=1"), Some("stove.cold".to_owned()));
        assert_eq!(door("faults.0.per_mille=1"), None);
        assert_eq!(door("seed=1"), None);
    }
}
