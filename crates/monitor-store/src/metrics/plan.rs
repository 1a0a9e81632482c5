//! From where what of a range is read: whole days and hours that are closed from the rollups, the
//! rest from single checks. Pure.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, DurationRound as _, NaiveDate, TimeDelta, Utc};

use crate::rollups::{Progress, begin};

/// Where to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// `rollup_days`: the span is of whole days in UTC.
    Days,
    /// `rollup_hours`: the span is of whole hours.
    Hours,
    /// `check_results`.
    Checks,
}

/// From when, up to when.
pub(super) type Moments = (DateTime<Utc>, DateTime<Utc>);

/// What to read from where: `from ≤ t < to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) source: Source,
    pub(super) from: DateTime<Utc>,
    pub(super) to: DateTime<Utc>,
}

/// Moves borders that divide an hour whose checks are gone: it cannot be divided any more. The range
/// grows to whole hours, and what begins inside of an hour begins with it. Borders that have become
/// the same are one.
pub(super) fn divisible(
    borders: &[DateTime<Utc>],
    final_to: Option<DateTime<Utc>>,
) -> Vec<DateTime<Utc>> {
    let last = borders.len().saturating_sub(1);
    let movable = |border: DateTime<Utc>| final_to.is_some_and(|final_to| border < final_to);
    let moved = borders.iter().enumerate().map(|(index, border)| {
        if !movable(*border) {
            *border
        } else if index == last {
            hour_after(*border)
        } else {
            hour_of(*border)
        }
    });
    let mut borders: Vec<_> = moved.collect();
    borders.dedup();
    borders
}

/// The spans that make up buckets with these borders, in order. None reaches over a border, unless
/// it is of what can be divided further: an hour never is, a day never is.
pub(super) fn plan(borders: &[DateTime<Utc>], progress: &Progress) -> Vec<Span> {
    let mut spans = Vec::new();
    for [from, to] in borders.array_windows() {
        let closed_to = progress
            .hours_closed_to
            .map_or(*from, |closed| closed.min(*to));
        let (first, end) = (hour_after(*from), hour_of(closed_to));
        if first < end {
            push(&mut spans, Source::Checks, *from, first);
            push_closed(&mut spans, first, end, progress.days_closed_to);
            push(&mut spans, Source::Checks, end, *to);
        } else {
            push(&mut spans, Source::Checks, *from, *to);
        }
    }
    spans
}

/// Whole hours that are closed: as days where they are some.
fn push_closed(
    spans: &mut Vec<Span>,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    days_closed_to: Option<NaiveDate>,
) {
    let closed_to = days_closed_to.map_or(from, |day| begin(day).min(to));
    let (first, end) = (day_after(from), begin(closed_to.date_naive()));
    if first < end {
        push(spans, Source::Hours, from, first);
        push(spans, Source::Days, first, end);
        push(spans, Source::Hours, end, to);
    } else {
        push(spans, Source::Hours, from, to);
    }
}

/// Appends a span, or extends the last one.
fn push(spans: &mut Vec<Span>, source: Source, from: DateTime<Utc>, to: DateTime<Utc>) {
    if from >= to {
        return;
    }
    match spans.last_mut() {
        Some(last) if last.source == source && last.to == from => last.to = to,
        _ => spans.push(Span { source, from, to }),
    }
}

/// The same for a series of which these hours are to be computed again: they are read check by check,
/// and the other hours of their days one by one.
pub(super) fn around(spans: &[Span], marks: &BTreeSet<DateTime<Utc>>) -> Vec<Span> {
    let mut around = Vec::new();
    for span in spans {
        match span.source {
            Source::Checks => around.push(*span),
            Source::Hours => push_hours_around(&mut around, span.from, span.to, marks),
            Source::Days => push_days_around(&mut around, span, marks),
        }
    }
    around
}

fn push_days_around(spans: &mut Vec<Span>, days: &Span, marks: &BTreeSet<DateTime<Utc>>) {
    let marked = marks.range(days.from..days.to).map(DateTime::date_naive);
    let mut from = days.from;
    for day in marked.collect::<BTreeSet<_>>() {
        push(spans, Source::Days, from, begin(day));
        from = begin(day + Days::new(1));
        push_hours_around(spans, begin(day), from, marks);
    }
    push(spans, Source::Days, from, days.to);
}

fn push_hours_around(
    spans: &mut Vec<Span>,
    mut from: DateTime<Utc>,
    to: DateTime<Utc>,
    marks: &BTreeSet<DateTime<Utc>>,
) {
    for mark in marks.range(from..to) {
        push(spans, Source::Hours, from, *mark);
        from = *mark + TimeDelta::hours(1);
        push(spans, Source::Checks, *mark, from);
    }
    push(spans, Source::Hours, from, to);
}

/// The begin of the hour that an instant is in.
fn hour_of(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

/// The first begin of an hour at or after an instant.
fn hour_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let hour = hour_of(at);
    if hour == at {
        at
    } else {
        hour + TimeDelta::hours(1)
    }
}

/// The first begin of a day at or after an instant.
fn day_after(at: DateTime<Utc>) -> DateTime<Utc> {
    let day = begin(at.date_naive());
    if day == at {
        at
    } else {
        day + TimeDelta::days(1)
    }
}

#[cfg(test)]
mod tests;
