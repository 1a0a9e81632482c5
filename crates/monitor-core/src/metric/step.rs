//! How long the buckets of a series are, and where they begin.

use std::fmt;

use chrono::{DateTime, Datelike as _, Days, NaiveDate, NaiveTime, TimeDelta, TimeZone as _, Utc};
pub use chrono_tz::Tz;

use super::range::TimeRange;

/// The shortest step.
const MIN_STEP: TimeDelta = TimeDelta::minutes(1);
const DAY: TimeDelta = TimeDelta::days(1);
/// The steps that may be chosen automatically and are shorter than a day, in minutes.
const CHOICES: [i64; 7] = [1, 5, 15, 60, 180, 360, 720];
/// The steps in days that may be chosen automatically.
const CHOICES_OF_DAYS: [u16; 4] = [1, 7, 14, 28];
/// About how many buckets there are at most when the step is chosen automatically.
const MOST: i32 = 300;

/// How long the buckets of a series are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Whole parts of a day in UTC.
    Part(TimeDelta),
    /// So many days in a time zone.
    Days(u16, Tz),
}

/// Why a duration is not a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidStep {
    /// Steps shorter than a day divide it, so that all days have the same buckets.
    #[error(
        "a step of {0} s does not divide a day: use at least a minute, such as 60, 300, 900, 3600 \
         or 21600 s, or whole days"
    )]
    NotPartOfDay(i64),
    /// A bucket of no days.
    #[error("a step of 0 days: use at least 1")]
    NoDays,
}

impl Step {
    /// So long, at least a minute and at most a day; a whole number of steps makes a day in UTC, and
    /// there they begin.
    pub fn every(step: TimeDelta) -> Result<Self, InvalidStep> {
        let seconds = step.num_seconds();
        let whole = step == TimeDelta::seconds(seconds);
        if whole && step >= MIN_STEP && DAY.num_seconds() % seconds == 0 {
            Ok(Self(Kind::Part(step)))
        } else {
            Err(InvalidStep::NotPartOfDay(seconds))
        }
    }

    /// So many days, each as long as it is in that time zone: where the clocks change, one of 23
    /// hours and one of 25. They are counted from a Monday, so that seven days are a week.
    pub fn days(count: u16, zone: Tz) -> Result<Self, InvalidStep> {
        if count == 0 {
            return Err(InvalidStep::NoDays);
        }
        Ok(Self(Kind::Days(count, zone)))
    }

    /// The shortest of a few round steps that divides the range into at most about 300 buckets. Days
    /// are those of the time zone.
    #[must_use]
    pub fn automatic(range: TimeRange, zone: Tz) -> Self {
        let length = range.to() - range.from();
        let mut parts = CHOICES.into_iter().map(TimeDelta::minutes);
        if let Some(step) = parts.find(|step| *step * MOST >= length) {
            return Self(Kind::Part(step));
        }
        let mut days = CHOICES_OF_DAYS.into_iter();
        let fits = |count: &u16| DAY * i32::from(*count) * MOST >= length;
        Self(Kind::Days(days.find(fits).unwrap_or(28), zone))
    }

    /// The instants at which buckets begin, in order, from the one that `first` is in.
    pub(super) fn borders(self, first: DateTime<Utc>) -> Box<dyn Iterator<Item = DateTime<Utc>>> {
        match self.0 {
            Kind::Part(step) => Box::new(parts(step, first)),
            Kind::Days(count, zone) => Box::new(days(count, zone, first)),
        }
    }
}

/// As short as it can be said: `5m`, `6h`, `1d`.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = match self.0 {
            Kind::Days(count, _) => return write!(f, "{count}d"),
            Kind::Part(step) if step == DAY => return f.write_str("1d"),
            Kind::Part(step) => step.num_seconds(),
        };
        match (step % 3_600, step % 60) {
            (0, _) => write!(f, "{}h", step / 3_600),
            (_, 0) => write!(f, "{}m", step / 60),
            _ => write!(f, "{step}s"),
        }
    }
}

fn parts(step: TimeDelta, first: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let seconds = step.num_seconds();
    let begin = first.timestamp().div_euclid(seconds) * seconds;
    let begin = DateTime::from_timestamp(begin, 0);
    std::iter::successors(begin, move |border| border.checked_add_signed(step))
}

fn days(count: u16, zone: Tz, first: DateTime<Utc>) -> impl Iterator<Item = DateTime<Utc>> {
    let day = first.with_timezone(&zone).date_naive();
    // The first day of the common era was a Monday.
    let past = (day.num_days_from_ce() - 1).rem_euclid(count.into());
    let begin = day.checked_sub_days(Days::new(u64::from(past.unsigned_abs())));
    let next = move |day: &NaiveDate| day.checked_add_days(Days::new(count.into()));
    std::iter::successors(begin, next).filter_map(move |day| begin_of(day, zone))
}

/// The first instant of a day. Where clocks go forward at midnight, that is later than midnight; a
/// day that a zone has left out (Samoa, 2011-12-30) has none.
fn begin_of(day: NaiveDate, zone: Tz) -> Option<DateTime<Utc>> {
    let midnight = day.and_time(NaiveTime::MIN);
    let quarters = (0..24 * 4).map(|quarter| midnight + TimeDelta::minutes(15 * quarter));
    let mut instants = quarters.filter_map(|local| zone.from_local_datetime(&local).earliest());
    instants.next().map(|instant| instant.to_utc())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn shown(step: Step, first: &str, count: usize) -> Vec<String> {
        let borders = step.borders(at(first)).take(count);
        borders
            .map(|border| border.format("%m-%d %H:%M").to_string())
            .collect()
    }

    #[test]
    fn a_step_divides_a_day() {
        for seconds in [60, 72, 300, 900, 3_600, 28_800, 86_400] {
            assert!(
                Step::every(TimeDelta::seconds(seconds)).is_ok(),
                "{seconds}"
            );
        }
        for seconds in [-60, 0, 1, 59, 61, 420, 25_200, 172_800] {
            let step = Step::every(TimeDelta::seconds(seconds));
            assert_eq!(step, Err(InvalidStep::NotPartOfDay(seconds)));
        }
        assert!(Step::every(TimeDelta::milliseconds(60_001)).is_err());
        assert_eq!(Step::days(0, Tz::UTC), Err(InvalidStep::NoDays));
    }

    #[test]
    fn a_step_is_said_shortly() {
        let part = |seconds| {
            Step::every(TimeDelta::seconds(seconds))
                .unwrap()
                .to_string()
        };
        let said = [72, 300, 5_400, 21_600, 86_400].map(part);
        assert_eq!(said, ["72s", "5m", "90m", "6h", "1d"]);
        assert_eq!(
            Step::days(7, Tz::Europe__Helsinki).unwrap().to_string(),
            "7d"
        );
    }

    #[test]
    fn parts_of_a_day_begin_at_midnight_in_utc() {
        let step = Step::every(TimeDelta::hours(8)).unwrap();
        let expected = ["01-05 08:00", "01-05 16:00", "01-06 00:00"];
        assert_eq!(shown(step, "2026-01-05T15:59:59Z", 3), expected);
        assert_eq!(shown(step, "2026-01-05T08:00:00Z", 3), expected);
    }

    #[test]
    fn a_day_is_as_long_as_its_zone_has_it() {
        let days = Step::days(1, Tz::Europe__Helsinki).unwrap();
        let spring = ["03-27 22:00", "03-28 22:00", "03-29 21:00"];
        assert_eq!(shown(days, "2026-03-28T12:00:00Z", 3), spring);
        let autumn = ["10-23 21:00", "10-24 21:00", "10-25 22:00"];
        assert_eq!(shown(days, "2026-10-24T12:00:00Z", 3), autumn);
    }

    #[test]
    fn a_day_begins_when_its_clock_begins() {
        // In Beirut midnight itself is left out, in Havana it comes twice, and Samoa had no 30th.
        let days = |zone| Step::days(1, zone).unwrap();
        let beirut = ["03-27 22:00", "03-28 22:00", "03-29 21:00"];
        assert_eq!(
            shown(days(Tz::Asia__Beirut), "2026-03-28T12:00:00Z", 3),
            beirut
        );
        let havana = ["10-31 04:00", "11-01 04:00", "11-02 05:00"];
        assert_eq!(
            shown(days(Tz::America__Havana), "2026-10-31T12:00:00Z", 3),
            havana
        );
        let samoa = ["12-29 10:00", "12-30 10:00", "12-31 10:00"];
        assert_eq!(
            shown(days(Tz::Pacific__Apia), "2011-12-29T12:00:00Z", 3),
            samoa
        );
    }

    #[test]
    fn seven_days_are_a_week_from_monday() {
        let weeks = Step::days(7, Tz::Asia__Kolkata).unwrap();
        let expected = ["01-04 18:30", "01-11 18:30"];
        assert_eq!(shown(weeks, "2026-01-11T18:29:59Z", 2), expected);
    }

    #[test]
    fn an_automatic_step_is_round_and_gives_few_hundred_buckets() {
        let from = at("2026-01-05T00:00:00Z");
        let step = |length| {
            let range = TimeRange::new(from, from + length).unwrap();
            Step::automatic(range, Tz::UTC)
        };
        let part = |minutes| Step::every(TimeDelta::minutes(minutes)).unwrap();
        let days = |count| Step::days(count, Tz::UTC).unwrap();
        for (length, expected) in [
            (TimeDelta::seconds(1), part(1)),
            (TimeDelta::hours(5), part(1)),
            (TimeDelta::hours(24), part(5)),
            (TimeDelta::days(7), part(60)),
            (TimeDelta::days(30), part(180)),
            (TimeDelta::days(90), part(720)),
            (TimeDelta::days(365), days(7)),
            (TimeDelta::days(3_660), days(14)),
        ] {
            assert_eq!(step(length), expected, "{length}");
        }
    }
}
