//! What came of a test as JUnit XML, for servers that show it.

use std::path::Path;

use dacapo_lab::golden::{Standing, Tested};
use dacapo_lab::scenario::printable;
use quick_junit::{NonSuccessKind, Report as Xml, TestCase, TestCaseStatus, TestSuite};

use super::Report;
use super::told::{in_words, word};
use crate::exit::{Exit, Problem};

/// Writes the file.
pub(super) fn write(path: &Path, report: &Report<'_>) -> Result<(), Problem> {
    let mut xml = Xml::new("dacapo test");
    xml.set_time(report.wall);
    let mut suite = TestSuite::new("dacapo");
    for tested in report.all {
        suite.add_test_case(case(tested));
    }
    xml.add_test_suite(suite);
    let told = |what: String| {
        Problem::Other(
            Exit::Usage,
            format!("{} cannot be written: {what}", path.display()),
        )
    };
    let text = xml.to_string().map_err(|error| told(error.to_string()))?;
    std::fs::write(path, text).map_err(|error| told(error.to_string()))
}

fn case(tested: &Tested) -> TestCase {
    let what = printable(&in_words(&tested.standing));
    let mut status = match &tested.standing {
        Standing::Passed { .. } | Standing::Same { .. } => TestCaseStatus::success(),
        Standing::Failed { .. } | Standing::Differs(_) => {
            TestCaseStatus::non_success(NonSuccessKind::Failure)
        }
        Standing::Exhausted(_) | Standing::NothingRan | Standing::Broken(_) => {
            TestCaseStatus::non_success(NonSuccessKind::Error)
        }
    };
    if !tested.standing.is_good() {
        let (word, _) = word(&tested.standing);
        status.set_message(what);
        status.set_type(word.to_lowercase());
        status.set_description(printable(&described(&tested.standing)));
    }
    let mut case = TestCase::new(printable(&tested.case.name()), status);
    case.set_classname("dacapo");
    case.set_time(tested.wall);
    case
}

/// Everything that is worth saying of a case that is not well.
fn described(standing: &Standing) -> String {
    match standing {
        Standing::Failed { failures, .. } => {
            let failures = failures.iter().map(|it| {
                format!(
                    "{}: expected {}, actual {}",
                    it.property, it.expected, it.actual
                )
            });
            failures.collect::<Vec<String>>().join("; ")
        }
        Standing::Differs(apart) => {
            let told = |line: &Option<dacapo_lab::Line>| match line {
                Some(line) => format!("{} {} {}", line.actor, line.kind, line.text),
                None => "nothing".to_owned(),
            };
            let difference = &apart.difference;
            format!(
                "event {}: expected {}, actual {}",
                difference.seq,
                told(&difference.expected),
                told(&difference.actual)
            )
        }
        Standing::Broken(trouble) => trouble.to_string(),
        other => in_words(other),
    }
}
