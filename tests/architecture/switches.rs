//! Each defect is decided at one place of the orchestration.

use dacapo_orchestration::defect::DEFECTS;

use super::source::Source;
use super::{assert_none, project};

/// Defects that two layers decide, each its own part.
const OF_TWO_PARTS: [(&str, &str); 2] = [
    (
        "TrustLlmReply",
        "a reply is read in one file, its changes are applied in another",
    ),
    (
        "LlmRaisesRisk",
        "leverage and size are bounded one by one, the entry against its stop",
    ),
];

/// What speaks against the use of a switch.
fn complaints(switch: &str, sources: &[Source]) -> Option<String> {
    let word = format!("Defect::{switch}");
    let of_this = |line: &str| {
        line.match_indices(&word).any(|(at, _)| {
            let after = line[at + word.len()..].chars().next();
            !after.is_some_and(char::is_alphanumeric)
        })
    };
    let places: Vec<String> = sources
        .iter()
        .filter(|source| source.path.starts_with("engine/orchestration/src/"))
        .flat_map(|source| {
            let lines = source.product_lines().into_iter();
            let used = lines.filter(|(_, line)| of_this(line));
            used.map(|(number, _)| format!("{}:{number}", source.path))
        })
        .collect();
    let allowed = OF_TWO_PARTS.iter().filter(|(name, _)| *name == switch);
    let allowed = 1 + allowed.count();
    match places.len() {
        0 => Some(format!(
            "{switch}: expected one place that asks for it, found none"
        )),
        n if n > allowed => Some(format!(
            "{switch}: expected {allowed} that ask for it, found {}",
            places.join(", ")
        )),
        _ => None,
    }
}

#[test]
fn every_defect_is_decided_at_one_place() {
    let sources = project();
    let found = DEFECTS
        .iter()
        .filter_map(|info| complaints(&format!("{:?}", info.defect), &sources));
    assert_none(&found.collect::<Vec<_>>());
    assert_eq!(DEFECTS.len(), 56);
}

#[test]
fn a_switch_that_nobody_asks_for_or_two_do_is_a_complaint() {
    let source = |text| Source::new("engine/orchestration/src/planted.rs", text);
    let told = |text| complaints("BreakerSilent", &[source(text)]);
    assert!(told("fn f() { if d.has(Defect::BreakerSilent) {} }").is_none());
    assert!(told("fn f() { if d.has(Defect::BreakerSilently) {} }").is_some());
    assert!(told("// Defect::BreakerSilent\n").is_some());
    let twice =
        "fn f() { d.has(Defect::BreakerSilent); }\nfn g() { d.has(Defect::BreakerSilent); }";
    assert!(told(twice).is_some_and(|told| told.contains("planted.rs:1")));
}
