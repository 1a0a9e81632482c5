//! Rollups that are kept in memory: a kilobyte instead of twenty.

use monitor_core::FailureKind;

use super::rollup::{Durations, Rollup};
use crate::error::StoreError;

/// The same as a [`Rollup`], in little room.
#[derive(Debug, Default)]
pub(crate) struct CompactRollup {
    outcomes: [u64; 5],
    suspect: u64,
    content_matched: u64,
    content_unmatched: u64,
    failures: Box<[(FailureKind, u64)]>,
    status_codes: Box<[(u16, u64)]>,
    phases: [CompactDurations; 6],
}

/// The same as [`Durations`], with the histogram as it is stored.
#[derive(Debug, Default)]
struct CompactDurations {
    sum_us: u64,
    range_us: Option<(u32, u32)>,
    histogram: Box<[u8]>,
}

impl CompactRollup {
    /// About how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let histograms = self.phases.iter().map(|phase| phase.histogram.len());
        size_of::<Self>()
            + size_of_val(&*self.failures)
            + size_of_val(&*self.status_codes)
            + histograms.sum::<usize>()
    }

    /// Adds all that it has.
    pub(crate) fn add_to(&self, rollup: &mut Rollup) -> Result<(), StoreError> {
        rollup.add_outcomes(self.outcomes);
        rollup.suspect += self.suspect;
        rollup.content_matched += self.content_matched;
        rollup.content_unmatched += self.content_unmatched;
        for (kind, count) in &self.failures {
            rollup.add_failure(*kind, *count);
        }
        for (code, count) in &self.status_codes {
            rollup.add_status_code(*code, *count);
        }
        for (phase, more) in rollup.phases.iter_mut().zip(&self.phases) {
            more.add_to(phase)?;
        }
        Ok(())
    }
}

impl CompactDurations {
    fn add_to(&self, durations: &mut Durations) -> Result<(), StoreError> {
        durations.sum_us += self.sum_us;
        if let Some((min, max)) = self.range_us {
            durations.include(min, max);
        }
        let merged = durations.histogram.merge_packed(&self.histogram);
        merged.map_err(|error| StoreError::Value(format!("in a rollup that was kept: {error}")))
    }
}

impl From<&Rollup> for CompactRollup {
    fn from(rollup: &Rollup) -> Self {
        Self {
            outcomes: rollup.outcomes(),
            suspect: rollup.suspect,
            content_matched: rollup.content_matched,
            content_unmatched: rollup.content_unmatched,
            failures: copied(&rollup.failures),
            status_codes: copied(&rollup.status_codes),
            phases: rollup.phases.each_ref().map(CompactDurations::from),
        }
    }
}

fn copied<K: Copy>(counts: &std::collections::BTreeMap<K, u64>) -> Box<[(K, u64)]> {
    counts.iter().map(|(key, count)| (*key, *count)).collect()
}

impl From<&Durations> for CompactDurations {
    fn from(durations: &Durations) -> Self {
        let mut histogram = Vec::new();
        durations.histogram.pack(&mut histogram);
        Self {
            sum_us: durations.sum_us,
            range_us: durations.range_us,
            histogram: histogram.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use monitor_core::Outcome;
    use monitor_core::event::ContentMatch;
    use strum::VariantArray as _;

    use super::*;

    #[test]
    fn nothing_is_lost() {
        let mut rollup = Rollup::default();
        for (count, outcome) in (1..).zip(Outcome::VARIANTS) {
            rollup.add_outcome(*outcome, count);
        }
        for (count, kind) in (1..).zip(FailureKind::VARIANTS) {
            rollup.add_failure(*kind, count);
        }
        rollup.add_status_code(200, 7);
        rollup.add_status_code(503, 2);
        rollup.add_content(ContentMatch::Matched, 4);
        rollup.add_content(ContentMatch::Unmatched, 5);
        rollup.suspect = 6;
        for (phase, micros) in rollup.phases.iter_mut().zip(0_u32..) {
            (0..=micros * 1000)
                .step_by(97)
                .for_each(|micros| phase.record(micros));
        }
        let mut again = Rollup::default();
        CompactRollup::from(&rollup).add_to(&mut again).unwrap();
        assert_eq!(again, rollup);
    }
}
