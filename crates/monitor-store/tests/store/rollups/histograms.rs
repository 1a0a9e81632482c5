//! What the database says of histograms is what this program says.

use monitor_core::Histogram;
use monitor_core::histogram::Bucket;
use sqlx::PgPool;

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_buckets_of_the_database_are_those_of_the_program(pool: PgPool) {
    let stored: Vec<(i16, i64, i64)> =
        sqlx::query_as("SELECT bucket, low_us, high_us FROM histogram_buckets ORDER BY bucket")
            .fetch_all(&pool)
            .await
            .unwrap();
    let expected: Vec<_> = Bucket::all()
        .map(|bucket| (bucket.number(), bucket.low().into(), bucket.high().into()))
        .collect();
    assert_eq!(stored, expected);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_percentile_is_the_same_in_sql(pool: PgPool) {
    let mut rng = fastrand::Rng::with_seed(1);
    for values in [0, 1, 2, 100, 1_000] {
        let mut histogram = Histogram::default();
        for _ in 0..values {
            histogram.record(rng.u32(..) >> rng.u32(0..32));
        }
        let mut packed = Vec::new();
        histogram.pack(&mut packed);
        for q in [-1.0, 0.0, 0.01, 0.07, 0.5, 0.95, 0.999, 1.0, 2.0] {
            let stored: Option<f64> = sqlx::query_scalar("SELECT histogram_quantile($1, $2)")
                .bind(&packed)
                .bind(q)
                .fetch_one(&pool)
                .await
                .unwrap();
            let same = stored.map(f64::to_bits) == histogram.quantile(q).map(f64::to_bits);
            assert!(same, "{q} of {histogram:?}: {stored:?}");
        }
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn entries_say_every_bucket_and_its_count(pool: PgPool) {
    let mut histogram = Histogram::default();
    for bucket in Bucket::all() {
        histogram.record(bucket.low());
    }
    for _ in 0..40_000 {
        histogram.record(0);
    }
    let mut packed = Vec::new();
    histogram.pack(&mut packed);
    let stored: Vec<(i16, i64)> = sqlx::query_as(
        "SELECT bucket, sum(count)::BIGINT FROM histogram_entries($1) GROUP BY 1 ORDER BY 1",
    )
    .bind(&packed)
    .fetch_all(&pool)
    .await
    .unwrap();
    let entries = histogram.sparse();
    let expected: Vec<_> = entries
        .map(|(bucket, count)| (bucket.number(), count.cast_signed()))
        .collect();
    assert_eq!(stored, expected);
}
