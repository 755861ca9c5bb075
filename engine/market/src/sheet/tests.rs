//! Bad files, one test each: every error says where, and none asks for memory without bound.

use super::*;

fn open(bytes: &[u8]) -> Result<Sheet<&[u8]>, String> {
    Sheet::open("a.csv", bytes, 1_000, 1 << 24).map_err(|error| error.to_string())
}

fn rows(bytes: &[u8]) -> Result<Vec<Vec<String>>, String> {
    let mut sheet = open(bytes)?;
    let width = sheet.header().len();
    let mut rows = Vec::new();
    while let Some(row) = sheet.next_row().map_err(|error| error.to_string())? {
        rows.push((0..width).map(|at| row.cell(at).to_owned()).collect());
    }
    Ok(rows)
}

#[test]
fn cells_may_be_quoted_and_lines_end_in_any_way() {
    let read = rows(b"a,b\r\n1,\"x, y\"\r\n\r\n 2 ,\"two\nlines\"\n").unwrap();
    assert_eq!(read, [["1", "x, y"], ["2", "two\nlines"]]);
    assert_eq!(rows(b"a;b\n1;2\n").unwrap(), [["1", "2"]]);
    assert_eq!(rows(b"a\tb\n1\t2\n").unwrap(), [["1", "2"]]);
}

#[test]
fn a_mark_of_utf8_is_passed_over_and_utf16_is_refused() {
    assert_eq!(
        open(b"\xef\xbb\xbftime,b\n1,2\n").unwrap().header(),
        ["time", "b"]
    );
    let error = open(b"\xff\xfet\0i\0m\0e\0").unwrap_err();
    assert_eq!(error, "a.csv: line 1: the file is UTF-16; save it as UTF-8");
}

#[test]
fn what_is_not_utf8_is_refused_with_its_line() {
    let error = rows(b"a,b\n1,2\n3,\xe4\n").unwrap_err();
    assert_eq!(error, "a.csv: line 3: not UTF-8; save the file as UTF-8");
}

#[test]
fn a_million_columns_are_refused() {
    let wide = "a,".repeat(1_000_000);
    let error = open(wide.as_bytes()).unwrap_err();
    assert!(
        error.contains("line 1: more than 256 columns") || error.contains("more than 65536 bytes"),
        "{error}"
    );
    let row = format!("a,b\n{}", "1,".repeat(1_000_000));
    let error = rows(row.as_bytes()).unwrap_err();
    assert!(error.starts_with("a.csv: line 2: "), "{error}");
}

#[test]
fn a_quotation_mark_that_is_left_open_is_refused() {
    let open_mark = format!("a,b\n1,\"{}", "x\n".repeat(100_000));
    let error = rows(open_mark.as_bytes()).unwrap_err();
    assert!(
        error.starts_with("a.csv: line 2: a row of more than"),
        "{error}"
    );
}

#[test]
fn rows_have_as_many_cells_as_the_head() {
    let error = rows(b"a,b\n1,2\n3\n").unwrap_err();
    assert_eq!(
        error,
        "a.csv: line 3: expected 2 cells as in the head, found 1"
    );
}

#[test]
fn heads_that_are_none_are_refused() {
    for (text, what) in [
        ("", "the file is empty"),
        ("\n\n", "the file is empty"),
        ("1,2\n3,4\n", "put a line with names above them"),
        ("a,a\n1,2\n", "comes twice"),
    ] {
        let error = open(text.as_bytes()).unwrap_err();
        assert!(error.contains(what), "{text:?}: {error}");
    }
}

#[test]
fn bounds_hold() {
    let text = "a\n1\n2\n3\n";
    let mut few = Sheet::open("a.csv", text.as_bytes(), 2, 1_000).unwrap();
    few.next_row().unwrap();
    few.next_row().unwrap();
    assert!(
        few.next_row()
            .unwrap_err()
            .to_string()
            .contains("line 4: more than 2 rows")
    );
    let mut short = Sheet::open("a.csv", text.as_bytes(), 10, 5).unwrap();
    short.next_row().unwrap();
    assert!(
        short
            .next_row()
            .unwrap_err()
            .to_string()
            .contains("more than 5 bytes")
    );
}

#[test]
fn hostile_text_is_shown_safely() {
    let error = rows("a\u{1b}[31m,a\u{1b}[31m\n".as_bytes()).unwrap_err();
    assert!(!error.contains('\u{1b}'), "{error}");
}

/// The rows of a table with their lines, or what is wrong; with `plain` as they are read, without it by the
/// parser alone.
fn told(bytes: &[u8], plain: bool) -> Result<Vec<(u64, Vec<String>)>, String> {
    let mut sheet = Sheet::open("a.csv", bytes, 20, 60).map_err(|error| error.to_string())?;
    let width = sheet.header().len();
    let mut rows = Vec::new();
    loop {
        let row = if plain {
            sheet.next_row()
        } else {
            sheet.row(None)
        };
        let Some(row) = row.map_err(|error| error.to_string())? else {
            return Ok(rows);
        };
        let cells = (0..width).map(|at| row.cell(at).to_owned());
        rows.push((row.line, cells.collect()));
    }
}

proptest::proptest! {
    /// Fails where a line that is split at its separators is another row than the parser makes of it, or another
    /// error, or one on another line.
    #[test]
    fn a_plain_row_is_what_the_parser_makes_of_it(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec!["1", "b.5", ",", ";", "\n", "\r\n", "\r", "\"", " ", "\u{e9}", "1,2\n"]),
            0..24,
        ),
    ) {
        for head in ["a,b\n", "a;b\r\n", "a\n"] {
            let text = [head, &pieces.concat()].concat();
            proptest::prop_assert_eq!(told(text.as_bytes(), true), told(text.as_bytes(), false), "{:?}", text);
            let bytes = text.replace('\u{e9}', "?").into_bytes();
            let bytes: Vec<u8> = bytes.into_iter().map(|byte| if byte == b'?' { 0xff } else { byte }).collect();
            proptest::prop_assert_eq!(told(&bytes, true), told(&bytes, false), "{:?}", bytes);
        }
    }
}
