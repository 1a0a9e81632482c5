//! What is kept between two overviews is what reading all anew would have said.

use chrono::TimeDelta;
use fastrand::Rng;
use monitor_core::SiteId;
use monitor_store::{MetricDataProvider, PgConnection, sites};
use serde_json::json;
use sqlx::{Connection as _, PgPool};

use super::window;
use crate::rollups::random::{begin, check};
use crate::rollups::{roll_up, settled, store};
use crate::sample::site;

/// In the middle of the last hour that checks are stored of.
const END: i64 = 30;

async fn assert_same(kept: &MetricDataProvider, pool: &PgPool, rng: &mut Rng) {
    let (hours, minute) = (rng.u16(1..30), rng.i64(30..60));
    let now = begin() + TimeDelta::hours(END) + TimeDelta::minutes(minute);
    let anew = MetricDataProvider::new(pool.clone());
    let expected = anew.overview(window(hours), now).await.unwrap();
    let overview = kept.overview(window(hours), now).await.unwrap();
    for (site, expected) in overview.sites.iter().zip(&expected.sites) {
        assert_eq!(site, expected, "at {now}");
    }
    assert_eq!(overview, expected, "at {now}");
}

/// A site of one of a few names.
fn random_site(rng: &mut Rng) -> monitor_core::SiteConfig {
    let interval = ["30s", "1m", "1h"][rng.usize(0..3)];
    let tag = ["a", "b"][rng.usize(0..2)];
    let regions: [&[&str]; 3] = [&[], &["eu"], &["us"]];
    let config = json!({
        "name": format!("site-{}", rng.u8(0..9)),
        "url": format!("http://x/{}", rng.u8(0..3)),
        "enabled": rng.bool(),
        "interval": interval,
        "tags": [tag],
        "regions": regions[rng.usize(0..3)],
    });
    site(&config)
}

async fn some_site(connection: &mut PgConnection, rng: &mut Rng) -> Option<SiteId> {
    let ids = sqlx::query_scalar("SELECT id FROM sites ORDER BY id");
    let ids: Vec<i64> = ids.fetch_all(connection).await.unwrap();
    rng.choice(ids).map(SiteId)
}

/// Does one of the things that may happen between two answers.
async fn change(pool: &PgPool, connection: &mut PgConnection, rng: &mut Rng) {
    let some = some_site(connection, rng).await;
    match (rng.u8(0..8), some) {
        (0, _) => drop(sites::create(pool, &random_site(rng)).await.unwrap()),
        (1, Some(id)) => {
            let site = random_site(rng);
            drop(sites::replace(pool, id, &site, None).await.unwrap());
        }
        (2, Some(id)) => drop(sites::delete(pool, id, None).await.unwrap()),
        (3, _) => drop(roll_up(connection, settled(rng.i64(END - 2..=END))).await),
        // Also of sites that are gone.
        (_, Some(SiteId(last))) => {
            let hours = if rng.bool() { END..END + 1 } else { 0..END };
            let mut one = || {
                let mut one = check(rng, hours.clone());
                one.site_id = SiteId(rng.i64(1..=last));
                one
            };
            let checks: Vec<_> = (0..5).map(|_| one()).collect();
            store(connection, &checks).await;
        }
        (_, None) => {}
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn it_is_what_it_would_be_if_it_were_read_anew(pool: PgPool) {
    let mut rng = Rng::with_seed(21);
    let provider = MetricDataProvider::new(pool.clone());
    let mut connection = pool.acquire().await.unwrap();
    for _ in 0..150 {
        for _ in 0..rng.u8(0..3) {
            change(&pool, &mut connection, &mut rng).await;
        }
        assert_same(&provider, &pool, &mut rng).await;
    }
}

/// What a transaction has written that takes longer than others is seen when it ends.
#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_change_that_takes_long_is_not_missed(pool: PgPool) {
    let mut rng = Rng::with_seed(22);
    let provider = MetricDataProvider::new(pool.clone());
    for _ in 0..5 {
        sites::create(&pool, &random_site(&mut rng)).await.unwrap();
    }
    let (mut connection, mut slow) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
    let checks: Vec<_> = (0..30).map(|_| check(&mut rng, END..END + 1)).collect();
    store(&mut connection, &checks).await;
    for number in 0..10 {
        let mut transaction = slow.begin().await.unwrap();
        let tag = sqlx::query("UPDATE sites SET tags = ARRAY[$1] WHERE id = $2");
        let tag = tag.bind(format!("late-{number}")).bind(rng.i64(1..5));
        tag.execute(&mut *transaction).await.unwrap();
        let state = sqlx::query("UPDATE site_state SET failure_detail = $1 WHERE site_id = 1");
        let state = state.bind(number.to_string());
        state.execute(&mut *transaction).await.unwrap();
        for _ in 0..3 {
            let mut other = check(&mut rng, END..END + 1);
            other.site_id = SiteId(2);
            store(&mut connection, &[other]).await;
            assert_same(&provider, &pool, &mut rng).await;
        }
        transaction.commit().await.unwrap();
        assert_same(&provider, &pool, &mut rng).await;
    }
}
