//! Questions about a site.

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use monitor_core::SiteId;
use monitor_core::metric::{
    CheckFilter, OutageRequest, PageRequest, Sites, Statistics, Subject, Summary, TimeRange,
};

use crate::Means;
use crate::plain::{self, Exact};
use crate::times::{Sample, Times};

const DAY: TimeDelta = TimeDelta::hours(24);
/// For outages; the days that there are when they are fewer.
const MONTH: i64 = 30;

/// What came out in a round.
pub(crate) struct Asked {
    pub(crate) samples: Vec<Sample>,
    /// By which part a percentile was wrong, at most.
    pub(crate) error: f64,
}

/// Each kind of question in its ways.
#[derive(Default)]
struct Round {
    nothing: Times,
    day: [Times; 2],
    days: Times,
    page: [Times; 2],
    outages: [Times; 2],
    error: f64,
}

struct Ranges {
    day: TimeRange,
    days: TimeRange,
    month: TimeRange,
}

impl Ranges {
    fn of(means: &Means) -> anyhow::Result<Self> {
        Ok(Self {
            day: means.last(DAY)?,
            days: means.last(TimeDelta::days(means.days))?,
            month: means.last(TimeDelta::days(means.days.min(MONTH)))?,
        })
    }
}

/// Warms up: plans are made, and what is asked for lies in memory.
pub(crate) async fn ask_all_once(means: &Means) -> anyhow::Result<()> {
    let ranges = Ranges::of(means)?;
    let mut round = Round::default();
    for site in sites(means).await? {
        round.ask(means, &ranges, site).await?;
    }
    Ok(())
}

/// So many questions of each kind, each about a site at random.
pub(crate) async fn ask(means: &Means, number: u32, questions: usize) -> anyhow::Result<Asked> {
    let sites = sites(means).await?;
    let ranges = Ranges::of(means)?;
    let mut random = fastrand::Rng::with_seed(number.into());
    let mut round = Round::default();
    for _ in 0..questions {
        let site = random.choice(&sites).context("there are no sites")?;
        round.ask(means, &ranges, *site).await?;
    }
    Ok(round.into_asked(number))
}

async fn sites(means: &Means) -> anyhow::Result<Vec<i64>> {
    let query = sqlx::query_scalar("SELECT id FROM sites ORDER BY id");
    Ok(query.fetch_all(&means.pool).await?)
}

impl Round {
    async fn ask(&mut self, means: &Means, ranges: &Ranges, site: i64) -> anyhow::Result<()> {
        let Means {
            pool,
            provider,
            meter,
            ..
        } = means;
        let subject = Subject::of(Sites::One(SiteId(site)));
        let mut connection = pool.acquire().await?;
        let bare = async { plain::nothing(&mut connection).await };
        self.nothing.measure(meter, bare).await?;
        drop(connection);

        let [ours, plain] = &mut self.day;
        let summary = async { Ok(provider.summary(&subject, ranges.day).await?) };
        let summary = ours.measure(meter, summary).await?;
        let exact = plain::summary(pool, site, ranges.day);
        let exact = plain.measure(meter, exact).await?;
        self.error = error(&summary, &exact)?.max(self.error);

        let days = async { Ok(provider.summary(&subject, ranges.days).await?) };
        let days = self.days.measure(meter, days).await?;
        ensure!(
            days.coverage == Some(1.0),
            "some days are missing: {days:?}"
        );

        let [ours, plain] = &mut self.page;
        let (filter, request) = (CheckFilter::default(), PageRequest::newest(100));
        let page = async {
            let page = provider.checks(SiteId(site), ranges.day, &filter, &request);
            Ok(page.await?)
        };
        let page = ours.measure(meter, page).await?;
        ensure!(page.items.len() == 100, "a page is not full");
        let plain_page = plain::page(pool, site, ranges.day);
        plain.measure(meter, plain_page).await?;

        let [ours, plain] = &mut self.outages;
        let request = OutageRequest::first(100);
        let outages = async { Ok(provider.outages(&subject, ranges.month, &request).await?) };
        ours.measure(meter, outages).await?;
        plain
            .measure(meter, plain::outages(pool, site, ranges.month))
            .await
    }

    fn into_asked(self, round: u32) -> Asked {
        let both = |[ours, plain]: [Times; 2], question| {
            [
                ours.sample(round, question, "ours"),
                plain.sample(round, question, "plain"),
            ]
        };
        let single = [
            self.nothing.sample(round, "nothing", "plain"),
            self.days.sample(round, "days", "ours"),
        ];
        let samples = single
            .into_iter()
            .chain(both(self.day, "day"))
            .chain(both(self.page, "page"))
            .chain(both(self.outages, "outages"));
        Asked {
            samples: samples.flatten().collect(),
            error: self.error,
        }
    }
}

/// By which part of it a percentile is wrong, at most. What is counted must be right.
fn error(summary: &Summary, exact: &Exact) -> anyhow::Result<f64> {
    let counted = [summary.outcomes.up, summary.outcomes.down];
    let right = [exact.up.unsigned_abs(), exact.down.unsigned_abs()];
    ensure!(counted == right, "{counted:?} checks are {right:?}");
    let total = summary.durations.total.context("nothing was available")?;
    let Statistics {
        p50_us,
        p90_us,
        p95_us,
        p99_us,
        ..
    } = total;
    let told = [p50_us, p90_us, p95_us, p99_us].into_iter();
    let errors = told.zip(&exact.percentiles).map(|(told, exact)| {
        let exact = f64::from(*exact);
        (told - exact).abs() / exact
    });
    Ok(errors.fold(0.0, f64::max))
}
