//! What many checks came to is what plain arithmetic makes of them, wherever it is read from.

pub(crate) mod expected;
mod moment;

use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;
use monitor_core::metric::{Buckets, OutcomeCounts, Sites, Step, Subject, Summary, TimeRange, Tz};
use monitor_core::{CheckEvent, SiteId};
use monitor_store::rollups::{close_hours, drop_checks_before, progress};
use monitor_store::{MetricDataProvider, sites};
use serde_json::json;
use sqlx::PgPool;

use self::expected::{Check, assert_right, checks};
use crate::rollups::random::{begin, check};
use crate::rollups::{roll_up, settled, store};
use crate::sample::site;

/// Hours that the checks are spread over: the last two of a day, and three days more.
pub(crate) const HOURS: i64 = 74;

/// Sites with checks: those of 1 to 3 are monitored, and tagged.
pub(crate) struct Fleet {
    sites: i64,
}

impl Fleet {
    pub(crate) async fn new(pool: &PgPool, sites: i64) -> Self {
        for (name, tags) in [
            ("a", json!(["odd", "x"])),
            ("b", json!([])),
            ("c", json!(["odd"])),
        ] {
            let config = json!({"name": name, "url": "http://x", "tags": tags});
            sites::add(pool, &site(&config)).await.unwrap();
        }
        Self { sites }
    }

    pub(crate) fn checks(
        &self,
        rng: &mut Rng,
        count: usize,
        hours: std::ops::Range<i64>,
    ) -> Vec<CheckEvent> {
        let mut one = || {
            let mut check = check(rng, hours.clone());
            check.site_id = SiteId(rng.i64(1..=self.sites));
            check
        };
        (0..count).map(|_| one()).collect()
    }

    pub(crate) fn subject(&self, rng: &mut Rng) -> Subject {
        let subject = Subject::of(match rng.u8(0..4) {
            0 | 1 => Sites::One(SiteId(rng.i64(1..=self.sites + 1))),
            2 => Sites::Tagged(["odd", "x", "none"][rng.usize(0..3)].to_owned()),
            _ => Sites::All,
        });
        match rng.u8(0..8) {
            0..3 => subject.from(["eu", "us", "nowhere"][rng.usize(0..3)].parse().unwrap()),
            _ => subject,
        }
    }
}

/// Whether a check is one of the subject's; its sites have the tags of [`Fleet`].
pub(crate) fn is_of(subject: &Subject, check: &Check) -> bool {
    let of_site = match &subject.sites {
        Sites::One(site) => check.site_id == site.0,
        Sites::Tagged(tag) => match tag.as_str() {
            "odd" => [1, 3].contains(&check.site_id),
            "x" => check.site_id == 1,
            _ => false,
        },
        Sites::All => true,
    };
    let region = subject.region.as_ref();
    of_site && region.is_none_or(|region| region.as_str() == check.region)
}

pub(crate) fn range(rng: &mut Rng) -> TimeRange {
    let minute = [1, 5, 60, 1440][rng.usize(0..4)];
    let mut at = || {
        let minutes = rng.i64(-180..60 * HOURS + 180);
        begin() + TimeDelta::minutes(minutes - minutes.rem_euclid(minute))
    };
    let (a, b) = (at(), at());
    TimeRange::new(a.min(b), a.max(b) + TimeDelta::minutes(minute)).unwrap()
}

fn buckets(rng: &mut Rng, range: TimeRange) -> Buckets {
    let zones = [
        Tz::UTC,
        Tz::Europe__Helsinki,
        Tz::Asia__Kolkata,
        Tz::America__St_Johns,
    ];
    let zone = zones[rng.usize(0..4)];
    let step = match rng.u8(0..3) {
        0 => Step::automatic(range, zone),
        1 => Step::days(rng.u16(1..3), zone).unwrap(),
        _ => {
            let minutes = [5, 15, 30, 60, 180, 720][rng.usize(0..6)];
            Step::every(TimeDelta::minutes(minutes)).unwrap()
        }
    };
    Buckets::new(range, step).unwrap()
}

/// The same questions about single sites each time, twice each: what was kept of the answers is right, or is
/// known not to be.
async fn ask_again(provider: &MetricDataProvider, sites: i64, checks: &[Check]) {
    let at = |minutes| begin() + TimeDelta::minutes(minutes);
    // Over whole days, from and to inside of hours, and of what may all be open.
    let ranges = [
        (-180, 60 * 80),
        (90, 60 * 71 + 7),
        (60 * 70 + 1, 60 * 73),
        (61, 62),
    ];
    let ranges = ranges.map(|(from, to)| TimeRange::new(at(from), at(to)).unwrap());
    let about = (1..=sites.min(4)).flat_map(|site| {
        let site = Subject::of(Sites::One(SiteId(site)));
        [site.clone(), site.from("eu".parse().unwrap())]
    });
    for subject in about {
        let of_subject = checks.iter().filter(|check| is_of(&subject, check));
        let of_subject: Vec<_> = of_subject.collect();
        for range in ranges {
            let first = provider.summary(&subject, range).await.unwrap();
            assert_right(&first, &of_subject);
            assert_eq!(provider.summary(&subject, range).await.unwrap(), first);
        }
    }
}

/// Asks at random, and compares with the checks.
async fn ask(
    provider: &MetricDataProvider,
    pool: &PgPool,
    fleet: &Fleet,
    rng: &mut Rng,
    checks: &[Check],
) {
    ask_again(provider, fleet.sites, checks).await;
    let mut connection = pool.acquire().await.unwrap();
    let final_to = progress(&mut connection).await.unwrap().final_to();
    for _ in 0..60 {
        let (subject, range) = (fleet.subject(rng), range(rng));
        let of_subject: Vec<_> = checks
            .iter()
            .filter(|check| is_of(&subject, check))
            .collect();
        let buckets = buckets(rng, range);
        let series = provider.series(&subject, &buckets).await.unwrap();
        assert_covers(&series, buckets.borders(), final_to);
        let summary = provider.summary(&subject, range).await.unwrap();
        let ends = |of: &[Summary]| (of.first().unwrap().from, of.last().unwrap().to);
        assert_eq!(ends(std::slice::from_ref(&summary)), ends(&series));
        for summary in series.iter().chain([&summary]) {
            assert_right(summary, &of_subject);
        }
    }
}

/// The buckets are those that were asked for; of hours without checks, they are whole hours.
fn assert_covers(series: &[Summary], asked: &[DateTime<Utc>], final_to: Option<DateTime<Utc>>) {
    let mut borders: Vec<_> = series.iter().map(|summary| summary.from).collect();
    let gaps = series
        .array_windows()
        .filter(|[one, next]| one.to != next.from);
    assert_eq!(gaps.count(), 0);
    borders.extend(series.last().map(|summary| summary.to));
    let is_final = |at: &DateTime<Utc>| final_to.is_some_and(|final_to| *at < final_to);
    let exact = |borders: &[DateTime<Utc>]| {
        let exact = borders.iter().filter(|border| !is_final(border));
        exact.copied().collect::<Vec<_>>()
    };
    let (mut exact_asked, mut exact_got) = (exact(asked), exact(&borders));
    if asked.last().is_some_and(is_final) {
        // The end may have moved to where the checks begin.
        exact_asked.clear();
        exact_got.retain(|border| Some(*border) != final_to);
    }
    assert_eq!(exact_got, exact_asked);
    for border in borders.iter().filter(|border| is_final(border)) {
        assert_eq!(border.timestamp() % 3_600, 0, "{border}");
    }
    let hour = TimeDelta::hours(1);
    assert!(borders[0] <= asked[0] && asked[0] - borders[0] < hour);
    let (end, asked_end) = (borders[borders.len() - 1], asked[asked.len() - 1]);
    assert!(end >= asked_end && end - asked_end < hour);
}

/// Hours and days that are closed, open and marked, then checks that are dropped. One provider all the time.
async fn scenario(pool: &PgPool, seed: u64, sites: i64) {
    let mut rng = Rng::with_seed(seed);
    let fleet = Fleet::new(pool, sites).await;
    let provider = MetricDataProvider::new(pool.clone());
    let mut connection = pool.acquire().await.unwrap();
    let count = usize::try_from(sites).unwrap() * 300;
    store(&mut connection, &fleet.checks(&mut rng, count, 0..HOURS)).await;
    ask(&provider, pool, &fleet, &mut rng, &checks(pool).await).await;

    roll_up(&mut connection, settled(60)).await;
    close_hours(&mut connection, settled(66), u32::MAX)
        .await
        .unwrap();
    ask(&provider, pool, &fleet, &mut rng, &checks(pool).await).await;

    store(&mut connection, &fleet.checks(&mut rng, 40, 0..HOURS)).await;
    let all = checks(pool).await;
    ask(&provider, pool, &fleet, &mut rng, &all).await;

    roll_up(&mut connection, settled(66)).await;
    let second = (begin() + TimeDelta::days(2)).date_naive();
    let dropped = drop_checks_before(&mut connection, second).await.unwrap();
    assert_eq!(dropped.len(), 2);
    ask(&provider, pool, &fleet, &mut rng, &all).await;
    // Those of the days that are gone count nowhere; the others are late.
    store(&mut connection, &fleet.checks(&mut rng, 40, 0..HOURS)).await;
    let mut known = checks(pool).await;
    let gone = |check: &&Check| check.scheduled_at.date_naive() < second;
    known.retain(|check| !gone(&check));
    known.extend(all.iter().filter(gone).cloned());
    ask(&provider, pool, &fleet, &mut rng, &known).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn of_few_series_they_are_right(pool: PgPool) {
    scenario(&pool, 1, 4).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn of_many_series_they_are_right(pool: PgPool) {
    scenario(&pool, 2, 20).await;
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn uptime_is_what_sql_says_it_is(pool: PgPool) {
    let mut rng = Rng::with_seed(4);
    for _ in 0..50 {
        let mut count = || u64::from(rng.u32(0..5)) * u64::from(rng.u32(..));
        let counts = OutcomeCounts {
            up: count(),
            degraded: count(),
            down: count(),
            ..OutcomeCounts::default()
        };
        let sql = sqlx::query_scalar("SELECT uptime($1, $2, $3)")
            .bind(i64::try_from(counts.up).unwrap())
            .bind(i64::try_from(counts.degraded).unwrap())
            .bind(i64::try_from(counts.down).unwrap());
        let said: Option<f64> = sql.fetch_one(&pool).await.unwrap();
        let bits = |share: Option<f64>| share.map(f64::to_bits);
        assert_eq!(bits(counts.uptime()), bits(said), "{counts:?}");
    }
}
