//! A year of hours, with decisions out of a table that a data frame wrote.

use dacapo_kernel::Verdict;
use dacapo_orchestration::domain_event::DomainEvent;
use dacapo_tests::{Story, events, root};

use super::{examined, figure, judged, money};

#[test]
fn a_year_completes_and_meets_what_is_expected_of_it() {
    let examined = examined(Story::Eurusd.log());
    assert!(examined.is_whole());
    assert_eq!(examined.world.verdict, Some(Verdict::Complete));
    let judgement = judged(&examined);
    assert!(judgement.is_good(), "{:?}", judgement.failures);
    let read = &examined.world.view.bars_read[0];
    assert_eq!((read.rows, read.bars, read.gaps), (6_225, 6_225, 52));
    assert!(figure(&judgement, "filled_orders") > 40);
    money::audit(Story::Eurusd.log()).unwrap_or_else(|error| panic!("{error}"));
}

/// Fails if a row of the table is said twice, left out, or said before it can be known.
#[test]
fn each_row_of_the_table_is_said_once_when_it_can_be_known() {
    let table = std::fs::read_to_string(root().join("scenarios/data/eurusd-cross.csv"))
        .expect("the table ships with the project");
    let rows = table.lines().count() - 1;
    let log = events(Story::Eurusd.log());
    let arrived = log.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::TableRow(row)) => Some((event.time, row.line)),
        _ => None,
    });
    let arrived: Vec<_> = arrived.collect();
    assert_eq!(arrived.len(), rows);
    let said = log.iter().filter_map(|event| match event.domain() {
        Some(DomainEvent::ConsensusBuilt(_)) => Some(event.time),
        _ => None,
    });
    let said: Vec<_> = said.collect();
    assert_eq!(said.len(), rows);
    for ((known, line), said) in arrived.iter().zip(said) {
        let late = said.since(*known).as_secs_f64();
        assert!((0.0..=2.0).contains(&late), "line {line}: {late} s");
    }
}
