use super::*;

/// An instant of January 2026, as day, hour and minute.
fn at(text: &str) -> DateTime<Utc> {
    let (day, time) = text.split_once(' ').unwrap();
    format!("2026-01-{day}T{time}:00Z").parse().unwrap()
}

fn all(texts: &str) -> Vec<DateTime<Utc>> {
    texts.split(", ").map(at).collect()
}

fn progress(hours: &str, day: &str) -> Progress {
    Progress {
        hours_closed_to: Some(at(hours)),
        days_closed_to: Some(at(day).date_naive()),
        raw_from: None,
    }
}

fn shown(spans: &[Span]) -> Vec<String> {
    let shown = |at: DateTime<Utc>| at.format("%d %H:%M").to_string();
    let span = |span: &Span| {
        format!(
            "{:?} {} - {}",
            span.source,
            shown(span.from),
            shown(span.to)
        )
    };
    spans.iter().map(span).collect()
}

#[test]
fn a_long_range_is_days_then_hours_then_checks() {
    let spans = plan(
        &all("01 22:30, 05 10:15"),
        &progress("05 09:00", "05 00:00"),
    );
    let expected = [
        "Checks 01 22:30 - 01 23:00",
        "Hours 01 23:00 - 02 00:00",
        "Days 02 00:00 - 05 00:00",
        "Hours 05 00:00 - 05 09:00",
        "Checks 05 09:00 - 05 10:15",
    ];
    assert_eq!(shown(&spans), expected);
}

#[test]
fn what_is_not_closed_is_checks() {
    let borders = all("01 22:30, 05 10:15");
    let spans = plan(&borders, &Progress::default());
    assert_eq!(shown(&spans), ["Checks 01 22:30 - 05 10:15"]);
    let spans = plan(&borders, &progress("01 23:00", "01 00:00"));
    assert_eq!(shown(&spans), ["Checks 01 22:30 - 05 10:15"]);
    // Hours are closed, days are not.
    let spans = plan(
        &all("02 00:00, 04 00:00"),
        &progress("09 00:00", "02 00:00"),
    );
    assert_eq!(shown(&spans), ["Hours 02 00:00 - 04 00:00"]);
}

#[test]
fn a_part_of_an_hour_is_checks() {
    let spans = plan(
        &all("02 10:10, 02 10:50"),
        &progress("09 00:00", "09 00:00"),
    );
    assert_eq!(shown(&spans), ["Checks 02 10:10 - 02 10:50"]);
    let spans = plan(
        &all("02 10:10, 02 11:50"),
        &progress("09 00:00", "09 00:00"),
    );
    assert_eq!(shown(&spans), ["Checks 02 10:10 - 02 11:50"]);
}

#[test]
fn no_day_and_no_hour_reaches_over_a_border() {
    let closed = progress("09 00:00", "09 00:00");
    // Days of Helsinki.
    let spans = plan(&all("01 22:00, 02 22:00, 03 22:00"), &closed);
    assert_eq!(shown(&spans), ["Hours 01 22:00 - 03 22:00"]);
    // Days of Kolkata.
    let spans = plan(&all("01 18:30, 02 18:30"), &closed);
    let expected = [
        "Checks 01 18:30 - 01 19:00",
        "Hours 01 19:00 - 02 18:00",
        "Checks 02 18:00 - 02 18:30",
    ];
    assert_eq!(shown(&spans), expected);
    let spans = plan(&all("01 00:00, 02 00:00, 04 00:00"), &closed);
    assert_eq!(shown(&spans), ["Days 01 00:00 - 04 00:00"]);
}

#[test]
fn an_hour_without_checks_cannot_be_divided() {
    let moved = |borders, final_to: Option<&str>| divisible(&all(borders), final_to.map(at));
    let borders = "01 10:40, 01 10:50, 01 11:00, 01 11:30, 01 11:50";
    assert_eq!(moved(borders, None), all(borders));
    assert_eq!(moved(borders, Some("01 00:00")), all(borders));
    assert_eq!(
        moved(borders, Some("02 00:00")),
        all("01 10:00, 01 11:00, 01 12:00")
    );
    assert_eq!(
        moved("01 10:40, 01 10:41", Some("02 00:00")),
        all("01 10:00, 01 11:00")
    );
    assert_eq!(
        moved("01 23:40, 01 23:50, 02 00:00, 02 00:10", Some("02 00:00")),
        all("01 23:00, 02 00:00, 02 00:10")
    );
}

#[test]
fn a_marked_hour_is_checks_and_its_day_is_hours() {
    let spans = plan(
        &all("01 22:00, 09 10:15"),
        &progress("09 10:00", "09 00:00"),
    );
    let marks = all("01 22:00, 04 05:00, 04 06:00, 09 09:00")
        .into_iter()
        .collect();
    let expected = [
        "Checks 01 22:00 - 01 23:00",
        "Hours 01 23:00 - 02 00:00",
        "Days 02 00:00 - 04 00:00",
        "Hours 04 00:00 - 04 05:00",
        "Checks 04 05:00 - 04 07:00",
        "Hours 04 07:00 - 05 00:00",
        "Days 05 00:00 - 09 00:00",
        "Hours 09 00:00 - 09 09:00",
        "Checks 09 09:00 - 09 10:00",
        "Checks 09 10:00 - 09 10:15",
    ];
    assert_eq!(shown(&around(&spans, &marks)), expected);
    assert_eq!(around(&spans, &BTreeSet::new()), spans);
}
