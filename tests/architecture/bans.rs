//! Names that must not stand in some places, whatever a lint says.

use super::source::Source;
use super::{assert_none, project};

/// A name, where it must not stand, and why.
struct Ban {
    name: &'static str,
    /// The beginnings of the paths it is banned from.
    from: &'static [&'static str],
    /// The one file that may.
    except: &'static str,
    reason: &'static str,
}

const REPLAYED: &[&str] = &[
    "engine/kernel/src/",
    "engine/market/src/",
    "engine/orchestration/src/",
];
const PRODUCT: &[&str] = &["engine/"];

const BANS: [Ban; 10] = [
    replayed("HashMap", "its order depends on a random seed"),
    replayed("HashSet", "its order depends on a random seed"),
    replayed(
        "Instant::now",
        "code under simulation knows virtual time only",
    ),
    replayed(
        "SystemTime",
        "code under simulation knows virtual time only",
    ),
    replayed("thread::spawn", "the order of threads is not in the log"),
    replayed("thread::sleep", "virtual time never waits for the wall"),
    replayed("std::env", "the environment is not in the log"),
    replayed(
        "process::Command",
        "what a process says is not in the log; a program outside is asked through a port",
    ),
    Ban {
        name: "bincode",
        from: PRODUCT,
        except: "engine/kernel/src/codec.rs",
        reason: "the codec is named in one file",
    },
    Ban {
        name: ".unwrap()",
        from: PRODUCT,
        except: "",
        reason: "an `expect` says why it cannot fail",
    },
];

const fn replayed(name: &'static str, reason: &'static str) -> Ban {
    Ban {
        name,
        from: REPLAYED,
        except: "",
        reason,
    }
}

fn violations(sources: &[Source]) -> Vec<String> {
    let mut complaints = Vec::new();
    for source in sources {
        let path = source.path.as_str();
        let bans = BANS
            .iter()
            .filter(|ban| ban.from.iter().any(|from| path.starts_with(from)) && path != ban.except);
        for ban in bans {
            for (number, line) in source.product_lines() {
                if contains(line, ban.name) {
                    let Ban { name, reason, .. } = ban;
                    complaints.push(format!("{path}:{number}: {name}: {reason}"));
                }
            }
        }
    }
    complaints
}

/// Whether a name stands in a line as a whole, not as a part of another.
fn contains(line: &str, name: &str) -> bool {
    let in_name = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        // A mark at its edge ends a name by itself.
        let joined = |outside: Option<char>, edge: Option<char>| {
            outside.is_some_and(in_name) && edge.is_some_and(in_name)
        };
        !joined(before, name.chars().next()) && !joined(after, name.chars().next_back())
    })
}

#[test]
fn nothing_banned_is_named() {
    assert_none(&violations(&project()));
}

#[test]
fn each_ban_is_noticed_where_it_holds_and_nowhere_else() {
    for ban in &BANS {
        let text = format!("fn f() {{\n    let x = y{};\n}}\n", mark(ban.name));
        let found = |path: &str, text: &str| violations(&[Source::new(path, text)]).len();
        for folder in ban.from {
            let path = format!("{folder}a/src/b.rs");
            assert_eq!(found(&path, &text), 1, "{text}");
            let commented = text.replace("let", "// let");
            assert_eq!(found(&path, &commented), 0, "{commented}");
            let tested = format!("#[cfg(test)]\nmod tests {{\n{text}}}\n");
            assert_eq!(found(&path, &tested), 0, "{tested}");
        }
        assert_eq!(found("tests/a.rs", &text), 0);
        if !ban.except.is_empty() {
            assert_eq!(found(ban.except, &text), 0);
        }
    }
    assert!(!contains("let my_bincode_like = 1;", "bincode"));
    assert!(!contains("value.unwrap_or_default()", ".unwrap()"));
    assert!(contains("value.map(f).unwrap();", ".unwrap()"));
}

/// A name as it may stand behind another one in code.
#[cfg(test)]
fn mark(name: &str) -> String {
    if name.starts_with('.') {
        name.to_owned()
    } else {
        format!("({name}::z())")
    }
}
