//! `defects`: what can be switched on, what it breaks, and which property notices.

use dacapo_kernel::{Profile, Switch, System};
use dacapo_lab::VERSION;
use serde_json::json;

use crate::exit::Exit;
use crate::next;
use crate::screen::Screen;

pub(crate) fn defects<S: System>(screen: &mut Screen<'_>) -> Exit {
    let (switches, profiles) = (S::defects(), S::profiles());
    if screen.is_for_people() {
        table(&switches, &profiles, screen);
    } else {
        for switch in &switches {
            screen.json(&json!({
                "v": VERSION,
                "type": "defect",
                "name": switch.name,
                "reference": switch.reference,
                "broken": switch.broken,
                "sound": switch.sound,
                "caught_by": switch.caught_by,
                "profiles": profiles_with(switch, &profiles),
            }));
        }
    }
    Exit::Fine
}

fn table(switches: &[Switch], profiles: &[Profile], screen: &mut Screen<'_>) {
    if screen.quiet {
        return switches.iter().for_each(|switch| screen.line(switch.name));
    }
    if switches.is_empty() {
        screen.line("this system has no defects that can be switched on");
        return;
    }
    let rows: Vec<Vec<String>> = switches
        .iter()
        .map(|switch| {
            vec![
                switch.name.to_owned(),
                switch.reference.to_owned(),
                format!("broken: {}\nsound: {}", switch.broken, switch.sound),
                switch.caught_by.to_owned(),
                profiles_with(switch, profiles).join(", "),
            ]
        })
        .collect();
    let columns = ["defect", "from", "what it does", "caught by", "in profiles"];
    screen.table_of_texts(&columns, &rows);
    let rows: Vec<Vec<String>> = profiles
        .iter()
        .map(|p| {
            vec![
                p.name.to_owned(),
                p.meaning.to_owned(),
                p.defects.len().to_string(),
            ]
        })
        .collect();
    screen.table(
        "Profiles, the default first",
        &["profile", "meaning", "defects"],
        &rows,
    );
    let first = switches[0].name;
    next::propose(
        &[(format!("run SCENARIO --defects {first}"), "see it break")],
        screen,
    );
}

fn profiles_with(switch: &Switch, profiles: &[Profile]) -> Vec<&'static str> {
    let with = profiles.iter().filter(|p| p.defects.contains(&switch.name));
    with.map(|profile| profile.name).collect()
}
