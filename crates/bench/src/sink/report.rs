//! The report: what was measured, beside what was aimed for.

use std::fmt;

use serde_json::{Value, json};

use super::latency::Latency;
use super::meter::Pace;
use super::recovery::Recovery;
use super::upkeep::Upkeep;
use super::way::{Sample, Way};
use crate::line::Line;
use crate::statistics::Spread;
use crate::target::Target;
use crate::window::NOISY;

const MIB: f64 = 1024.0 * 1024.0;

/// Everything that was measured in a run.
pub(crate) struct Report {
    pub(crate) rounds: u32,
    pub(crate) events: u32,
    pub(crate) samples: Vec<Sample>,
    pub(crate) skipped: Vec<(Way, String)>,
    pub(crate) upkeep: Upkeep,
    pub(crate) latency: Latency,
    pub(crate) recovery: Recovery,
}

impl Report {
    pub(crate) fn to_json(&self) -> Value {
        let ratios: Vec<Value> = Way::OTHERS
            .into_iter()
            .filter_map(|other| Some(json!({ "to": other, "ratio": self.ratio(other)? })))
            .collect();
        json!({
            "rounds": self.rounds,
            "events": self.events,
            "samples": self.samples,
            "ratios": ratios,
            "skipped": self.skipped,
            "upkeep": self.upkeep,
            "latency": self.latency,
            "recovery": self.recovery,
            "noisy": self.is_noisy(),
        })
    }

    fn of(&self, way: Way) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |sample| sample.way == way)
    }

    fn spread(&self, way: Way, number: fn(&Pace) -> f64) -> Option<Spread> {
        Spread::of(self.of(way).map(|sample| number(&sample.pace)))
    }

    /// How many times as fast as the other ours is, round by round.
    fn ratio(&self, other: Way) -> Option<Spread> {
        let rate = |round: u32, way: Way| {
            let sample = self.of(way).find(|sample| sample.round == round)?;
            Some(sample.pace.rows_per_second)
        };
        let ratios = (1..=self.rounds)
            .filter_map(|round| Some(rate(round, Way::Sink)? / rate(round, other)?));
        Spread::of(ratios)
    }

    fn peak(&self) -> Option<Spread> {
        let peaks = self.of(Way::Sink).filter_map(|sample| sample.peak_bytes);
        Spread::of(peaks.map(|bytes| {
            let kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
            f64::from(kibibytes) * 1024.0 / MIB
        }))
    }

    fn foreign(&self) -> f64 {
        let shares = self.samples.iter().map(|sample| sample.pace.foreign);
        shares.fold(0.0, f64::max)
    }

    fn is_noisy(&self) -> bool {
        self.foreign() > NOISY
    }

    fn lines(&self) -> Vec<Line> {
        let mut lines = Vec::new();
        let aims = [
            (Way::Copy, Target::AtLeast(0.9)),
            (Way::OneByOne, Target::AtLeast(140.0)),
            (Way::Connect, Target::AtLeast(10.0)),
        ];
        for (other, aim) in aims {
            if let Some(ratio) = self.ratio(other) {
                let name = format!("events/s: sink / {other}");
                lines.push(Line::of_spread(&name, ratio, aim, ""));
            }
        }
        if let Some(cost) = self.spread(Way::Sink, |pace| pace.client_micros) {
            let name = "CPU of the sink for each event";
            lines.push(Line::of_spread(name, cost, Target::AtMost(1.3), " µs"));
        }
        if let Some(peak) = self.peak() {
            let name = "most memory of the sink";
            lines.push(Line::of_spread(name, peak, Target::AtMost(64.0), " MiB"));
        }
        lines.extend(self.lines_of_storing());
        lines.extend(self.lines_of_upkeep());
        lines
    }

    fn lines_of_storing(&self) -> Vec<Line> {
        let Latency {
            p50_ms,
            p99_ms,
            max_ms,
            sink_micros,
            ..
        } = self.latency;
        let Recovery {
            backlog,
            seconds,
            times_arrival,
        } = self.recovery;
        let caught_up =
            format!("rows/s after a pause, by those that came in ({backlog} in {seconds:.1} s)");
        vec![
            Line::plain("due → visible at 1,000/s, p50", p50_ms, " ms"),
            Line::of(
                "due → visible at 1,000/s, p99",
                p99_ms,
                Target::AtMost(150.0),
                " ms",
            ),
            Line::plain("due → visible at 1,000/s, max", max_ms, " ms"),
            Line::plain(
                "CPU of the sink for each event at 1,000/s",
                sink_micros,
                " µs",
            ),
            Line::of(&caught_up, times_arrival, Target::AtLeast(2.0), ""),
        ]
    }

    fn lines_of_upkeep(&self) -> [Line; 5] {
        let Upkeep {
            rollup_micros,
            packing_micros,
            bytes_open,
            bytes_closed,
            bytes_rolled_up,
        } = self.upkeep;
        let most = Target::AtMost;
        [
            Line::of(
                "rolling up, CPU for each check",
                rollup_micros,
                most(0.5),
                " µs",
            ),
            Line::plain(
                "packing a closed day, CPU for each check",
                packing_micros,
                " µs",
            ),
            Line::of(
                "each check of an open day on the disk",
                bytes_open,
                most(100.0),
                " B",
            ),
            Line::of(
                "each check of a closed day on the disk",
                bytes_closed,
                most(40.0),
                " B",
            ),
            Line::plain(
                "rollups of hours and days, for each check",
                bytes_rolled_up,
                " B",
            ),
        ]
    }

    fn write_paces(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| way | rows/s | client, CPU µs per row | PostgreSQL, CPU µs per row |\n\
             |---|---|---|---|"
        )?;
        for way in Way::ALL {
            let rates = self.spread(way, |pace| pace.rows_per_second);
            let clients = self.spread(way, |pace| pace.client_micros);
            let servers = self.spread(way, |pace| pace.postgres_micros);
            let (Some(rates), Some(clients), Some(servers)) = (rates, clients, servers) else {
                continue;
            };
            let (rates, servers) = (rates.spelled(0), servers.spelled(2));
            let clients = if way == Way::Copy {
                String::new()
            } else {
                clients.spelled(2)
            };
            writeln!(f, "| {way} | {rates} | {clients} | {servers} |")?;
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, events, .. } = self;
        writeln!(
            f,
            "Median (min..max) of {rounds} interleaved rounds, {events} events in the topic.\n"
        )?;
        self.write_paces(f)?;
        writeln!(f, "\n| | measured | aim | |\n|---|---|---|---|")?;
        for line in self.lines() {
            writeln!(f, "{line}")?;
        }
        for (way, reason) in &self.skipped {
            writeln!(f, "\n{way} was skipped: {reason}.")?;
        }
        let foreign = 100.0 * self.foreign();
        let noisy = if self.is_noisy() { "NOISY: " } else { "" };
        writeln!(
            f,
            "\n{noisy}others kept at most {foreign:.0} % of the machine busy."
        )
    }
}

#[cfg(test)]
mod tests;
