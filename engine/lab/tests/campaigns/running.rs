//! A campaign says the same however it is run, and nothing that fails in it is lost.

use dacapo_kernel::log::{File, Reader};
use dacapo_kernel::{BoxedStorage, Verified, verify};
use dacapo_lab::examine;
use dacapo_lab::fuzz::{CANARY, ENGINE, Shard, Stopped};

use crate::hall::{Desk, Turnstile};

#[test]
fn a_sound_system_passes_and_what_was_never_reached_is_known() {
    let report = Desk::new().run(300, |_| {});
    assert_eq!((report.runs, report.failing), (300, 0));
    assert!(report.happened && report.stopped.is_none());
    assert!(report.again > 10 && report.diverged.is_empty());
    let runs = |counts: &[dacapo_lab::fuzz::Count], id: &str| {
        counts.iter().find(|count| count.id == id).unwrap().runs
    };
    assert_eq!(runs(&report.properties, "hall.counted"), 300);
    assert_eq!(runs(&report.properties, "live.no-deadlock"), 300);
    let jammed = runs(&report.sometimes, "jammed");
    assert!((10..290).contains(&jammed), "{jammed}");
    assert_eq!(runs(&report.faults, "gate.jam"), jammed);
    assert_eq!(runs(&report.sometimes, "crowded"), 0);
}

#[test]
fn a_race_is_found_labelled_and_kept() {
    let desk = Desk::broken();
    let report = desk.run(300, |_| {});
    assert_eq!(report.groups.len(), 1, "{:?}", report.groups);
    let found = &report.groups[0];
    assert_eq!(found.group.property, "hall.counted");
    assert_eq!(found.failure.defects, ["unlocked"]);
    assert_eq!(found.runs, report.failing);
    let kept = desk.kept();
    assert_eq!(
        kept.len() as u64,
        report.failing,
        "every failure has its log"
    );
    assert_eq!(kept[0], found.seed);
    let open = || {
        let storage: BoxedStorage = Box::new(File::open(found.log.as_ref().unwrap()).unwrap());
        Reader::open(storage).unwrap()
    };
    assert!(matches!(
        verify::<Turnstile>(open(), None).unwrap(),
        Verified::Same(_)
    ));
    let examined = examine::<Turnstile>(open(), |_, _| {}).unwrap();
    assert_eq!(examined.plan.seed, found.seed);
    assert!(examined.is_whole());
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let desk = Desk::broken();
    let one = desk.run(200, |campaign| campaign.jobs = 1);
    let many = desk.run(200, |campaign| campaign.jobs = 5);
    assert!(one.failing > 10);
    assert_eq!(one, many);
}

#[test]
fn the_first_failures_in_the_order_of_seeds_count() {
    let all = Desk::broken();
    all.run(200, |_| {});
    let wanted = &all.kept()[..5];
    for jobs in [1, 6] {
        let desk = Desk::broken();
        let report = desk.run(200, |campaign| {
            campaign.jobs = jobs;
            campaign.max_failures = Some(5);
        });
        assert_eq!(desk.kept(), wanted, "with {jobs} threads");
        assert_eq!(report.failing, 5);
        assert_eq!(report.runs, wanted[4] + 1);
        assert_eq!(report.stopped, Some((Stopped::Failures, wanted[4] + 1)));
    }
}

#[test]
fn shares_make_up_the_whole() {
    let desk = Desk::broken();
    let whole = desk.run(101, |_| {});
    let (mut runs, mut failing, mut events) = (0, 0, 0);
    for number in 1..=3 {
        let share = desk.run(101, |campaign| {
            campaign.seeds.shard = Shard { number, of: 3 }
        });
        runs += share.runs;
        failing += share.failing;
        events += share.events;
    }
    assert_eq!((runs, failing, events), (101, whole.failing, whole.events));
}

#[test]
fn a_campaign_that_was_stopped_goes_on_where_it_ended() {
    let desk = Desk::broken();
    let whole = desk.run(400, |_| {});
    let first = desk.watched(400, |_| {}, |report| report.runs < 50);
    let (why, next) = first.stopped.unwrap();
    assert_eq!((why, next), (Stopped::Asked, first.runs));
    assert!((50..400).contains(&next));
    let rest = desk.run(400, |campaign| campaign.seeds.from = next);
    assert_eq!(first.runs + rest.runs, whole.runs);
    assert_eq!(first.failing + rest.failing, whole.failing);
    assert_eq!(
        first.groups[0].runs + rest.groups[0].runs,
        whole.groups[0].runs
    );
}

#[test]
fn a_panic_of_the_program_itself_is_a_failure_and_no_more() {
    let desk = Desk::new().set("hall.breaks_at=50");
    let report = desk.run(300, |_| {});
    assert_eq!(report.runs, 300);
    let found = report.groups.iter().find(|f| f.group.property == ENGINE);
    let found = found.unwrap();
    assert!(found.runs > 5 && found.runs < 290, "{}", found.runs);
    assert!(
        found
            .failure
            .actual
            .contains("a mistake in the program itself")
    );
    assert_eq!(desk.kept().len() as u64, report.failing);
}

#[test]
fn a_canary_shows_that_failures_are_reported() {
    let desk = Desk::new();
    let report = desk.run(400, |campaign| campaign.canary_per_mille = 50);
    assert_eq!(report.groups.len(), 1);
    assert_eq!(report.groups[0].group.property, CANARY);
    assert!((5..60).contains(&report.failing), "{}", report.failing);
    assert_eq!(desk.kept().len() as u64, report.failing);
}

#[test]
fn a_run_that_depends_on_more_than_its_seed_is_noticed() {
    let desk = Desk::new().set("hall.leaky=true");
    let report = desk.run(60, |campaign| campaign.again_per_mille = 1_000);
    assert_eq!(report.again, 60);
    assert_eq!(report.diverged.len(), 60);
    assert!(report.diverged[0].what.contains("other bytes"));
    assert!(report.diverged[0].log.is_some());
}

#[test]
fn an_event_that_is_read_as_another_is_noticed() {
    let desk = Desk::new().set("hall.garbled=true");
    let report = desk.run(20, |campaign| campaign.again_per_mille = 1_000);
    assert_eq!(report.diverged.len(), 20);
    assert!(report.diverged[0].what.contains("read and written again"));
}
