//! Every check is on exactly one page, and on no page of another question.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use monitor_core::event::ContentMatch;
use monitor_core::metric::{
    CheckFilter, OutcomeFilter, Page, PageRequest, ResponseTime, TimeRange,
};
use monitor_core::{CheckEvent, Outcome, SiteId};
use monitor_store::MetricDataProvider;
use sqlx::PgPool;
use strum::VariantArray;

use crate::sample::{days, event, instant, slot};
use crate::stored::store;

const SITE: SiteId = SiteId(1);

/// The site's checks over three days in three regions, each outcome equally often, and as many of
/// a neighbour.
async fn stored(pool: &PgPool) -> Vec<CheckEvent> {
    let mut events = Vec::new();
    for number in 0..60 {
        let at = instant(600 * number) + days(number % 3);
        for (offset, region) in ["ap", "eu", "us"].into_iter().enumerate() {
            let index = (usize::try_from(number).unwrap() + offset) % Outcome::VARIANTS.len();
            for site in [SITE.0, 2] {
                events.push(event(&slot(site, region, at), Outcome::VARIANTS[index]));
            }
        }
    }
    let mut connection = pool.acquire().await.unwrap();
    store(&mut connection, &events, None).await.unwrap();
    events.retain(|event| event.site_id == SITE);
    events.sort_by_key(|event| (event.scheduled_at, event.region.clone()));
    events
}

fn always() -> TimeRange {
    TimeRange::new(instant(0) - days(1), instant(0) + days(9)).unwrap()
}

type Key = (DateTime<Utc>, String);

fn key(item: &ResponseTime) -> Key {
    (item.scheduled_at, item.region.to_string())
}

fn keys<'a>(events: impl IntoIterator<Item = &'a CheckEvent>) -> Vec<Key> {
    events
        .into_iter()
        .map(|event| (event.scheduled_at, event.region.to_string()))
        .collect()
}

/// All pages one after the other.
async fn all(
    provider: &MetricDataProvider,
    range: TimeRange,
    filter: OutcomeFilter,
    limit: u32,
) -> Vec<Key> {
    let mut page = PageRequest::first(limit);
    let mut found = Vec::new();
    loop {
        let answer = provider
            .response_times(SITE, range, filter, &page)
            .await
            .unwrap();
        assert!(answer.items.len() <= limit as usize);
        found.extend(answer.items.iter().map(key));
        let Some(next) = answer.next else {
            return found;
        };
        page = page.after(next);
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn pages_hold_every_check_once_and_in_order(pool: PgPool) {
    let expected = keys(&stored(&pool).await);
    let provider = MetricDataProvider::new(pool);
    for limit in [1, 7, 179, 180, 181] {
        let found = all(&provider, always(), OutcomeFilter::All, limit).await;
        assert_eq!(found, expected, "pages of {limit}");
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_filter_lets_through_its_outcomes_and_no_others(pool: PgPool) {
    let events = stored(&pool).await;
    let provider = MetricDataProvider::new(pool);
    for (filter, passes) in [
        (OutcomeFilter::All, Outcome::VARIANTS),
        (OutcomeFilter::Success, &[Outcome::Up, Outcome::Degraded]),
        (OutcomeFilter::Failure, &[Outcome::Down]),
    ] {
        let expected = keys(
            events
                .iter()
                .filter(|event| passes.contains(&event.outcome)),
        );
        let found = all(&provider, always(), filter, 25).await;
        assert_eq!(found, expected, "{filter:?}");
    }
}

/// All pages of `checks` one after the other.
async fn checks(
    provider: &MetricDataProvider,
    range: TimeRange,
    filter: &CheckFilter,
    mut page: PageRequest,
) -> Vec<Key> {
    let mut found = Vec::new();
    loop {
        let answer = provider.checks(SITE, range, filter, &page).await.unwrap();
        let items = answer.items.iter();
        found.extend(items.map(|check| (check.scheduled_at, check.region.to_string())));
        let Some(next) = answer.next else {
            return found;
        };
        page = page.after(next);
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn newest_first_is_the_same_the_other_way_round(pool: PgPool) {
    let expected = keys(stored(&pool).await.iter().rev());
    let provider = MetricDataProvider::new(pool);
    let filter = CheckFilter::default();
    for limit in [1, 7, 179, 180, 181] {
        let found = checks(&provider, always(), &filter, PageRequest::newest(limit)).await;
        assert_eq!(found, expected, "pages of {limit}");
    }
    let range = TimeRange::new(expected[120].0, expected[30].0).unwrap();
    let inside = |key: &&Key| range.from() <= key.0 && key.0 < range.to();
    let expected: Vec<_> = expected.iter().filter(inside).cloned().collect();
    let found = checks(&provider, range, &filter, PageRequest::newest(4)).await;
    assert_eq!(found, expected);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn any_outcomes_and_any_region_can_be_asked_for(pool: PgPool) {
    let events = stored(&pool).await;
    let provider = MetricDataProvider::new(pool);
    let (missed, error) = (Outcome::Missed, Outcome::Error);
    for (outcomes, region) in [
        (Some(vec![missed, error]), None),
        (Some(vec![Outcome::Up]), Some("eu")),
        (None, Some("us")),
        (None, Some("nowhere")),
        (Some(Vec::new()), None),
    ] {
        let filter = CheckFilter {
            region: region.map(|region| region.parse().unwrap()),
            outcomes,
        };
        let passes = |event: &&CheckEvent| {
            let outcomes = filter.outcomes.as_ref();
            outcomes.is_none_or(|outcomes| outcomes.contains(&event.outcome))
                && region.is_none_or(|region| event.region.as_str() == region)
        };
        let expected = keys(events.iter().filter(passes));
        let found = checks(&provider, always(), &filter, PageRequest::first(11)).await;
        assert_eq!(found, expected, "{filter:?}");
    }
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_range_holds_its_start_and_not_its_end(pool: PgPool) {
    let events = stored(&pool).await;
    let provider = MetricDataProvider::new(pool);
    let instants: BTreeSet<_> = events.iter().map(|event| event.scheduled_at).collect();
    let instants: Vec<_> = instants.into_iter().collect();
    let range = TimeRange::new(instants[10], instants[20]).unwrap();
    let inside = |event: &&CheckEvent| instants[10..20].contains(&event.scheduled_at);
    let expected = keys(events.iter().filter(inside));
    assert_eq!(all(&provider, range, OutcomeFilter::All, 4).await, expected);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn the_three_questions_are_about_the_same_checks(pool: PgPool) {
    let events = stored(&pool).await;
    let provider = MetricDataProvider::new(pool);
    let (range, filter, page) = (always(), OutcomeFilter::All, PageRequest::first(1000));
    let times = provider.response_times(SITE, range, filter, &page);
    let codes = provider.status_codes(SITE, range, filter, &page);
    let contents = provider.content_matches(SITE, range, filter, &page);
    let (times, codes, contents) = tokio::join!(times, codes, contents);
    let (times, codes, contents) = (times.unwrap(), codes.unwrap(), contents.unwrap());
    assert_eq!(
        [times.items.len(), codes.items.len(), contents.items.len()],
        [events.len(); 3]
    );
    for (index, event) in events.iter().enumerate() {
        assert_eq!(times.items[index].timings_us, event.timings_us);
        assert_eq!(times.items[index].outcome, event.outcome);
        assert_eq!(codes.items[index].status_code, event.status_code);
        assert_eq!(contents.items[index].content, event.content);
    }
    let missed = contents.items.iter().find(|i| i.outcome == Outcome::Missed);
    assert_eq!(missed.unwrap().content, ContentMatch::NotChecked);
}

#[sqlx::test(migrator = "monitor_store::MIGRATOR")]
async fn a_site_without_checks_has_one_empty_page(pool: PgPool) {
    let provider = MetricDataProvider::new(pool);
    let page = PageRequest::first(10);
    let answer = provider.status_codes(SITE, always(), OutcomeFilter::All, &page);
    let empty = Page {
        items: Vec::new(),
        next: None,
    };
    assert_eq!(answer.await.unwrap(), empty);
}
