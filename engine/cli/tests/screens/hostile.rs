//! Text from a model, a scenario or a log never reaches a terminal as it is.

use dacapo_cli::Exit;

use crate::desk::{Desk, Said};

/// ESC, C1 CSI, bell, a line break, a carriage return, a bidirectional override, a zero width space.
const RECIPE: &str = r#"kitchen.recipe="\u001B[2J\u009B31m\u0007 a\nb\rc \u202Etxt \u200B end""#;

fn is_harmless(said: &Said) {
    let acts = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    for text in [&said.out, &said.err] {
        assert!(!text.contains(acts), "{text:?}");
    }
}

#[test]
fn no_screen_lets_foreign_text_act() {
    let desk = Desk::new();
    for defect in ["pan-first", "dropped-plate", "served-twice"] {
        for format in ["human", "json", "github"] {
            let format = ["--message-format", format];
            let ran = desk.run(&[&["--set", RECIPE, "--defects", defect][..], &format].concat());
            assert_eq!(ran.exit, Exit::Violated, "{ran}");
            is_harmless(&ran);
            for call in [
                &["show", "DESK/a.dlog"][..],
                &["show", "DESK/a.dlog", "--at", "20"],
                &["check", "DESK/a.dlog"],
                &["replay", "DESK/a.dlog"],
            ] {
                let said = desk.call(&[call, &format].concat());
                is_harmless(&said);
                if call.len() == 4 && format[1] == "human" {
                    assert!(said.out.contains(r"\u{1b}[2J\u{9b}31m\u{7}"), "{said}");
                }
            }
        }
    }
}

#[test]
fn json_says_exactly_what_the_text_was() {
    let desk = Desk::new();
    desk.run(&["--set", RECIPE]);
    let said = desk.call(&[
        "show",
        "DESK/a.dlog",
        "--kind",
        "65",
        "--limit",
        "1",
        "--message-format",
        "json",
    ]);
    let event: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        event["body"]["text"],
        "\u{1b}[2J\u{9b}31m\u{7} a\nb\rc \u{202e}txt \u{200b} end"
    );
}

#[test]
fn arguments_are_foreign_too() {
    let desk = Desk::new();
    for arguments in [
        &["\u{1b}[31mrun"][..],
        &["run", "\u{1b}[31m.toml"],
        &["run", "DESK/kitchen.toml", "--seed", "\u{9b}2J"],
        &["replay", "\u{1b}]0;x\u{7}"],
        &["show", "\u{202e}gol", "--color", "always"],
        &["\u{1b}[31mrun", "--color", "always"],
    ] {
        let said = desk.call(arguments);
        assert_eq!(said.exit, Exit::Usage);
        let own_colour = |text: &str| {
            text.replace("\u{1b}[1m\u{1b}[31m", "")
                .replace("\u{1b}[0m", "")
        };
        is_harmless(&Said {
            exit: said.exit,
            out: own_colour(&said.out),
            err: own_colour(&said.err),
        });
    }
}
