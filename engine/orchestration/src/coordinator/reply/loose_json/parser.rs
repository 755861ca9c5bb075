//! From text to [`Loose`], by recursive descent.
//!
//! What is accepted is what the simulated code's parser accepts; what is stricter about the standard
//! is only noted.

use std::collections::BTreeMap;

use super::{Loose, ParseError, Parsed};

/// How deep strict JSON may be nested.
pub(super) const STRICT_DEPTH: usize = 128;
/// How deep the original's parser goes before it gives up; it shares 1,000 levels with its callers.
pub(super) const MAX_DEPTH: usize = 990;
/// The longest whole number that the original's parser converts, in digits.
pub(super) const MAX_DIGITS: usize = 4_300;

/// Parses a whole text.
pub(super) fn parse(text: &str) -> Result<Parsed, ParseError> {
    let mut parser = Parser {
        text,
        at: 0,
        is_strict: true,
    };
    parser.skip_blanks();
    let value = parser.value(1)?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.syntax());
    }
    Ok(Parsed {
        value,
        is_strict: parser.is_strict,
    })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    is_strict: bool,
}

impl<'a> Parser<'a> {
    fn value(&mut self, depth: usize) -> Result<Loose, ParseError> {
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Loose::Text),
            _ => self.word_or_number(),
        }
    }

    fn object(&mut self, depth: usize) -> Result<Loose, ParseError> {
        self.descend(depth)?;
        let mut fields = BTreeMap::new();
        if self.opens_empty(b'}') {
            return Ok(Loose::Object(fields));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.syntax());
            }
            let key = self.string()?;
            self.skip_blanks();
            self.expect(b':')?;
            self.skip_blanks();
            let value = self.value(depth + 1)?;
            fields.insert(key, value);
            if self.is_last(b'}')? {
                return Ok(Loose::Object(fields));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Loose, ParseError> {
        self.descend(depth)?;
        let mut items = Vec::new();
        if self.opens_empty(b']') {
            return Ok(Loose::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.is_last(b']')? {
                return Ok(Loose::List(items));
            }
        }
    }

    fn descend(&mut self, depth: usize) -> Result<(), ParseError> {
        if depth > MAX_DEPTH {
            return Err(ParseError::TooDeep);
        }
        self.is_strict &= depth <= STRICT_DEPTH;
        Ok(())
    }

    /// Steps past the opening bracket, and past the closing one if that is next.
    fn opens_empty(&mut self, close: u8) -> bool {
        self.at += 1;
        self.skip_blanks();
        let is_empty = self.peek() == Some(close);
        self.at += usize::from(is_empty);
        is_empty
    }

    /// Steps past a comma or the closing bracket; whether it was the latter.
    fn is_last(&mut self, close: u8) -> Result<bool, ParseError> {
        self.skip_blanks();
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(true);
        }
        self.expect(b',')?;
        self.skip_blanks();
        Ok(false)
    }

    fn word_or_number(&mut self) -> Result<Loose, ParseError> {
        for (word, value) in [
            ("null", Loose::Null),
            ("true", Loose::Bool(true)),
            ("false", Loose::Bool(false)),
            ("NaN", Loose::Float(f64::NAN)),
            ("Infinity", Loose::Float(f64::INFINITY)),
            ("-Infinity", Loose::Float(f64::NEG_INFINITY)),
        ] {
            if self.text[self.at..].starts_with(word) {
                self.at += word.len();
                self.is_strict &= !matches!(value, Loose::Float(_));
                return Ok(value);
            }
        }
        self.number()
    }

    fn number(&mut self) -> Result<Loose, ParseError> {
        let start = self.at;
        self.at += usize::from(self.peek() == Some(b'-'));
        let digits_start = self.at;
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else if self.skip_digits() == 0 {
            return Err(self.syntax());
        }
        let digits = self.at - digits_start;
        let is_whole = !(self.fraction() | self.exponent());
        let text = &self.text[start..self.at];
        let float: f64 = text.parse().map_err(|_| self.syntax())?;
        self.is_strict &= float.is_finite();
        if !is_whole {
            return Ok(Loose::Float(float));
        }
        if digits > MAX_DIGITS {
            return Err(ParseError::TooLong);
        }
        Ok(text
            .parse()
            .map_or_else(|_| Loose::BigInt(text.to_owned()), Loose::Int))
    }

    /// Steps past a point and digits, if both are there.
    fn fraction(&mut self) -> bool {
        let before = self.at;
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.skip_digits() > 0 {
                return true;
            }
        }
        self.at = before;
        false
    }

    /// Steps past an exponent, if it has digits.
    fn exponent(&mut self) -> bool {
        let before = self.at;
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.peek(), Some(b'+' | b'-')));
            if self.skip_digits() > 0 {
                return true;
            }
        }
        self.at = before;
        false
    }

    fn string(&mut self) -> Result<String, ParseError> {
        self.at += 1;
        let mut text = String::new();
        loop {
            let rest = &self.text[self.at..];
            let plain = rest.find(|c| matches!(c, '"' | '\\' | '\0'..='\u{1f}'));
            let plain = plain.ok_or_else(|| self.syntax())?;
            text.push_str(&rest[..plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => text.push(self.escape()?),
                _ => return Err(self.syntax()),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ParseError> {
        self.at += 1;
        let escaped = self.peek().ok_or_else(|| self.syntax())?;
        let plain = match escaped {
            b'"' | b'\\' | b'/' => char::from(escaped),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(self.syntax()),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode_escape(&mut self) -> Result<char, ParseError> {
        let high = self.code_unit()?;
        if let Some(plain) = char::from_u32(high) {
            return Ok(plain);
        }
        let before = self.at;
        if (0xd800..0xdc00).contains(&high) && self.text[self.at..].starts_with("\\u") {
            self.at += 1;
            let low = self.code_unit()?;
            if (0xdc00..0xe000).contains(&low) {
                let pair = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(pair).ok_or_else(|| self.syntax());
            }
            self.at = before;
        }
        self.is_strict = false;
        Ok(char::REPLACEMENT_CHARACTER)
    }

    /// Steps past `u` and four hexadecimal digits.
    fn code_unit(&mut self) -> Result<u32, ParseError> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let unit = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let unit = unit.ok_or_else(|| self.syntax())?;
        self.at += 5;
        Ok(unit)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn expect(&mut self, byte: u8) -> Result<(), ParseError> {
        if self.peek() != Some(byte) {
            return Err(self.syntax());
        }
        self.at += 1;
        Ok(())
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
    }

    fn skip_digits(&mut self) -> usize {
        self.skip_while(|byte| byte.is_ascii_digit())
    }

    fn skip_while(&mut self, skips: impl Fn(u8) -> bool) -> usize {
        let before = self.at;
        while self.peek().is_some_and(&skips) {
            self.at += 1;
        }
        self.at - before
    }

    fn syntax(&self) -> ParseError {
        ParseError::Syntax { at: self.at }
    }
}
