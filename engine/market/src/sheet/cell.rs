//! Numbers in cells, exactly as they are written.

use rust_decimal::Decimal;

use super::SheetProblem;

/// Reads a decimal without any rounding: plain, or with an exponent as data frames write small numbers.
///
/// # Errors
/// An empty cell, text that is no number, more digits than the 28 that are held exactly.
pub fn number(text: &str) -> Result<Decimal, SheetProblem> {
    if let Some(number) = short(text.as_bytes()) {
        return Ok(number);
    }
    if text.is_empty() {
        return Err(SheetProblem::NoValue {
            expected: "a number",
        });
    }
    let exact = match text.split_once(['e', 'E']) {
        None => plain(text),
        Some((mantissa, exponent)) => plain(mantissa).and_then(|mantissa| {
            let exponent = exponent.parse::<i32>().ok()?;
            shifted(mantissa, exponent)
        }),
    };
    exact.ok_or_else(|| SheetProblem::Wrong {
        expected: "a number with a point, without separators, of at most 28 digits".to_owned(),
        value: text.to_owned(),
    })
}

fn plain(text: &str) -> Option<Decimal> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let numeric = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    let fits = unsigned.bytes().all(numeric) && unsigned.bytes().any(|byte| byte.is_ascii_digit());
    fits.then(|| Decimal::from_str_exact(text).ok()).flatten()
}

/// A number as nearly all are: up to 18 digits, which an integer of the machine holds, with a point between
/// two of them or none. Anything else is read at length.
fn short(text: &[u8]) -> Option<Decimal> {
    let (first, last) = (text.first()?, text.last()?);
    if text.len() > 19 || !first.is_ascii_digit() || !last.is_ascii_digit() {
        return None;
    }
    let (mut digits, mut point) = (0_u64, None);
    for (at, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit < 10 {
            // Where this wraps there are too many digits, which is found below.
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
        } else if *byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    let scale = point.map_or(0, |at| text.len() - 1 - at);
    if text.len() - usize::from(point.is_some()) > 18 {
        return None;
    }
    Some(Decimal::new(
        digits.cast_signed(),
        u32::try_from(scale).ok()?,
    ))
}

/// `number × 10^exponent`, if that is held exactly.
fn shifted(number: Decimal, exponent: i32) -> Option<Decimal> {
    let number = number.normalize();
    if number.is_zero() {
        return Some(number);
    }
    let scale = i64::from(number.scale()) - i64::from(exponent);
    if scale >= 0 {
        let scale = u32::try_from(scale).ok()?;
        return Decimal::try_from_i128_with_scale(number.mantissa(), scale).ok();
    }
    let factor = 10i128.checked_pow(u32::try_from(-scale).ok()?)?;
    Decimal::try_from_i128_with_scale(number.mantissa().checked_mul(factor)?, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_what_is_written() {
        for (text, expected) in [
            ("6316", "6316"),
            ("0.05655554", "0.05655554"),
            ("1e-05", "0.00001"),
            ("1.5E+3", "1500"),
            ("-0.5", "-0.5"),
            ("0e99", "0"),
        ] {
            assert_eq!(number(text).unwrap().normalize().to_string(), expected);
        }
    }

    /// Fails where the short way reads another number, or another number of decimals, than the long one.
    #[test]
    fn the_short_way_reads_what_the_long_one_reads() {
        for text in [
            "0",
            "00.10",
            "123456789.012345678",
            "999999999999999999",
            "9223372036854775808",
            "12.",
            ".5",
            "1.2.3",
            "9999999999999999999",
        ] {
            let at_length = Decimal::from_str_exact(text).ok();
            if let Some(number) = short(text.as_bytes()) {
                let at_length = at_length.expect("the long way reads it, too");
                assert_eq!(
                    (number, number.scale()),
                    (at_length, at_length.scale()),
                    "{text}"
                );
            }
        }
        assert!(short(b"123456789.012345678").is_some() && short(b"9999999999999999999").is_none());
    }

    #[test]
    fn what_is_no_exact_number_is_refused() {
        for text in [
            "", "nan", "inf", "1,5", "1.2.3", ".", "1e", "e5", "1e30", "1e-40", "0x10", "+1", "1_0",
        ] {
            assert!(number(text).is_err(), "{text:?}");
        }
        assert!(number(&"9".repeat(30)).is_err());
    }
}
