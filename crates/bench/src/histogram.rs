//! A histogram of a `/metrics` page.

use std::collections::BTreeMap;

/// How many samples were at most each upper bound, in ascending order; the last one is infinite.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Histogram(Vec<(f64, f64)>);

/// Two neighbouring bounds of a histogram, and therefore all that can be said about a quantile.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub(crate) struct Between {
    pub(crate) more_than: f64,
    pub(crate) at_most: f64,
}

impl Histogram {
    /// The histogram of this name; empty when there is none. All its labels are added up.
    pub(crate) fn read(page: &str, name: &str) -> Self {
        let prefix = format!("{name}_bucket{{");
        let mut buckets = BTreeMap::new();
        for line in page.lines().filter_map(|line| line.strip_prefix(&prefix)) {
            if let Some((bound, count)) = bucket(line) {
                // Bounds are not negative, and such numbers are ordered as their bits are.
                let (_, total) = buckets.entry(bound.to_bits()).or_insert((bound, 0.0));
                *total += count;
            }
        }
        Self(buckets.into_values().collect())
    }

    /// What has come in since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let before: BTreeMap<u64, f64> = earlier
            .0
            .iter()
            .map(|(bound, count)| (bound.to_bits(), *count))
            .collect();
        let counts = self.0.iter().map(|(bound, count)| {
            let before = before.get(&bound.to_bits()).unwrap_or(&0.0);
            (*bound, count - before)
        });
        Self(counts.collect())
    }

    /// Where the sample is that this share of all samples does not exceed.
    pub(crate) fn quantile(&self, share: f64) -> Option<Between> {
        let (_, total) = self.0.last().filter(|(_, total)| *total > 0.0)?;
        let mut more_than = 0.0;
        for (bound, count) in &self.0 {
            if *count >= share * total {
                let at_most = *bound;
                return Some(Between { more_than, at_most });
            }
            more_than = *bound;
        }
        None
    }
}

/// `le="0.5"} 12`, possibly with other labels before it.
fn bucket(line: &str) -> Option<(f64, f64)> {
    let (labels, count) = line.split_once("} ")?;
    let (_, bound) = labels.split_once("le=\"")?;
    let (bound, _) = bound.split_once('"')?;
    Some((bound.parse().ok()?, count.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TYPE lateness_seconds histogram\n\
        lateness_seconds_bucket{le=\"0.5\"} 50\n\
        lateness_seconds_bucket{le=\"1\"} 98\n\
        lateness_seconds_bucket{le=\"+Inf\"} 100\n\
        lateness_seconds_sum 40\nlateness_seconds_count 100\n\
        other_seconds_bucket{le=\"0.5\"} 7\n";

    #[test]
    fn a_quantile_is_known_as_well_as_its_bucket_is_narrow() {
        let histogram = Histogram::read(PAGE, "lateness_seconds");
        let quantile = |share| histogram.quantile(share).map(|q| (q.more_than, q.at_most));
        assert_eq!(quantile(0.5), Some((0.0, 0.5)));
        assert_eq!(quantile(0.9), Some((0.5, 1.0)));
        assert_eq!(quantile(0.99), Some((1.0, f64::INFINITY)));
    }

    #[test]
    fn only_what_came_in_between_counts() {
        let earlier = Histogram::read(PAGE, "lateness_seconds");
        let later = PAGE.replace("} 98", "} 198").replace("} 100", "} 200");
        let since = Histogram::read(&later, "lateness_seconds").since(&earlier);
        assert_eq!(since.quantile(0.99).map(|q| q.at_most), Some(1.0));
        assert_eq!(earlier.since(&earlier).quantile(0.5), None);
    }

    #[test]
    fn labels_are_added_up_and_an_unknown_name_is_empty() {
        let page = "x_bucket{a=\"1\",le=\"2\"} 3\nx_bucket{a=\"2\",le=\"2\"} 4\n";
        assert_eq!(Histogram::read(page, "x"), Histogram(vec![(2.0, 7.0)]));
        assert_eq!(Histogram::read(page, "y").quantile(0.5), None);
    }
}
