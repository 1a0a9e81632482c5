//! The report: what was measured of few sites and of many, beside what was aimed for.

use std::fmt;

use serde_json::{Value, json};

use super::browser::Visit;
use super::polls::Poll;
use crate::line::Line;
use crate::statistics::Spread;
use crate::target::Target;
use crate::window::NOISY;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;
/// Many sites are interactive within so many times what few are, or within this time, if that is more.
const TIMES: f64 = 3.0;
const SOON_MS: f64 = 1500.0;
const FRAMES: f64 = 50.0;

/// Everything that was measured in a run.
pub(super) struct Report {
    pub(super) rounds: u32,
    pub(super) sites: [u32; 2],
    /// How much of the machine others kept busy.
    pub(super) foreign: f64,
    /// With the round and the number of sites.
    pub(super) visits: Vec<(u32, u32, Visit)>,
    pub(super) polls: Vec<Poll>,
    /// The most memory that the API had, for each number of sites.
    pub(super) memory: Vec<u64>,
}

/// A number of every visit, or of every poll.
#[derive(Clone, Copy)]
enum Number {
    OfVisit(fn(&Visit) -> f64),
    OfPoll(fn(&Poll) -> f64),
}

use Number::{OfPoll, OfVisit};

/// What is told, with how many digits.
const ROWS: [(&str, Number, usize); 18] = [
    (
        "first load, KiB",
        OfVisit(|visit| visit.sent.total() / KIB),
        0,
    ),
    ("… script", OfVisit(|visit| visit.sent.script / KIB), 0),
    ("… style", OfVisit(|visit| visit.sent.style / KIB), 0),
    ("… fonts", OfVisit(|visit| visit.sent.font / KIB), 0),
    (
        "… answers of the API",
        OfVisit(|visit| visit.sent.answers / KIB),
        0,
    ),
    ("first rows, ms", OfVisit(|visit| visit.first_rows_ms), 0),
    ("interactive, ms", OfVisit(|visit| visit.interactive_ms), 0),
    (
        "long tasks until then, ms",
        OfVisit(|visit| visit.long_tasks_ms),
        0,
    ),
    ("search, median key, ms", OfVisit(Visit::search), 0),
    ("search, slowest key, ms", OfVisit(Visit::slowest_search), 0),
    ("update, main thread, ms", OfVisit(Visit::update), 0),
    (
        "update, longest task over 50 ms, ms",
        OfVisit(Visit::longest_task_of_an_update),
        0,
    ),
    (
        "frames/s while scrolling, median second",
        OfVisit(Visit::frame_rate),
        0,
    ),
    (
        "longest frame while scrolling, ms",
        OfVisit(|visit| visit.longest_frame_ms),
        0,
    ),
    (
        "scripts' memory, MiB",
        OfVisit(|visit| visit.heap_bytes / MIB),
        1,
    ),
    (
        "poll, as sent, KiB",
        OfPoll(|poll| bytes(poll.bytes) / KIB),
        1,
    ),
    ("poll, ms", OfPoll(|poll| poll.took_ms), 1),
    ("poll, CPU of the API, ms", OfPoll(|poll| poll.cpu_ms), 1),
];

impl Report {
    pub(super) fn to_json(&self) -> Value {
        let visits = self.visits.iter().map(|(round, sites, visit)| {
            json!({
                "round": round,
                "sites": sites,
                "visit": visit,
            })
        });
        json!({
            "rounds": self.rounds,
            "sites": self.sites,
            "visits": visits.collect::<Vec<_>>(),
            "polls": self.polls,
            "memory": self.memory,
            "foreign": self.foreign,
            "noisy": self.is_noisy(),
        })
    }

    fn is_noisy(&self) -> bool {
        self.foreign > NOISY
    }

    /// A number of so many sites in a round.
    fn number(&self, round: u32, sites: u32, number: Number) -> Option<f64> {
        match number {
            OfVisit(of) => {
                let mut visits = self.visits.iter();
                let (_, _, visit) = visits.find(|one| (one.0, one.1) == (round, sites))?;
                Some(of(visit))
            }
            OfPoll(of) => {
                let mut polls = self.polls.iter();
                polls
                    .find(|poll| (poll.round, poll.sites) == (round, sites))
                    .map(of)
            }
        }
    }

    fn spread(&self, sites: u32, number: Number) -> Option<Spread> {
        Spread::of((1..=self.rounds).filter_map(|round| self.number(round, sites, number)))
    }

    /// How many times as much it is of many sites, round by round. Of nothing there is no ratio.
    fn ratio(&self, number: Number) -> Option<Spread> {
        let [few, many] = self.sites;
        let ratios = (1..=self.rounds).filter_map(|round| {
            let few = self.number(round, few, number)?;
            Some(self.number(round, many, number)? / few)
        });
        Spread::of(ratios.filter(|ratio| ratio.is_finite()))
    }

    fn lines(&self) -> Vec<Line> {
        let [few, many] = self.sites;
        let interactive = OfVisit(|visit| visit.interactive_ms);
        let frames = OfVisit(Visit::frame_rate);
        let mut lines = Vec::new();
        let both = self
            .spread(few, interactive)
            .zip(self.spread(many, interactive));
        if let Some((few, spread)) = both {
            let most = (TIMES * few.median).max(SOON_MS).round();
            let name = format!("{many} sites: interactive");
            lines.push(Line::of_spread(&name, spread, Target::AtMost(most), " ms"));
        }
        if let Some(spread) = self.spread(many, frames) {
            let name = format!("{many} sites: frames/s while scrolling");
            lines.push(Line::of_spread(&name, spread, Target::AtLeast(FRAMES), ""));
        }
        let memory = self.sites.iter().zip(&self.memory);
        lines.extend(memory.map(|(sites, bytes)| {
            let name = format!("API of {sites} sites: most memory");
            Line::plain(&name, mebibytes(*bytes), " MiB")
        }));
        lines
    }
}

fn spelled(spread: Option<Spread>, digits: usize) -> String {
    spread.map_or_else(String::new, |spread| spread.spelled(digits))
}

fn bytes(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

fn mebibytes(bytes: u64) -> f64 {
    let kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kibibytes) * KIB / MIB
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, sites, .. } = self;
        let [few, many] = sites;
        writeln!(f, "Median (min..max) of {rounds} interleaved rounds.\n")?;
        writeln!(
            f,
            "| | {few} sites | {many} sites | ratio |\n|---|---|---|---|"
        )?;
        for (name, number, digits) in ROWS {
            let [few, many] = sites.map(|sites| spelled(self.spread(sites, number), digits));
            let ratio = spelled(self.ratio(number), 1);
            writeln!(f, "| {name} | {few} | {many} | {ratio} |")?;
        }
        writeln!(f, "\n| | measured | aim | |\n|---|---|---|---|")?;
        for line in self.lines() {
            writeln!(f, "{line}")?;
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
