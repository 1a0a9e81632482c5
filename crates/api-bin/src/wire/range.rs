//! The range and the steps that a question is about.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use monitor_core::Region;
use monitor_core::metric::{Buckets, InvalidStep, Step, TimeRange, Tz};
use schemars::{JsonSchema, Schema, json_schema};
use serde::Deserialize;

use super::parameter::{Parameter, Text};
use super::time::{Instant, LENGTH, length};
use crate::problem::Problem;

/// How long a range is when its begin is not told.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::hours(24);
const DAY: TimeDelta = TimeDelta::days(1);

/// How long the buckets of a series are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StepText {
    #[default]
    Auto,
    /// No series at all.
    None,
    Every(TimeDelta),
}

impl Parameter for StepText {
    fn schema() -> Schema {
        json_schema!({
            "description": "How long the buckets of the series are: auto (some hundred of them), none (no series), a part of a day of a minute at least, or whole days.",
            "type": "string",
            "pattern": format!("^(auto|none|{LENGTH})$"),
            "examples": ["auto", "5m", "1d"],
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let expected = "expected auto, none, or a duration such as 5m, 1h, 1d or 7d";
        match text {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            text => length(text)
                .map(Self::Every)
                .ok_or_else(|| expected.to_owned()),
        }
    }
}

impl StepText {
    fn of(self, range: TimeRange, zone: Tz) -> Result<Option<Step>, Problem> {
        let invalid = |error: InvalidStep| Problem::field("step", error.to_string());
        match self {
            Self::None => Ok(None),
            Self::Auto => Ok(Some(Step::automatic(range, zone))),
            Self::Every(length)
                if length >= DAY && length.num_seconds() % DAY.num_seconds() == 0 =>
            {
                let days = u16::try_from(length.num_days());
                let days = days.map_err(|_| Problem::field("step", "is longer than any range"))?;
                Step::days(days, zone).map(Some).map_err(invalid)
            }
            Self::Every(length) => Step::every(length).map(Some).map_err(invalid),
        }
    }
}

/// What every question about a metric takes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricQuery {
    /// Begin of the range; a day before its end when left out.
    from: Option<Text<Instant>>,
    /// End of the range, which is not part of it; now when left out.
    to: Option<Text<Instant>>,
    /// How long the buckets of the series are.
    #[serde(default)]
    step: Text<StepText>,
    /// The time zone whose days are meant.
    #[serde(default)]
    tz: Text<Tz>,
    /// Only checks from this region; from all when left out.
    pub(crate) region: Option<Region>,
}

/// The same of several sites.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FleetMetricQuery {
    /// Begin of the range; a day before its end when left out.
    from: Option<Text<Instant>>,
    /// End of the range, which is not part of it; now when left out.
    to: Option<Text<Instant>>,
    /// How long the buckets of the series are.
    #[serde(default)]
    step: Text<StepText>,
    /// The time zone whose days are meant.
    #[serde(default)]
    tz: Text<Tz>,
    /// Only checks from this region; from all when left out.
    region: Option<Region>,
    /// Only sites that have this tag now; all that were ever checked when left out.
    tag: Option<String>,
}

impl FleetMetricQuery {
    /// Which sites, and what about them.
    pub(crate) fn split(self) -> (Option<String>, MetricQuery) {
        let Self {
            from,
            to,
            step,
            tz,
            region,
            tag,
        } = self;
        (
            tag,
            MetricQuery {
                from,
                to,
                step,
                tz,
                region,
            },
        )
    }
}

/// The same when it is known what time it is.
pub(crate) struct Resolved {
    pub(crate) range: TimeRange,
    pub(crate) step: Option<Step>,
    pub(crate) zone: Tz,
}

impl MetricQuery {
    pub(crate) fn resolve(&self, now: DateTime<Utc>) -> Result<Resolved, Problem> {
        let range = range(self.from, self.to, DEFAULT_LENGTH, now)?;
        let step = self.step.0.of(range, self.tz.0)?;
        Ok(Resolved {
            range,
            step,
            zone: self.tz.0,
        })
    }
}

impl Resolved {
    /// The range in steps; all of it is one when there are none.
    pub(crate) fn buckets(&self) -> Result<Buckets, Problem> {
        let Some(step) = self.step else {
            return Ok(Buckets::one(self.range));
        };
        Buckets::new(self.range, step).map_err(|error| Problem::field("step", error.to_string()))
    }
}

/// From when up to when, at whole milliseconds, as slots are.
pub(crate) fn range(
    from: Option<Text<Instant>>,
    to: Option<Text<Instant>>,
    length: TimeDelta,
    now: DateTime<Utc>,
) -> Result<TimeRange, Problem> {
    let instant = |field: &str, Text(instant): Text<Instant>| {
        let resolved = instant
            .resolve(now)
            .filter(|at| at.timestamp() > -62_000_000_000);
        resolved
            .map(|at| at.trunc_subsecs(3))
            .ok_or_else(|| Problem::field(field, "is too long ago"))
    };
    let to = instant("to", to.unwrap_or(Text(Instant::At(now))))?;
    let from = instant("from", from.unwrap_or(Text(Instant::At(to - length))))?;
    TimeRange::new(from, to).map_err(|error| Problem::field("from", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> Result<MetricQuery, String> {
        serde_urlencoded::from_str(text).map_err(|error| error.to_string())
    }

    fn resolved(text: &str) -> Resolved {
        let now = "2026-01-05T10:00:00Z".parse().unwrap();
        query(text).unwrap().resolve(now).ok().unwrap()
    }

    #[test]
    fn a_range_is_the_last_day_unless_told_otherwise() {
        for (text, from, to) in [
            ("", "2026-01-04T10:00:00Z", "2026-01-05T10:00:00Z"),
            ("from=2h", "2026-01-05T08:00:00Z", "2026-01-05T10:00:00Z"),
            ("to=1h", "2026-01-04T09:00:00Z", "2026-01-05T09:00:00Z"),
            (
                "from=2026-01-01T00:00:00%2B02:00&to=2d",
                "2025-12-31T22:00:00Z",
                "2026-01-03T10:00:00Z",
            ),
        ] {
            let range = resolved(text).range;
            assert_eq!(
                (range.from(), range.to()),
                (from.parse().unwrap(), to.parse().unwrap()),
                "{text}"
            );
        }
    }

    #[test]
    fn a_step_is_automatic_unless_told_otherwise() {
        let step = |text: &str| resolved(text).step.map(|step| step.to_string());
        assert_eq!(step("").as_deref(), Some("5m"));
        assert_eq!(step("step=none"), None);
        assert_eq!(step("step=6h").as_deref(), Some("6h"));
        assert_eq!(
            step("from=30d&step=1d&tz=Europe/Helsinki").as_deref(),
            Some("1d")
        );
    }

    #[test]
    fn what_cannot_be_is_told_by_its_field() {
        let now = Utc::now();
        for (text, field) in [
            ("from=1h&to=2h", "from"),
            ("from=99999d", "from"),
            ("step=7m", "step"),
            ("from=90d&step=1m", "step"),
        ] {
            let query = query(text).unwrap();
            let problem = query.resolve(now).and_then(|resolved| resolved.buckets());
            let problem = format!("{:?}", problem.err().unwrap());
            let named = format!("field: \"{field}\"");
            assert!(problem.contains(&named), "{text}: {problem}");
        }
        for text in [
            "from=yesterday",
            "step=often",
            "tz=Mars",
            "form=1h",
            "from=1h&from=2h",
        ] {
            assert!(query(text).is_err(), "{text}");
        }
    }
}
