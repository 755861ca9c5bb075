//! What to try next.

use crate::screen::{Screen, Tone};

/// Proposes commands, each with what it is for, as a line that a shell takes whole. The words of a command must be safe.
pub(crate) fn propose(commands: &[(String, &str)], screen: &mut Screen<'_>) {
    if screen.quiet || !screen.is_for_people() || commands.is_empty() {
        return;
    }
    let program = screen.program.clone();
    screen.line("");
    let head = screen.paint(Tone::Head, "next");
    screen.line(head);
    for (words, meaning) in commands {
        let meaning = screen.paint(Tone::Faint, format!("# {meaning}"));
        screen.line(format!("  {program} {words}  {meaning}"));
    }
}
