//! One at a time does the maintenance, and everything that is due.

use chrono::{NaiveTime, TimeDelta};
use monitor_core::Outcome;
use monitor_store::{maintenance, partitions, rollups};
use sqlx::PgPool;

use crate::sample::{event, slot};
use crate::stored::store;

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_lock_is_had_by_one_and_ends_with_its_connection(pool: PgPool) {
    let (mut one, mut two) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    assert!(maintenance::try_lock(&mut one).await.unwrap());
    assert!(!maintenance::try_lock(&mut two).await.unwrap());
    one.close().await.unwrap();
    // The server notices the end of a connection in its own time.
    while !maintenance::try_lock(&mut two).await.unwrap() {
        tokio::task::yield_now().await;
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn closed_days_are_rolled_up_and_packed_by_the_clock_of_the_database(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    maintenance::make_partitions(&mut connection).await.unwrap();
    let now = maintenance::status(&mut connection).await.unwrap().now;
    let day = (now - TimeDelta::days(3)).date_naive();
    // Site after site within each minute, as checks come in: that makes a loose key.
    let minute = |minute| {
        let at = day.and_time(NaiveTime::MIN).and_utc() + TimeDelta::minutes(minute);
        (1..=10).map(move |site| event(&slot(site, "eu", at), Outcome::Up))
    };
    for minutes in [0..200, 200..400, 400..600] {
        let checks: Vec<_> = minutes.flat_map(minute).collect();
        store(&mut connection, &checks, None).await.unwrap();
    }
    let (mut count, mut steps) = (rollups::Count::default(), 0);
    while steps == 0 || count.more {
        count.more = false;
        count += maintenance::roll_up(&mut connection).await.unwrap();
        steps += 1;
    }
    assert!(steps > 1, "three days are more than one step closes");
    assert_eq!(count.checks, 6_000);
    let status = maintenance::status(&mut connection).await.unwrap();
    assert_eq!(status.marks, 0);
    let age = status.now - status.hours_closed_to.unwrap();
    assert!(age < TimeDelta::hours(1) + rollups::SETTLING, "{age}");

    let today = partitions::today(&mut connection).await.unwrap();
    let loose = partitions::loose(&mut connection, today).await.unwrap();
    assert_eq!(loose, [day]);
    let packed = maintenance::pack(&mut connection).await.unwrap();
    assert_eq!(packed, Some(day));
    assert_eq!(maintenance::pack(&mut connection).await.unwrap(), None);
}
