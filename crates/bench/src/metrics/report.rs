//! The report: what was measured, beside what was aimed for.

use std::fmt;

use serde_json::{Value, json};

use super::data::{Extent, Table};
use super::load::{self, AT_A_TIME, Load, Route};
use super::questions::{Question, Questions, Sample, Way};
use crate::line::Line;
use crate::statistics::Spread;
use crate::target::Target;
use crate::window::NOISY;

const MIB: f64 = 1024.0 * 1024.0;

/// Everything that was measured in a run.
pub(crate) struct Report {
    pub(crate) rounds: u32,
    /// How much of the machine others kept busy.
    pub(crate) foreign: f64,
    pub(crate) extent: Extent,
    pub(crate) tables: Vec<Table>,
    pub(crate) questions: Questions,
    pub(crate) load: Load,
}

/// An answer of ours, and what plain SQL has for it.
struct Row {
    name: String,
    ours: (Question, Way),
    plain: Option<(Question, Way)>,
}

/// What is met by who asks again at once.
const UNCHANGED: (Question, Way) = (Question::Overview, Way::Unchanged);
/// What is met by who asks every ten seconds.
const REFRESHED: (Question, Way) = (Question::Overview, Way::Some);
const UPTIME: (Question, Way) = (Question::UptimeOfEachSite, Way::Plain);
const P95: (Question, Way) = (Question::P95OfEachSite, Way::Plain);

impl Report {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "rounds": self.rounds,
            "extent": self.extent,
            "tables": self.tables,
            "questions": self.questions,
            "load": self.load,
            "foreign": self.foreign,
            "noisy": self.is_noisy(),
        })
    }

    fn is_noisy(&self) -> bool {
        self.foreign > NOISY
    }

    fn samples(&self, (question, way): (Question, Way)) -> impl Iterator<Item = &Sample> {
        let samples = self.questions.samples.iter();
        samples.filter(move |sample| (sample.question, sample.way) == (question, way))
    }

    fn spread(&self, of: (Question, Way), number: fn(&Sample) -> f64) -> Option<Spread> {
        Spread::of(self.samples(of).map(number))
    }

    /// How many times as long the other takes, round by round.
    fn ratio(&self, ours: (Question, Way), other: (Question, Way)) -> Option<Spread> {
        let median = |round: u32, of: (Question, Way)| {
            let sample = self.samples(of).find(|sample| sample.round == round)?;
            Some(sample.p50_ms)
        };
        let ratios = (1..=self.rounds)
            .filter_map(|round| Some(median(round, other)? / median(round, ours)?));
        Spread::of(ratios)
    }

    fn rows(&self) -> Vec<Row> {
        let row = |name: &str, ours, plain| Row {
            name: name.to_owned(),
            ours,
            plain,
        };
        let site = |name: &str, question: Question| {
            row(name, (question, Way::Ours), Some((question, Way::Plain)))
        };
        let overview = |name: &str, way: Way| {
            let name = format!("overview of all sites, 24 h, {name}");
            row(&name, (Question::Overview, way), Some(UPTIME))
        };
        let days = format!("summary of a site, {} days", self.extent.days);
        let cold = |name: &str| format!("{name}, nothing kept");
        let day = "summary of a site, 24 h";
        vec![
            row("the bare round trip", (Question::Nothing, Way::Plain), None),
            site(day, Question::Day),
            row(&cold(day), (Question::Day, Way::Cold), None),
            row(&days, (Question::Days, Way::Ours), None),
            row(&cold(&days), (Question::Days, Way::Cold), None),
            site("page of 100 checks of a site", Question::Page),
            site("outages of a site, 30 days", Question::Outages),
            overview("nothing kept", Way::Cold),
            overview("new checks of all", Way::All),
            overview("new checks of a sixth", Way::Some),
            overview("nothing new", Way::Unchanged),
            row(
                "new checks of a sixth, beside the p95 of each site",
                REFRESHED,
                Some(P95),
            ),
            row(
                "nothing new, beside the p95 of each site",
                UNCHANGED,
                Some(P95),
            ),
        ]
    }

    fn lines(&self) -> Vec<Line> {
        let most = Target::AtMost;
        let day = (Question::Day, Way::Ours);
        let days = (Question::Days, Way::Ours);
        let page = (Question::Page, Way::Ours);
        let name = |what: &str| format!("summary of a site, {what}");
        let long = format!("{} days", self.extent.days);
        let mut lines = Vec::new();
        let mut add = |name: String, spread: Option<Spread>, aim: Target, unit: &'static str| {
            lines.extend(spread.map(|spread| Line::of_spread(&name, spread, aim, unit)));
        };
        let (p50, p99) = (
            |sample: &Sample| sample.p50_ms,
            |sample: &Sample| sample.p99_ms,
        );
        add(name("24 h, p50"), self.spread(day, p50), most(0.3), " ms");
        add(name("24 h, p99"), self.spread(day, p99), most(1.0), " ms");
        add(
            name(&format!("{long}, p50")),
            self.spread(days, p50),
            most(0.6),
            " ms",
        );
        add(
            name(&format!("{long}, p99")),
            self.spread(days, p99),
            most(1.5),
            " ms",
        );
        let hundred = "page of 100 checks of a site, p50".to_owned();
        add(hundred, self.spread(page, p50), most(1.0), " ms");
        for (what, plain, least) in [
            ("GROUP BY for states and uptime / overview", UPTIME, 60.0),
            ("percentile_disc of each site / overview", P95, 100.0),
        ] {
            for (when, ours) in [
                ("nothing new", UNCHANGED),
                ("new checks of a sixth", REFRESHED),
            ] {
                let ratio = self.ratio(ours, plain);
                add(format!("{what}, {when}"), ratio, Target::AtLeast(least), "");
            }
        }
        let wrong = 100.0 * self.questions.error;
        lines.push(Line::of(
            "largest error of a percentile",
            wrong,
            most(2.5),
            " %",
        ));
        lines.extend(self.lines_of_load());
        lines
    }

    fn lines_of_load(&self) -> [Line; 3] {
        let Load {
            samples,
            connections,
            allowed_connections,
            peak_bytes,
            ..
        } = &self.load;
        let errors: u32 = samples.iter().map(|sample| sample.errors).sum();
        [
            Line::of(
                "API: errors under load",
                errors.into(),
                Target::AtMost(0.0),
                "",
            ),
            Line::of(
                "API: connections to the database",
                (*connections).into(),
                Target::AtMost((*allowed_connections).into()),
                "",
            ),
            Line::plain("API: most memory", mebibytes(*peak_bytes), " MiB"),
        ]
    }

    fn write_tables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| table | rows | MiB |\n|---|---|---|")?;
        for Table { name, rows, bytes } in &self.tables {
            writeln!(f, "| `{name}` | {rows} | {:.0} |", mebibytes(*bytes))?;
        }
        Ok(())
    }

    fn write_questions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| question | p50, ms | p99, ms | library, CPU µs | PostgreSQL, CPU µs | \
             plain SQL, p50, ms | plain / ours |\n|---|---|---|---|---|---|---|"
        )?;
        for Row { name, ours, plain } in self.rows() {
            let p50 = self.spread(ours, |sample| sample.p50_ms);
            let p99 = self.spread(ours, |sample| sample.p99_ms);
            let other = plain.and_then(|plain| self.spread(plain, |sample| sample.p50_ms));
            let ratio = plain.and_then(|plain| self.ratio(ours, plain));
            let program = spelled(self.spread(ours, |sample| sample.program_micros), 0);
            let database = spelled(self.spread(ours, |sample| sample.database_micros), 0);
            let (p50, p99) = (spelled(p50, 3), spelled(p99, 2));
            let (other, ratio) = (spelled(other, 2), spelled(ratio, 1));
            writeln!(
                f,
                "| {name} | {p50} | {p99} | {program} | {database} | {other} | {ratio} |"
            )?;
        }
        Ok(())
    }

    fn write_load(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| `GET`, {AT_A_TIME} at a time | requests/s | p50, ms | p99, ms | \
             API, CPU µs per request | PostgreSQL, CPU µs per request |\n|---|---|---|---|---|---|"
        )?;
        for route in Route::ALL {
            if !self.load.samples.iter().any(|sample| sample.route == route) {
                continue;
            }
            let spread = |number: fn(&load::Sample) -> f64, digits: usize| {
                let of = self.load.samples.iter();
                let of = of.filter(|sample| sample.route == route);
                spelled(Spread::of(of.map(number)), digits)
            };
            writeln!(
                f,
                "| `{}` | {} | {} | {} | {} | {} |",
                route.path().replace("%d", "{id}"),
                spread(|sample| sample.rate, 0),
                spread(|sample| sample.p50_ms, 1),
                spread(|sample| sample.p99_ms, 1),
                spread(|sample| sample.api_micros, 0),
                spread(|sample| sample.postgres_micros, 0),
            )?;
        }
        Ok(())
    }
}

fn spelled(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or_else(String::new, |spread| spread.spelled(digits))
}

fn mebibytes(bytes: u64) -> f64 {
    let kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kibibytes) * 1024.0 / MIB
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, extent, .. } = self;
        let Extent { sites, days, .. } = extent;
        writeln!(
            f,
            "Median (min..max) of {rounds} interleaved rounds; {sites} sites, {days} days.\n"
        )?;
        self.write_tables(f)?;
        self.write_questions(f)?;
        self.write_load(f)?;
        writeln!(f, "\n| | measured | aim | |\n|---|---|---|---|")?;
        for line in self.lines() {
            writeln!(f, "{line}")?;
        }
        for (route, reason) in &self.load.skipped {
            writeln!(f, "\n`{}` was skipped: {reason}.", route.path())?;
        }
        let foreign = 100.0 * self.foreign;
        let noisy = if self.is_noisy() { "NOISY: " } else { "" };
        writeln!(
            f,
            "\n{noisy}others kept {foreign:.0} % of the machine busy."
        )
    }
}

#[cfg(test)]
mod tests;
