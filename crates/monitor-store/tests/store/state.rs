//! The latest state of each site, and the marks of changed hours, follow from the rows alone.

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::event::{TlsFacts, Warning};
use monitor_core::{CheckEvent, Outcome};
use monitor_store::{PgConnection, sites};
use serde_json::json;
use sqlx::PgPool;

use crate::sample::{days, event, instant, site, slot};
use crate::stored::store;

#[derive(Debug, PartialEq, sqlx::FromRow)]
struct State {
    scheduled_at: DateTime<Utc>,
    outcome: String,
    failure: Option<String>,
    status_code: Option<i16>,
    last_verdict: Option<String>,
    last_verdict_at: Option<DateTime<Utc>>,
    since: Option<DateTime<Utc>>,
    cert_not_after: Option<DateTime<Utc>>,
}

async fn state(connection: &mut PgConnection) -> State {
    sqlx::query_as(
        "SELECT scheduled_at, outcome::TEXT, failure_kind || ' ' || failure_detail AS failure,
            status_code, last_verdict::TEXT, last_verdict_at, since, cert_not_after
        FROM current_state WHERE region = 'eu'",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

/// The event of minute `minute`.
fn check(minute: i64, outcome: Outcome) -> CheckEvent {
    event(&slot(1, "eu", instant(60 * minute)), outcome)
}

async fn put(connection: &mut PgConnection, checks: &[(i64, Outcome)]) -> State {
    let events: Vec<_> = checks
        .iter()
        .map(|(minute, outcome)| check(*minute, *outcome))
        .collect();
    store(connection, &events, None).await.unwrap();
    state(connection).await
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_latest_result_is_shown_also_when_it_tells_nothing_about_the_site(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let missed = put(&mut connection, &[(1, Outcome::Missed)]).await;
    let expected = State {
        scheduled_at: instant(60),
        outcome: "missed".to_owned(),
        failure: Some("overloaded too busy".to_owned()),
        status_code: None,
        last_verdict: None,
        last_verdict_at: None,
        since: None,
        cert_not_after: None,
    };
    assert_eq!(missed, expected);

    // The real result of the same slot came late.
    let down = put(&mut connection, &[(1, Outcome::Down)]).await;
    assert_eq!(down.outcome, "down");
    assert_eq!(down.failure.unwrap(), "body_timeout told in one line");
    assert_eq!(down.last_verdict.unwrap(), "down");
    assert_eq!(
        (down.since, down.status_code),
        (Some(instant(60)), Some(200))
    );

    let later = put(&mut connection, &[(2, Outcome::Down), (3, Outcome::Error)]).await;
    assert_eq!(later.outcome, "error");
    assert_eq!(later.last_verdict_at, Some(instant(120)));
    assert_eq!(later.since, Some(instant(60)));
    // What was known already changes nothing.
    let again = put(&mut connection, &[(1, Outcome::Up), (3, Outcome::Missed)]).await;
    assert_eq!(again, later);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn warnings_are_those_of_the_latest_result_while_it_is_degraded(pool: PgPool) {
    use Outcome::{Degraded, Down, Missed, Up};
    let mut connection = pool.acquire().await.unwrap();
    let config = site(&json!({"name": "a", "url": "http://x"}));
    let id = sites::add(&pool, &config).await.unwrap();
    let told = async || {
        let states = sites::states(&pool, &[id], instant(3_600)).await.unwrap();
        states[0].1.warnings.clone()
    };
    let both = [Warning::SlowResponse, Warning::CertExpiresSoon];
    let mut slow = check(50, Degraded);
    slow.warnings = vec![Warning::SlowResponse];
    for (event, expected) in [
        (check(1, Up), &[][..]),
        (check(10, Degraded), &both),
        // Late ones tell nothing of how it is now.
        (check(5, Up), &both),
        (check(20, Down), &[]),
        (check(15, Degraded), &[]),
        (check(30, Degraded), &both),
        (check(40, Missed), &[]),
        // The real result of that slot.
        (check(40, Degraded), &both),
        (slow, &both[..1]),
    ] {
        store(&mut connection, [&event], None).await.unwrap();
        assert_eq!(told().await, expected, "{}", event.scheduled_at);
    }
    // As a sink of the version before leaves it.
    sqlx::query("UPDATE site_state SET outcome = 'up'")
        .execute(&mut *connection)
        .await
        .unwrap();
    assert_eq!(told().await, []);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn since_follows_late_results_wherever_they_fall(pool: PgPool) {
    use Outcome::{Degraded, Down, Missed, Up};
    let mut connection = pool.acquire().await.unwrap();
    for (step, (checks, verdict, since)) in [
        (&[(10, Up), (20, Degraded), (30, Up)][..], "up", 10),
        // Earlier ones of the same kind.
        (&[(5, Up)], "up", 5),
        // One to the contrary, in the middle of it, and none that says anything.
        (&[(15, Down), (18, Missed)], "up", 20),
        (&[(18, Up)], "up", 18),
        // Before the last one to the contrary.
        (&[(12, Up), (1, Down)], "up", 18),
        (&[(40, Down)], "down", 40),
        (&[(35, Down), (33, Up)], "down", 35),
        (&[(34, Down)], "down", 34),
        (&[(50, Up), (60, Down), (70, Down)], "down", 60),
        // Later than all, and older ones in the same batch.
        (&[(2, Up), (80, Up), (65, Down), (75, Up)], "up", 75),
        (&[(81, Down), (82, Up), (72, Up)], "up", 82),
    ]
    .into_iter()
    .enumerate()
    {
        let state = put(&mut connection, checks).await;
        let found = (state.last_verdict.unwrap(), state.since);
        assert_eq!(
            found,
            (verdict.to_owned(), Some(instant(60 * since))),
            "{step}"
        );
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_certificate_is_that_of_the_latest_check_that_saw_one(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    for (minute, ends, shown) in [
        (2, Some(90), 90),
        (1, Some(10), 90),
        (3, None, 90),
        (4, Some(80), 80),
    ] {
        let mut event = check(minute, Outcome::Up);
        event.tls = ends.map(|ends| TlsFacts {
            not_after: Some(instant(0) + days(ends)),
            ..TlsFacts::default()
        });
        store(&mut connection, [&event], None).await.unwrap();
        let state = state(&mut connection).await;
        assert_eq!(
            state.cert_not_after,
            Some(instant(0) + days(shown)),
            "{minute}"
        );
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn hours_that_have_ended_are_marked_once_and_those_that_have_not_are_not(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    let now: DateTime<Utc> = sqlx::query_scalar("SELECT date_trunc('hour', now())")
        .fetch_one(&mut *connection)
        .await
        .unwrap();
    let mut events = Vec::new();
    for (hours, minute) in [(-2, 0), (-2, 59), (-1, 30), (1, 0), (25, 10)] {
        let at = now + TimeDelta::hours(hours) + TimeDelta::minutes(minute);
        events.extend([1, 2].map(|site| event(&slot(site, "eu", at), Outcome::Up)));
    }
    for _ in 0..2 {
        store(&mut connection, &events, None).await.unwrap();
    }
    let marks: Vec<(i64, DateTime<Utc>)> =
        sqlx::query_as("SELECT site_id, hour FROM dirty_hours ORDER BY site_id, hour")
            .fetch_all(&mut *connection)
            .await
            .unwrap();
    let expected: Vec<_> = [1, 2]
        .into_iter()
        .flat_map(|site| [-2, -1].map(|hours| (site, now + TimeDelta::hours(hours))))
        .collect();
    assert_eq!(marks, expected);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn nobody_takes_a_mark_before_its_rows_can_be_seen(pool: PgPool) {
    let mut connection = pool.acquire().await.unwrap();
    put(&mut connection, &[(1, Outcome::Up)]).await;
    let take = "DELETE FROM dirty_hours WHERE (site_id, region_id, hour) IN
        (SELECT site_id, region_id, hour FROM dirty_hours FOR UPDATE SKIP LOCKED)";
    // A writer of the same hour holds its mark and waits for that of another site.
    let mut other = pool.begin().await.unwrap();
    sqlx::query("INSERT INTO dirty_hours SELECT 2, hour, region_id FROM dirty_hours")
        .execute(&mut *other)
        .await
        .unwrap();
    let late = [1, 2].map(|site| event(&slot(site, "eu", instant(120)), Outcome::Up));
    let taken = async {
        crate::writers::somebody_waits(&pool).await;
        let taken = sqlx::query(take).execute(&pool).await.unwrap();
        other.commit().await.unwrap();
        taken.rows_affected()
    };
    let (stored, taken) = tokio::join!(store(&mut connection, &late, None), taken);
    assert_eq!((stored.unwrap().stored, taken), (2, 0));
    let taken = sqlx::query(take).execute(&mut *connection).await.unwrap();
    assert_eq!(taken.rows_affected(), 2);
}
