//! `report`: a page that tells what the screens tell, and in which foreign text can do nothing.

use std::fs;

use dacapo_cli::Exit;
use serde_json::Value;

use crate::desk::Desk;

/// Text that would act if it were taken for a part of the page, or for a control of a terminal.
const RECIPE: &str = r#"kitchen.recipe="<img src=x onerror=alert(1)></style><script>alert(2)</script>\u001B[2J\u202Etxt""#;

fn page(desk: &Desk, name: &str) -> String {
    fs::read_to_string(desk.path(name)).unwrap()
}

#[test]
fn a_page_tells_what_failed_and_why_and_fetches_nothing() {
    let desk = Desk::new();
    desk.run(&["--defects", "served-twice"]);
    let said = desk.call(&["report", "DESK/a.dlog"]);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    assert_eq!(said.out, "FAIL  DESK/a.html\n");
    let page = page(&desk, "a.html");
    for wanted in [
        "FAIL",
        "How it came about",
        "served-twice",
        "replay",
        "not exercised",
        "<svg",
        "default-src 'none'",
    ] {
        assert!(page.contains(wanted), "{wanted} is not in the page");
    }
    for unwanted in ["http://", "https://", "<script", "url(", "@import"] {
        let found = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!found.contains(unwanted), "{unwanted} is in the page");
    }
}

#[test]
fn foreign_text_stays_text() {
    let desk = Desk::new();
    desk.run(&["--set", RECIPE]);
    let said = desk.call(&["report", "DESK/a.dlog", "--events", "5000"]);
    assert_eq!(said.exit, Exit::Fine, "{said}");
    let page = page(&desk, "a.html");
    assert!(
        page.contains("&lt;script&gt;"),
        "the text is not in the page"
    );
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn only_its_own_pages_are_replaced() {
    let desk = Desk::new();
    desk.run(&[]);
    fs::write(desk.path("mine.html"), "<h1>something dear</h1>").unwrap();
    let said = desk.call(&["report", "DESK/a.dlog", "-o", "DESK/mine.html"]);
    assert_eq!(said.exit, Exit::Usage, "{said}");
    assert_eq!(page(&desk, "mine.html"), "<h1>something dear</h1>");
    for _ in 0..2 {
        let said = desk.call(&["report", "DESK/a.dlog", "-o", "DESK/own.html"]);
        assert_eq!(said.exit, Exit::Fine, "{said}");
    }
}

#[test]
fn programs_are_told_where_the_page_is() {
    let desk = Desk::new();
    desk.run(&[]);
    let said = desk.call(&["report", "DESK/a.dlog", "--message-format", "json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["type"], "report");
    assert_eq!(told["outcome"], "pass");
    let size = fs::metadata(desk.path("a.html")).unwrap().len();
    assert_eq!(told["bytes"], size);
}

#[test]
fn the_window_lies_around_the_event_that_was_asked_for() {
    let desk = Desk::new();
    desk.run(&[]);
    desk.call(&["report", "DESK/a.dlog", "--around", "7", "--events", "3"]);
    let page = page(&desk, "a.html");
    assert!(page.contains("Events 6 to 8 of"), "another window is shown");
}

/// A first difference that is not the first, a plan that is not compared, or foreign text that acts fails here.
#[test]
fn two_logs_are_shown_beside_each_other() {
    let desk = Desk::new();
    desk.run(&[]);
    desk.call(&[
        "run",
        "DESK/kitchen.toml",
        "--out",
        "DESK/b.dlog",
        "--set",
        RECIPE,
    ]);
    let said = desk.call(&["report", "DESK/a.dlog", "DESK/b.dlog"]);
    assert_eq!(
        (said.exit, said.out.as_str()),
        (Exit::Fine, "DIFFER  DESK/a-b.html\n"),
        "{said}"
    );
    let different = page(&desk, "a-b.html");
    for wanted in [
        "What was planned differently",
        "system.kitchen.recipe",
        "The first event that differs",
        "body.text",
        "&lt;script&gt;",
        "How they ended",
    ] {
        assert!(different.contains(wanted), "{wanted} is not in the page");
    }
    assert!(!different.contains("<script") && !different.contains("<img"));
    assert!(!different.contains(['\u{1b}', '\u{202e}']));

    let said = desk.call(&["report", "DESK/a.dlog", "DESK/a.dlog"]);
    assert_eq!(said.out, "SAME  DESK/a-a.html\n");
    let same = page(&desk, "a-a.html");
    assert!(same.contains("Every event but the plan is the same. Both ended with complete."));
    assert!(!same.contains("planned differently"), "nothing was");
}
