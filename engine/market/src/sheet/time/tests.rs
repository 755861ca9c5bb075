//! Times as files have them, and what is none.

use super::*;

const SPRING: i64 = 1_522_800_300_000_000_000;

fn read(text: &str) -> Result<i64, String> {
    let mut times = Times::new(None, None).unwrap();
    times.read(text).map_err(|problem| problem.to_string())
}

/// A form that is read as another instant, or as none, fails here.
#[test]
fn usual_forms_of_one_instant_are_recognised() {
    for text in [
        "2018-04-04T00:05:00Z",
        "2018-04-04 00:05:00",
        "2018-04-04 00:05",
        "2018-04-04T00:05:00.000000",
        "2018/04/04 00:05:00",
        "2018-04-04 02:05:00+02:00",
        "2018-04-03T19:05:00-0500",
        "2018-04-04 00:05:00 UTC",
        "1522800300",
        "1522800300.0",
        "1522800300000",
        "1522800300000000",
        "1522800300000000000",
    ] {
        assert_eq!(read(text), Ok(SPRING), "{text}");
    }
    let midnight = SPRING - 300_000_000_000;
    for text in ["2018-04-04", "2018/04/04", "20180404"] {
        assert_eq!(read(text), Ok(midnight), "{text}");
    }
}

/// A guess at what is ambiguous or no time at all fails here.
#[test]
fn what_is_ambiguous_is_not_guessed() {
    for text in [
        "04/05/2018",
        "4.5.2018",
        "12:00",
        "5",
        "now",
        "-1",
        "2018-13-01",
        "2018-02-30",
    ] {
        assert!(read(text).unwrap_err().contains("is no time"), "{text}");
    }
    let outside = read("9999999999999999999").unwrap_err();
    assert!(outside.contains("1678 to 2261"), "{outside}");
}

#[test]
fn a_stated_zone_moves_times_that_have_none() {
    let mut times = Times::new(None, Some("+02:00")).unwrap();
    assert_eq!(times.read("2018-04-04 02:05:00").unwrap(), SPRING);
    assert_eq!(times.zone(), Some("+02:00"));
    let mut times = Times::new(None, Some("+02:00")).unwrap();
    let error = times.read("2018-04-04T02:05:00Z").unwrap_err().to_string();
    assert!(
        error.contains("zone = \"+02:00\" has no meaning"),
        "{error}"
    );
    for zone in [
        "Europe/Berln",
        "EST",
        "../UTC",
        "+2",
        "",
        "+99:00",
        "+01:75",
    ] {
        assert!(Times::new(None, Some(zone)).is_err(), "{zone}");
    }
}

/// Fails if an hour of summer is taken for one of winter, or an instant is made up for a time that a clock
/// shows twice or never.
#[test]
fn a_zone_with_daylight_saving_has_two_offsets_and_two_doubtful_hours() {
    let mut times = Times::new(None, Some("America/New_York")).unwrap();
    let hour = 3_600_000_000_000;
    let winter = times.read("2018-01-15 09:30:00").unwrap();
    let summer = times.read("2018-07-15 09:30:00").unwrap();
    assert_eq!(winter, 1_516_026_600_000_000_000, "14:30 in UTC");
    assert_eq!((summer - winter) % (24 * hour), 23 * hour);
    let error = |times: &mut Times, text: &str| times.read(text).unwrap_err().to_string();
    let never = error(&mut times, "2018-03-11 02:30:00");
    assert!(never.contains("never at 2018-03-11T02:30:00"), "{never}");
    let twice = error(&mut times, "2018-11-04 01:30:00");
    assert!(twice.contains("twice at 2018-11-04T01:30:00"), "{twice}");
    assert!(times.read("2018-11-04 02:30:00").is_ok());
    // A day of which midnight is left out.
    let mut times = Times::new(None, Some("America/Sao_Paulo")).unwrap();
    assert!(error(&mut times, "2018-11-04").contains("never at"));
}

/// Zones that are mixed, and units that change, are errors and no other instants.
#[test]
fn the_form_of_the_first_cell_holds() {
    for (first, second, hint) in [
        (
            "2018-04-04 00:05:00",
            "2018-04-04T00:06:00Z",
            "it has a zone",
        ),
        (
            "2018-04-04T00:05:00Z",
            "2018-04-04 00:06:00",
            "those before it have a zone",
        ),
        ("2018-04-04", "2018-04-05 00:00:00", "the form of the first"),
        ("1522800300", "1522800360000", "the form of the first"),
    ] {
        let mut times = Times::new(None, None).unwrap();
        times.read(first).unwrap();
        let error = times.read(second).unwrap_err().to_string();
        assert!(error.contains(hint), "{error}");
    }
}

#[test]
fn a_pattern_reads_what_is_not_recognised() {
    let read = |pattern: &str, text: &str| {
        let format = Some(TimeFormat::named(pattern));
        Times::new(format, None).unwrap().read(text)
    };
    assert_eq!(read("%d.%m.%Y %H:%M", "04.04.2018 00:05").unwrap(), SPRING);
    assert_eq!(
        read("%m/%d/%Y", "04/04/2018").unwrap(),
        SPRING - 300_000_000_000
    );
    assert_eq!(read("s", "1522800300").unwrap(), SPRING);
    assert!(read("%d.%m.%Y", "2018-04-04").is_err());
}
