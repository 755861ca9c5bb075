//! How the values of options are read.

use std::time::Duration;

use dacapo_lab::Moment;

/// A seed, decimal or `0x…`; `_` may part its digits.
pub(crate) fn seed(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let parsed = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    parsed.map_err(|error| format!("expected a number such as 42 or 0x5eed42: {error}"))
}

/// A span of wall time with its unit; a plain number is of seconds.
pub(crate) fn wall_time(text: &str) -> Result<Duration, String> {
    match text.parse::<Moment>() {
        Ok(Moment::Time(time)) => Ok(Duration::from_nanos(time.as_nanos())),
        Ok(Moment::Event(seconds)) => Ok(Duration::from_secs(seconds.0)),
        Err(_) => Err("expected a time such as 60s, 10m or 1h".to_owned()),
    }
}

/// A key and its value.
pub(crate) fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE, such as topic=mail".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_decimal_or_hexadecimal() {
        assert_eq!(seed("42"), Ok(42));
        assert_eq!(seed("0x5eed42"), Ok(0x005e_ed42));
        assert!(seed("-1").is_err());
        assert!(seed("").is_err());
    }
}
