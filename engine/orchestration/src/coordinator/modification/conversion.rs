//! Numbers as the simulated code converts them: from numbers, truth values and texts.

use crate::coordinator::reply::Loose;
use crate::message::Raised;

/// The zeros of the decimal digits that the original's texts may use, beside those of ASCII. The
/// other nine of each kind follow their zero.
const ZEROS: [u32; 65] = [
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6,
    0xe50, 0xed0, 0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50,
    0x1bb0, 0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10,
    0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650,
    0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60, 0x16ac0, 0x16b50,
    0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];

/// To a number with a fraction.
///
/// # Errors
///
/// A type error for what is neither number, truth value nor text; a value error for a text that is
/// not a number; an overflow for a whole number beyond the range.
pub(super) fn float(value: &Loose) -> Result<f64, Raised> {
    match value {
        Loose::Bool(truth) => Ok(f64::from(u8::from(*truth))),
        Loose::Int(number) => Ok(*number as f64),
        Loose::Float(number) => Ok(*number),
        Loose::BigInt(digits) => match digits.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(Raised::Overflow),
        },
        Loose::Text(text) => plain(text)
            .and_then(|text| text.parse().ok())
            .ok_or(Raised::Value),
        Loose::Null | Loose::List(_) | Loose::Object(_) => Err(Raised::Type),
    }
}

/// To a whole number, cut toward zero; beyond 64 bits it stays at the end of their range.
///
/// # Errors
///
/// As [`float`], and a value error for not-a-number, an overflow for infinities.
pub(super) fn int(value: &Loose) -> Result<i64, Raised> {
    match value {
        Loose::Int(number) => Ok(*number),
        Loose::BigInt(digits) => Ok(beyond(digits)),
        Loose::Float(number) if number.is_nan() => Err(Raised::Value),
        Loose::Float(number) if number.is_infinite() => Err(Raised::Overflow),
        Loose::Float(number) => Ok(*number as i64),
        Loose::Text(text) => whole(text).ok_or(Raised::Value),
        other => float(other).map(|number| number as i64),
    }
}

fn whole(text: &str) -> Option<i64> {
    let text = plain(text)?;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(&text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or_else(|_| beyond(&text)))
}

fn beyond(digits: &str) -> i64 {
    if digits.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    }
}

/// The text without blanks around it, its digits in ASCII, and without single underscores between
/// digits; none if an underscore stands anywhere else.
fn plain(text: &str) -> Option<String> {
    let ascii: Vec<char> = text.trim().chars().map(ascii_digit).collect();
    let is_digit = |place: usize| ascii.get(place).is_some_and(char::is_ascii_digit);
    let mut plain = String::with_capacity(ascii.len());
    for (place, &c) in ascii.iter().enumerate() {
        if c != '_' {
            plain.push(c);
        } else if place == 0 || !is_digit(place - 1) || !is_digit(place + 1) {
            return None;
        }
    }
    Some(plain)
}

fn ascii_digit(c: char) -> char {
    let code = u32::from(c);
    let zero = ZEROS
        .iter()
        .find(|zero| (**zero..**zero + 10).contains(&code));
    zero.and_then(|zero| char::from_digit(code - zero, 10))
        .unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_convert_as_in_the_original() {
        for (text, as_float, as_int) in [
            ("50", Ok(50.0), Ok(50)),
            (" +1_000 ", Ok(1000.0), Ok(1000)),
            ("2.5", Ok(2.5), Err(Raised::Value)),
            ("1e2", Ok(100.0), Err(Raised::Value)),
            ("-Infinity", Ok(f64::NEG_INFINITY), Err(Raised::Value)),
            ("\u{660}.\u{665}", Ok(0.5), Err(Raised::Value)),
            ("\u{663}", Ok(3.0), Ok(3)),
            ("1__0", Err(Raised::Value), Err(Raised::Value)),
            ("1e_5", Err(Raised::Value), Err(Raised::Value)),
            ("1_e5", Err(Raised::Value), Err(Raised::Value)),
            ("_1", Err(Raised::Value), Err(Raised::Value)),
            ("", Err(Raised::Value), Err(Raised::Value)),
            ("lots", Err(Raised::Value), Err(Raised::Value)),
            ("-99999999999999999999", Ok(-1e20), Ok(i64::MIN)),
        ] {
            assert_eq!(float(&text.into()), as_float, "{text}");
            assert_eq!(int(&text.into()), as_int, "{text}");
        }
    }

    #[test]
    fn whole_numbers_of_any_length_convert() {
        let long = Loose::BigInt("9".repeat(400));
        assert_eq!(float(&long), Err(Raised::Overflow));
        assert_eq!(int(&long), Ok(i64::MAX));
        assert_eq!(int(&Loose::Float(-2.9)), Ok(-2));
        assert_eq!(int(&Loose::Bool(true)), Ok(1));
        assert_eq!(int(&Loose::Null), Err(Raised::Type));
    }
}
