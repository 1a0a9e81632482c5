//! The report: what was measured, beside what was aimed for.

mod comparison;

use std::fmt;

use serde_json::{Value, json};

use self::comparison::{Comparison, compare};
use crate::contender::Contender;
use crate::histogram::Between;
use crate::memory::Memory;
use crate::nginx::Scheme;
use crate::rounds::{Plan, Sample};
use crate::scale::Scale;
use crate::statistics::Spread;
use crate::target::Target;
use crate::window::NOISY;

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * 1024.0;

/// Everything that was measured in a run.
pub(crate) struct Report {
    pub(crate) plan: Plan,
    pub(crate) samples: Vec<Sample>,
    pub(crate) memory: Memory,
    pub(crate) scale: Vec<Scale>,
    pub(crate) skipped: Vec<(Contender, String)>,
}

impl Report {
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "plan": self.plan,
            "samples": self.samples,
            "memory": self.memory,
            "scale": self.scale,
            "ratios": self.comparisons(),
            "skipped": self.skipped,
            "noisy": self.is_noisy(),
        })
    }

    fn comparisons(&self) -> Vec<Comparison> {
        let mut comparisons = Vec::new();
        for scheme in Scheme::BOTH {
            for ours in Contender::OURS {
                let beside_others = Contender::OTHERS
                    .into_iter()
                    .filter_map(|other| compare(&self.samples, scheme, ours, other));
                comparisons.extend(beside_others);
            }
        }
        comparisons
    }

    fn foreign(&self) -> f64 {
        let shares = self.samples.iter().map(|sample| sample.window.foreign);
        shares.fold(0.0, f64::max)
    }

    fn is_noisy(&self) -> bool {
        self.foreign() > NOISY
    }

    fn of(&self, scheme: Scheme, contender: Contender) -> impl Iterator<Item = &Sample> {
        let wanted =
            move |sample: &&Sample| sample.scheme == scheme && sample.contender == contender;
        self.samples.iter().filter(wanted)
    }

    fn write_costs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| check | by | CPU µs per check | checks/s | RSS MiB |\n|---|---|---|---|---|"
        )?;
        for scheme in Scheme::BOTH {
            for contender in Contender::OURS.into_iter().chain(Contender::OTHERS) {
                let spread =
                    |number: fn(&Sample) -> f64| Spread::of(self.of(scheme, contender).map(number));
                let costs = spread(|sample| sample.window.cpu_micros);
                let rates = spread(|sample| sample.window.rate);
                let memory = spread(|sample| mebibytes(sample.resident_bytes));
                let (Some(costs), Some(rates), Some(memory)) = (costs, rates, memory) else {
                    continue;
                };
                let (scheme, costs) = (scheme.name(), costs.spelled(1));
                let (rate, memory) = (rates.median, memory.median);
                writeln!(
                    f,
                    "| {scheme} | {contender} | {costs} | {rate:.0} | {memory:.1} |"
                )?;
            }
        }
        Ok(())
    }

    fn write_ratios(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| ratio of CPU per check | median (min..max) | target | |\n|---|---|---|---|"
        )?;
        for comparison in self.comparisons() {
            let Comparison { ratio, target, .. } = &comparison;
            let aim = target.map_or_else(String::new, |target| target.to_string());
            let held = target.map_or("", |target| target.verdict(ratio.median));
            let ratio = ratio.spelled(2);
            writeln!(f, "| {comparison} | {ratio} | {aim} | {held} |")?;
        }
        Ok(())
    }

    fn write_memory(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Memory {
            without_sites,
            idle_sites,
            per_idle_site,
            checks_in_flight,
            per_plain_check,
            per_tls_check,
        } = self.memory;
        let base = mebibytes(without_sites);
        writeln!(
            f,
            "\n| memory of the checker | measured | target | |\n|---|---|---|---|\n\
             | without sites | {base:.1} MiB | | |"
        )?;
        let idle = Target::AtMost(300.0);
        let held = idle.verdict(per_idle_site);
        writeln!(
            f,
            "| each of {idle_sites} idle sites | {per_idle_site:.0} B | {idle} B | {held} |"
        )?;
        let checks = [
            (Scheme::Http, per_plain_check, 18.0),
            (Scheme::Https, per_tls_check, 25.0),
        ];
        for (scheme, bytes, most) in checks {
            let (scheme, target) = (scheme.name(), Target::AtMost(most));
            let kibibytes = bytes / KIB;
            let held = target.verdict(kibibytes);
            writeln!(
                f,
                "| each of {checks_in_flight} {scheme} checks in flight | {kibibytes:.1} KiB \
                 | {target} KiB | {held} |"
            )?;
        }
        Ok(())
    }

    fn write_lateness(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n| start lateness of the checker, worst round | p50 | p99 |\n|---|---|---|"
        )?;
        for scheme in Scheme::BOTH {
            let worst = |quantile: fn(&Sample) -> Option<Between>| {
                let found = self.of(scheme, Contender::Checker).filter_map(quantile);
                found.max_by(|left, right| left.at_most.total_cmp(&right.at_most))
            };
            let p50 = bucket(worst(|sample| sample.lateness_p50));
            let p99 = bucket(worst(|sample| sample.lateness_p99));
            writeln!(f, "| {} | {p50} | {p99} |", scheme.name())?;
        }
        for scale in &self.scale {
            let (p50, p99) = (bucket(scale.lateness_p50), bucket(scale.lateness_p99));
            let (sites, rate, load) = (scale.sites, scale.rate, 100.0 * scale.load);
            let memory = mebibytes(scale.resident_bytes);
            writeln!(
                f,
                "| {sites} sites in {memory:.0} MiB, {rate:.0}/s, {load:.0} % of full load \
                 | {p50} | {p99} |"
            )?;
        }
        writeln!(
            f,
            "\nLateness is known to the width of a bucket of the histogram."
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { rounds, window } = self.plan;
        writeln!(
            f,
            "Median (min..max) of {rounds} interleaved rounds, windows of {} s.\n",
            window.as_secs()
        )?;
        self.write_costs(f)?;
        self.write_ratios(f)?;
        self.write_memory(f)?;
        self.write_lateness(f)?;
        for (contender, reason) in &self.skipped {
            writeln!(f, "\n{contender} was skipped: {reason}.")?;
        }
        let foreign = 100.0 * self.foreign();
        let noisy = if self.is_noisy() { "NOISY: " } else { "" };
        writeln!(
            f,
            "\n{noisy}others kept at most {foreign:.0} % of the machine busy during a window."
        )
    }
}

fn bucket(quantile: Option<Between>) -> String {
    let milliseconds = |seconds: f64| 1e3 * seconds;
    quantile.map_or_else(
        || "unknown".to_owned(),
        |Between { more_than, at_most }| {
            let (low, high) = (milliseconds(more_than), milliseconds(at_most));
            format!("{low}..{high} ms")
        },
    )
}

fn mebibytes(bytes: u64) -> f64 {
    let kibibytes = u32::try_from(bytes / 1024).unwrap_or(u32::MAX);
    f64::from(kibibytes) * KIB / MIB
}

#[cfg(test)]
mod tests;
