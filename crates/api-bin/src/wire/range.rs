//! The time that a question is about.

use std::fmt;

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};
use monitor_core::Region;
use monitor_core::metric::{Buckets, Step, TimeRange, Tz};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de};

use crate::problem::Problem;

/// How long a range is when its begin is not told.
const DEFAULT_LENGTH: TimeDelta = TimeDelta::hours(24);
const DAY: TimeDelta = TimeDelta::days(1);
/// A number and a unit: what [`length`] reads.
const LENGTH: &str = "[0-9]{1,5}[smhdw]";

/// An instant, or how long ago it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Instant {
    At(DateTime<Utc>),
    Ago(TimeDelta),
}

impl Instant {
    pub(crate) fn resolve(self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        match self {
            Self::At(at) => Some(at),
            Self::Ago(ago) => now.checked_sub_signed(ago),
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Ok(at) = DateTime::parse_from_rfc3339(&text) {
            return Ok(Self::At(at.to_utc()));
        }
        length(&text).map(Self::Ago).ok_or_else(|| {
            let hint = if text.contains(' ') {
                "; a + of its time zone has to be written as %2B"
            } else {
                ""
            };
            de::Error::custom(format!("expected an instant such as 2026-01-05T10:00:00Z, or how long ago, such as 2h or 7d{hint}"))
        })
    }
}

impl JsonSchema for Instant {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Instant".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An instant (RFC 3339), or how long ago it is.",
            "anyOf": [
                {"type": "string", "format": "date-time"},
                {"type": "string", "pattern": format!("^{LENGTH}$")},
            ],
            "examples": ["2026-01-05T10:00:00Z", "24h"],
        })
    }
}

/// How long something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Length(pub(crate) TimeDelta);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        length(&text)
            .map(Self)
            .ok_or_else(|| de::Error::custom("expected a duration such as 24h, 7d or 90d"))
    }
}

/// In its largest whole unit.
impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.num_seconds();
        let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
        // A day is said in hours, as everybody does.
        let whole = |(unit, _): &(i64, &str)| seconds % unit == 0 && seconds > *unit;
        let (unit, name) = units.into_iter().find(whole).unwrap_or((1, "s"));
        write!(f, "{}{name}", seconds / unit)
    }
}

impl JsonSchema for Length {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Length".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "pattern": format!("^{LENGTH}$"),
            "examples": ["24h", "90d"],
        })
    }
}

/// The name of a time zone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Zone(pub(crate) Tz);

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map(Self).map_err(|_| {
            de::Error::custom("expected the name of a time zone (IANA) such as Europe/Helsinki")
        })
    }
}

impl JsonSchema for Zone {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "TimeZone".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "The time zone (IANA) whose days are meant; UTC when left out.",
            "type": "string",
            "examples": ["Europe/Helsinki"],
        })
    }
}

/// How long the buckets of a series are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StepText {
    #[default]
    Auto,
    /// No series at all.
    None,
    Every(TimeDelta),
}

impl<'de> Deserialize<'de> for StepText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "auto" => Ok(Self::Auto),
            "none" => Ok(Self::None),
            text => length(text).map(Self::Every).ok_or_else(|| {
                de::Error::custom("expected auto, none, or a duration such as 5m, 1h, 1d or 7d")
            }),
        }
    }
}

impl JsonSchema for StepText {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Step".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "How long the buckets of the series are: auto (some hundred of them), none (no series), a part of a day of a minute at least, or whole days.",
            "type": "string",
            "pattern": format!("^(auto|none|{LENGTH})$"),
            "examples": ["auto", "5m", "1d"],
        })
    }
}

impl StepText {
    fn of(self, range: TimeRange, zone: Tz) -> Result<Option<Step>, Problem> {
        let invalid =
            |error: monitor_core::metric::InvalidStep| Problem::field("step", error.to_string());
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
    from: Option<Instant>,
    /// End of the range, which is not part of it; now when left out.
    to: Option<Instant>,
    /// How long the buckets of the series are.
    #[serde(default)]
    step: StepText,
    /// The time zone whose days are meant.
    #[serde(default)]
    tz: Zone,
    /// Only checks from this region; from all when left out.
    pub(crate) region: Option<Region>,
}

/// The same of several sites.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FleetMetricQuery {
    /// Begin of the range; a day before its end when left out.
    from: Option<Instant>,
    /// End of the range, which is not part of it; now when left out.
    to: Option<Instant>,
    /// How long the buckets of the series are.
    #[serde(default)]
    step: StepText,
    /// The time zone whose days are meant.
    #[serde(default)]
    tz: Zone,
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
        let step = self.step.of(range, self.tz.0)?;
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

/// One number and one unit, so that what is documented is all that is understood.
fn length(text: &str) -> Option<TimeDelta> {
    let unit = text.chars().last()?;
    let number = text
        .strip_suffix(unit)
        .filter(|digits| (1..=5).contains(&digits.len()))?;
    if !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    TimeDelta::try_seconds(number.parse::<i64>().ok()? * seconds)
}

/// From when up to when, at whole milliseconds, as slots are.
pub(crate) fn range(
    from: Option<Instant>,
    to: Option<Instant>,
    length: TimeDelta,
    now: DateTime<Utc>,
) -> Result<TimeRange, Problem> {
    let instant = |field: &str, instant: Instant| {
        let resolved = instant
            .resolve(now)
            .filter(|at| at.timestamp() > -62_000_000_000);
        resolved
            .map(|at| at.trunc_subsecs(3))
            .ok_or_else(|| Problem::field(field, "is too long ago"))
    };
    let to = instant("to", to.unwrap_or(Instant::At(now)))?;
    let from = instant("from", from.unwrap_or(Instant::At(to - length)))?;
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
            "from=0",
            "from=1h30m",
            "from=+1h",
            "from=123456s",
        ] {
            assert!(query(text).is_err(), "{text}");
        }
    }
}
