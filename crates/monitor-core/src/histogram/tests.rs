//! What a histogram promises, for any values.

use proptest::prelude::*;

use super::*;

fn histogram(values: &[u32]) -> Histogram {
    let mut histogram = Histogram::default();
    for value in values {
        histogram.record(*value);
    }
    histogram
}

fn merged(parts: &[&Histogram]) -> Histogram {
    let mut all = Histogram::default();
    for part in parts {
        all.merge(part);
    }
    all
}

/// Durations of every magnitude, so that small ones are as common as large ones.
fn durations() -> impl Strategy<Value = Vec<u32>> {
    let magnitude = (0..=32_u32, any::<u32>());
    let duration = magnitude.prop_map(|(bits, value)| value.checked_shr(32 - bits).unwrap_or(0));
    prop::collection::vec(duration, 0..200)
}

/// What `percentile_disc` does with all values at hand.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "there are few values"
)]
fn order_statistic(values: &mut [u32], q: f64) -> u32 {
    values.sort_unstable();
    let rank = (q * values.len() as f64).ceil() as usize;
    values[rank.max(1) - 1]
}

proptest! {
    #[test]
    fn what_was_added_can_be_taken_out_again(one in durations(), other in durations()) {
        let (one, other) = (histogram(&one), histogram(&other));
        let mut all = merged(&[&one, &other]);
        all.remove(&other);
        prop_assert_eq!(all, one);
    }

    #[test]
    fn a_quantile_is_within_its_error_of_the_true_one(
        mut values in durations().prop_filter("some", |values| !values.is_empty()),
        q in 0.0..=1.0,
    ) {
        let estimate = histogram(&values).quantile(q).unwrap();
        let exact = f64::from(order_statistic(&mut values, q));
        let error = (estimate - exact).abs();
        prop_assert!(error <= exact * RELATIVE_ERROR * (1.0 + 1e-12), "{estimate} for {exact}");
    }

    #[test]
    fn parts_give_the_same_whole_in_any_order_and_grouping(
        a in durations(), b in durations(), c in durations(),
    ) {
        let whole = histogram(&[a.clone(), b.clone(), c.clone()].concat());
        let [a, b, c] = [a, b, c].map(|values| histogram(&values));
        prop_assert_eq!(&merged(&[&merged(&[&a, &b]), &c]), &whole);
        prop_assert_eq!(&merged(&[&a, &merged(&[&c, &b])]), &whole);
        prop_assert_eq!(whole.count(), a.count() + b.count() + c.count());
    }

    #[test]
    fn what_is_stored_is_read_back(values in durations()) {
        let original = histogram(&values);
        let mut bytes = Vec::new();
        original.pack(&mut bytes);
        prop_assert_eq!(bytes.len(), 3 * original.sparse().count());
        let mut read = Histogram::default();
        read.merge_packed(&bytes).unwrap();
        prop_assert_eq!(&read, &original);
        prop_assert_eq!(read.count(), original.count());
    }

    #[test]
    fn what_was_cleared_is_as_good_as_new(before in durations(), after in durations()) {
        let mut reused = histogram(&before);
        reused.clear();
        prop_assert_eq!(&reused, &Histogram::default());
        prop_assert_eq!(reused.quantile(0.5), None);
        for value in &after {
            reused.record(*value);
        }
        prop_assert_eq!(reused, histogram(&after));
    }
}

#[test]
fn zero_has_a_bucket_of_its_own() {
    assert_eq!(Bucket::of(0).number(), -1);
    assert_eq!(Bucket::of(1).number(), 0);
    assert_eq!(histogram(&[0, 0, 1]).quantile(0.5), Some(0.0));
    assert_eq!(histogram(&[0, 0, 1]).quantile(1.0), Some(1.0));
}

#[test]
fn the_buckets_cover_every_duration_once() {
    let mut next = 0_u64;
    for bucket in Bucket::all() {
        assert_eq!(u64::from(bucket.low()), next, "{bucket:?}");
        assert_eq!(Bucket::of(bucket.low()), bucket);
        assert_eq!(Bucket::of(bucket.high()), bucket);
        next = u64::from(bucket.high()) + 1;
    }
    assert_eq!(next, 1 << 32);
}

#[test]
fn the_stated_error_is_that_of_gamma() {
    assert!((RELATIVE_ERROR - (GAMMA - 1.0) / (GAMMA + 1.0)).abs() < 1e-15);
    const { assert!(RELATIVE_ERROR < 0.025) };
}

#[test]
fn a_quantile_outside_of_the_scale_is_the_nearest_end() {
    let histogram = histogram(&[1, 2, 3]);
    assert_eq!(histogram.quantile(-1.0), histogram.quantile(0.0));
    assert_eq!(histogram.quantile(0.0), Some(1.0));
    assert_eq!(histogram.quantile(7.0), Some(3.0));
    assert_eq!(histogram.quantile(f64::NAN), Some(1.0));
}
