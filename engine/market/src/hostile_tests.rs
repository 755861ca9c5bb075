//! Files that are wrong, by accident or on purpose: each is an error that names its line.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::lines::MAX_LINE_BYTES;
use super::*;

const HEADER: &str = "received_ns,symbol,kind,price,size,side,bid,bid_size,ask,ask_size\n";
const ROW: &str = "1,A,trade,1,1,buy,,,,\n";

fn error_of(config: &TapeConfig, input: impl Read) -> String {
    let ticks = Tape::open(config, input).and_then(|tape| tape.collect::<Result<Vec<_>, _>>());
    ticks.expect_err("the file is wrong").to_string()
}

fn error(bytes: &[u8]) -> String {
    error_of(&TapeConfig::new("t.csv"), bytes)
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn each_wrong_row_is_named() {
    for (row, expected) in [
        (
            "1,A,trade,1,1,buy,,,",
            "expected 10 fields as in the header, found 9 (quoted fields are not supported)",
        ),
        (
            "1,A,trade,1,1,buy,,,,,",
            "expected 10 fields as in the header, found 11 (quoted fields are not supported)",
        ),
        (
            "1,\"A,B\",trade,1,1,buy,,,,",
            "expected 10 fields as in the header, found 11 (quoted fields are not supported)",
        ),
        ("", "an empty line; remove it"),
        (
            "x,A,trade,1,1,buy,,,,",
            "received: \"x\" is not a whole number of its unit since 1970-01-01 UTC, at most in the year 2262",
        ),
        (
            "-1,A,trade,1,1,buy,,,,",
            "received: \"-1\" is not a whole number of its unit since 1970-01-01 UTC, at most in the year 2262",
        ),
        (
            ",A,trade,1,1,buy,,,,",
            "received: \"\" is not a whole number of its unit since 1970-01-01 UTC, at most in the year 2262",
        ),
        (
            "9223372036854775808,A,trade,1,1,buy,,,,",
            "received: \"9223372036854775808\" is not a whole number of its unit since 1970-01-01 UTC, at most in the year 2262",
        ),
        (
            "1,\"A\",trade,1,1,buy,,,,",
            "symbol: \"\\\"A\\\"\" is not 1 to 32 letters, digits or / - _ . :",
        ),
        (
            "1,,trade,1,1,buy,,,,",
            "symbol: \"\" is not 1 to 32 letters, digits or / - _ . :",
        ),
        (
            "1,\u{1b}[2J,trade,1,1,buy,,,,",
            "symbol: \"\\u{1b}[2J\" is not 1 to 32 letters, digits or / - _ . :",
        ),
        (
            "1,A,TRADE,1,1,buy,,,,",
            "kind: expected trade or quote, found \"TRADE\"",
        ),
        (
            "1,A,,1,1,buy,,,,",
            "kind: expected trade or quote, found \"\"",
        ),
        (
            "1,A,trade,1,1,bid,,,,",
            "side: expected buy, sell or nothing, found \"bid\"",
        ),
        (
            "1,A,trade,1e3,1,buy,,,,",
            "price: \"1e3\" expected a plain decimal such as 87232.01, without exponent or separators",
        ),
        (
            "1,A,trade,,1,buy,,,,",
            "price: \"\" expected a plain decimal such as 87232.01, without exponent or separators",
        ),
        (
            "1,A,trade,1,0.00000000000000000000000000001,buy,,,,",
            "size: \"0.00000000000000000000000000001\" has more digits than the 28 that are held exactly",
        ),
        ("1,A,trade,1,-1,buy,,,,", "size: -1 is below zero"),
        (
            "1,A,trade,1,1,buy,2,,,",
            "bid is not empty, but the row is a trade",
        ),
        (
            "1,A,quote,1,,,1,1,1,1",
            "price is not empty, but the row is a quote",
        ),
        (
            "1,A,quote,,,,1,1,1,",
            "ask_size: \"\" expected a plain decimal such as 87232.01, without exponent or separators",
        ),
    ] {
        let text = format!("{HEADER}{ROW}{row}\n{ROW}");
        assert_eq!(error(text.as_bytes()), format!("t.csv:3: {expected}"));
    }
}

#[test]
fn each_wrong_header_is_named() {
    for (header, expected) in [
        ("", "unknown column \"\"; known are"),
        (
            "received_ns,symbol,prise,size",
            "unknown column \"prise\"; known are",
        ),
        (
            "received_ns,received_ms,symbol,price,size",
            "column \"received_ms\" comes twice",
        ),
        (
            "symbol,price,size",
            "no column received_ns or exchange_ns; known are",
        ),
        ("received_ns,price,size", "no column symbol; known are"),
    ] {
        let error = error(header.as_bytes());
        assert!(
            error.starts_with(&format!("t.csv:1: {expected}")),
            "{error}"
        );
    }
    assert_eq!(error(HEADER.as_bytes()), "t.csv:2: no row after the header");
}

#[test]
fn after_windows_line_ends_the_line_is_still_right() {
    let text = format!("{HEADER}{ROW}{ROW}oops\n").replace('\n', "\r\n");
    assert!(
        error(text.as_bytes()).starts_with("t.csv:4: "),
        "{}",
        error(text.as_bytes())
    );
}

#[test]
fn what_is_not_utf8_is_named_with_its_byte() {
    let text = [HEADER.as_bytes(), b"1,\xff,trade,1,1,buy,,,,\n"].concat();
    assert_eq!(error(&text), "t.csv:2: not UTF-8 at byte 3 of the line");
}

#[test]
fn a_long_value_is_shortened_before_it_is_shown() {
    let text = format!("{HEADER}1,{},trade,1,1,buy,,,,\n", "é".repeat(400));
    let expected = format!("t.csv:2: symbol: \"{}\"… is not 1 to 32", "é".repeat(40));
    assert!(
        error(text.as_bytes()).starts_with(&expected),
        "{}",
        error(text.as_bytes())
    );
}

/// Endless bytes, and how many of them somebody took.
struct Endless<'a> {
    byte: u8,
    taken: &'a mut usize,
}

impl Read for Endless<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(self.byte);
        *self.taken += buffer.len();
        Ok(buffer.len())
    }
}

#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    let mut taken = 0;
    let endless = HEADER.as_bytes().chain(Endless {
        byte: b'7',
        taken: &mut taken,
    });
    let error = error_of(&TapeConfig::new("t.csv"), endless);
    assert_eq!(
        error,
        "t.csv:2: longer than 1024 bytes; this is not a line of a tape"
    );
    assert!(taken < 1 << 17, "{taken}");
}

#[test]
fn the_longest_line_is_as_long_as_the_bound_says() {
    let long = |bytes: usize| format!("{}\n", "7".repeat(bytes));
    assert!(error(long(MAX_LINE_BYTES).as_bytes()).contains("unknown column"));
    assert!(error(long(MAX_LINE_BYTES + 1).as_bytes()).contains("longer than"));

    let zeros = "0".repeat(MAX_LINE_BYTES + 1 - ROW.len());
    let longest = format!("{zeros}{ROW}");
    assert_eq!(longest.trim_end().len(), MAX_LINE_BYTES);
    for text in [longest.clone(), longest.replace('\n', "\r\n")] {
        let text = format!("{HEADER}{text}{text}");
        let tape = Tape::open(&TapeConfig::new("t.csv"), text.as_bytes()).unwrap();
        assert_eq!(tape.map(Result::unwrap).count(), 2);
    }
}

#[test]
fn the_bounds_of_the_configuration_hold() {
    let text = format!("{HEADER}{ROW}{ROW}{ROW}");
    let rows = |max_rows| TapeConfig {
        max_rows,
        ..TapeConfig::new("t.csv")
    };
    let expected = "t.csv:4: more than 2 rows; raise max_rows if the file is meant to be that long";
    assert_eq!(error_of(&rows(2), text.as_bytes()), expected);
    assert_eq!(Tape::open(&rows(3), text.as_bytes()).unwrap().count(), 3);

    let bytes = |max_bytes| TapeConfig {
        max_bytes,
        ..TapeConfig::new("t.csv")
    };
    let error = error_of(&bytes(text.len() as u64 - 1), text.as_bytes());
    assert!(error.starts_with("t.csv:4: more than"), "{error}");
    assert_eq!(
        Tape::open(&bytes(text.len() as u64), text.as_bytes())
            .unwrap()
            .count(),
        3
    );
}

#[test]
fn a_bomb_stops_at_its_bound() {
    let bomb = compressed(format!("{HEADER}{}", ROW.repeat(1 << 18)).as_bytes());
    assert!(bomb.len() < 1 << 15, "{}", bomb.len());
    let config = TapeConfig {
        max_bytes: 1 << 20,
        ..TapeConfig::new("t.csv")
    };
    let error = error_of(&config, &bomb[..]);
    assert!(
        error.contains("more than 1048576 bytes after decompression"),
        "{error}"
    );

    let endless_line = compressed(&vec![b'0'; 1 << 22]);
    assert!(self::error(&endless_line).starts_with("t.csv:1: longer than 1024 bytes"));
}

#[test]
fn too_many_symbols_are_refused() {
    let rows: String = (0..4_097)
        .map(|n| format!("1,S{n},trade,1,1,buy,,,,\n"))
        .collect();
    let text = format!("{HEADER}{rows}");
    assert_eq!(
        error(text.as_bytes()),
        "t.csv:4098: more than 4096 different symbols"
    );
}

#[test]
fn compression_is_known_by_content_and_members_are_read_on() {
    let members = [compressed(HEADER.as_bytes()), compressed(ROW.as_bytes())].concat();
    assert_eq!(
        Tape::open(&TapeConfig::new("plain-name.csv"), &members[..])
            .unwrap()
            .count(),
        1
    );
}

#[test]
fn a_compressed_file_that_is_cut_short_or_damaged_says_so() {
    let whole = compressed(format!("{HEADER}{}", ROW.repeat(3)).as_bytes());
    for cut in 2..whole.len() {
        let error = error(&whole[..cut]);
        assert!(error.contains("cannot read on"), "{cut}: {error}");
    }
    let mut damaged = whole.clone();
    let checksum = whole.len() - 8;
    damaged[checksum] ^= 1;
    assert!(
        error(&damaged).contains("cannot read on"),
        "{}",
        error(&damaged)
    );
    let trailing = [&whole[..], b"more"].concat();
    assert!(
        error(&trailing).contains("cannot read on"),
        "{}",
        error(&trailing)
    );
}

proptest! {
    #[test]
    fn no_bytes_panic_or_go_on_after_an_error(
        header in prop::bool::ANY,
        bytes in prop::collection::vec(prop_oneof![Just(b','), Just(b'\n'), b'0'..=b'9', any::<u8>()], 0..300),
        gzip in prop::bool::ANY,
    ) {
        let mut text = if header { HEADER.as_bytes().to_vec() } else { Vec::new() };
        text.extend(bytes);
        let text = if gzip { compressed(&text) } else { text };
        for order in [None, Some(TapeOrder::Received), Some(TapeOrder::ExchangeTime)] {
            let config = TapeConfig { order, ..TapeConfig::new("t.csv") };
            if let Ok(tape) = Tape::open(&config, &text[..]) {
                let results: Vec<_> = tape.collect();
                let errors = results.iter().filter(|result| result.is_err()).count();
                prop_assert!(errors == 0 || errors == 1 && results[results.len() - 1].is_err());
            }
        }
    }
}
