//! Histograms of durations that can be merged without loss and answer for any percentile.
//!
//! The borders of the buckets are the powers of gamma = 21/20: the bucket of power `k` holds the
//! values above gamma^(k-1) up to gamma^k, and a bucket of its own, −1, holds zero. Whatever the
//! values are, a quantile is within (gamma − 1) / (gamma + 1) of the true order statistic, which is
//! 2.44 %: see Masson, Rim and Lee, "`DDSketch`: a fast and fully-mergeable quantile sketch with
//! relative-error guarantees" (VLDB 2019).
//!
//! Counts are whole numbers and the borders are found by whole-number arithmetic, so the same values
//! give the same histogram on every machine, in whatever order and in however many parts they come.

mod borders;
mod packed;

use self::borders::{LAST, power_of, range_of};

/// Ratio of the borders of a bucket.
pub const GAMMA: f64 = 1.05;

/// Most by which a quantile is off, relative to the true value: (gamma − 1) / (gamma + 1).
pub const RELATIVE_ERROR: f64 = 0.05 / 2.05;

/// The number under which a bucket is stored: −1 for zero, otherwise the power of gamma that is its
/// upper border.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(i16);

const BUCKETS: usize = LAST + 2;

impl Bucket {
    /// The bucket of a duration in microseconds.
    #[must_use]
    pub fn of(micros: u32) -> Self {
        Self::at(index_of(micros))
    }

    /// All buckets that can hold a value, in ascending order.
    pub fn all() -> impl Iterator<Item = Self> {
        let buckets = (0..BUCKETS).map(Self::at);
        buckets.filter(|bucket| bucket.low() <= bucket.high())
    }

    /// The number under which it is stored.
    #[must_use]
    pub fn number(self) -> i16 {
        self.0
    }

    /// The smallest duration in it, in microseconds.
    #[must_use]
    pub fn low(self) -> u32 {
        self.range().0
    }

    /// The largest duration in it, in microseconds.
    #[must_use]
    pub fn high(self) -> u32 {
        self.range().1
    }

    /// The value that is least wrong for all that the bucket can hold: the same relative distance
    /// from both ends.
    #[must_use]
    pub fn middle(self) -> f64 {
        let (low, high) = self.range();
        if high == 0 {
            return 0.0;
        }
        let (low, high) = (f64::from(low), f64::from(high));
        2.0 * low * high / (low + high)
    }

    fn range(self) -> (u32, u32) {
        self.index().checked_sub(1).map_or((0, 0), range_of)
    }

    fn index(self) -> usize {
        usize::try_from(self.0 + 1).unwrap_or(0)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        reason = "indexes are below BUCKETS, which is below 500"
    )]
    fn at(index: usize) -> Self {
        Self(index as i16 - 1)
    }
}

fn index_of(micros: u32) -> usize {
    if micros == 0 { 0 } else { power_of(micros) + 1 }
}

/// Why bytes are not a histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidHistogram {
    /// Each entry takes three.
    #[error("a histogram of {0} bytes, which are not entries of three")]
    Length(usize),
    /// A bucket that cannot hold any value.
    #[error("a histogram with bucket {0}; there are those from -1 to {LAST}")]
    Bucket(i16),
    /// Buckets are listed because something is in them.
    #[error("a histogram with nothing in bucket {0}")]
    Empty(i16),
}

/// How many durations fell into each bucket.
#[derive(Clone)]
pub struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    /// Nothing is outside of these indexes; empty when nothing was ever added.
    touched: std::ops::Range<usize>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            counts: Box::new([0; BUCKETS]),
            touched: 0..0,
            total: 0,
        }
    }
}

impl Histogram {
    /// Adds one duration, in microseconds.
    pub fn record(&mut self, micros: u32) {
        self.add_at(index_of(micros), 1);
    }

    /// Adds all that `other` holds.
    pub fn merge(&mut self, other: &Self) {
        for index in other.touched.clone() {
            if other.counts[index] > 0 {
                self.add_at(index, other.counts[index]);
            }
        }
    }

    /// Takes out what `other` holds, all of which was added before.
    pub fn remove(&mut self, other: &Self) {
        for index in other.touched.clone() {
            let count = other.counts[index].min(self.counts[index]);
            self.counts[index] -= count;
            self.total -= count;
        }
    }

    /// The buckets that are not empty, in ascending order, and how many durations each holds.
    pub fn sparse(&self) -> impl Iterator<Item = (Bucket, u64)> {
        let counts = self
            .touched
            .clone()
            .map(|index| (index, self.counts[index]));
        counts
            .filter(|(_, count)| *count > 0)
            .map(|(index, count)| (Bucket::at(index), count))
    }

    /// How many durations there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The duration in microseconds below or at which the share `q` of all durations is, within
    /// [`RELATIVE_ERROR`]; `None` when there are none. `q` is from 0 to 1; what is outside is moved
    /// inside.
    ///
    /// It estimates the order statistic that PostgreSQL's `percentile_disc(q)` returns.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "as percentile_disc computes it; counts are far below 2^53"
    )]
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = (q.clamp(0.0, 1.0) * self.total as f64).ceil() as u64;
        let mut seen = 0;
        let reached = self.sparse().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        reached.map(|(bucket, _)| bucket.middle())
    }

    /// Takes everything out, to be filled anew without a new allocation.
    pub fn clear(&mut self) {
        self.counts[self.touched.clone()].fill(0);
        self.touched = 0..0;
        self.total = 0;
    }

    fn add_at(&mut self, index: usize, count: u64) {
        self.counts[index] += count;
        self.total += count;
        if self.touched.is_empty() {
            self.touched = index..index + 1;
        } else {
            self.touched.start = self.touched.start.min(index);
            self.touched.end = self.touched.end.max(index + 1);
        }
    }
}

impl PartialEq for Histogram {
    fn eq(&self, other: &Self) -> bool {
        self.sparse().eq(other.sparse())
    }
}

impl Eq for Histogram {}

impl std::fmt::Debug for Histogram {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let entries = self
            .sparse()
            .map(|(bucket, count)| (bucket.number(), count));
        f.debug_map().entries(entries).finish()
    }
}

#[cfg(test)]
mod tests;
