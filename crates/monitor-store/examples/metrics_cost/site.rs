//! Questions about a site.

use anyhow::{Context as _, ensure};
use chrono::TimeDelta;
use monitor_core::SiteId;
use monitor_core::metric::{
    CheckFilter, OutageRequest, PageRequest, Sites, Statistics, Subject, Summary, TimeRange,
};
use monitor_store::MetricDataProvider;

use crate::Means;
use crate::plain::{self, Exact};
use crate::times::{Sample, Times};

const DAY: TimeDelta = TimeDelta::hours(24);
/// For outages; the days that there are when they are fewer.
const MONTH: i64 = 30;

/// Questions of each kind that are not measured, before those that are.
const WARMING_UP: usize = 20;

/// What came out in a round.
pub(crate) struct Asked {
    pub(crate) samples: Vec<Sample>,
    /// By which part a percentile was wrong, at most.
    pub(crate) error: f64,
}

/// Whom a round of questions is put to, and about what.
struct Round<'a> {
    means: &'a Means,
    number: u32,
    /// The sites that each kind of question is about, one after the other.
    sites: Vec<i64>,
    day: TimeRange,
    days: TimeRange,
    month: TimeRange,
}

/// Warms up: plans are made, and what is asked for lies in memory.
pub(crate) async fn ask_all_once(means: &Means) -> anyhow::Result<()> {
    let round = Round::of(means, 0, sites(means).await?)?;
    round.ask().await.map(drop)
}

/// So many questions of each kind, each about a site at random.
pub(crate) async fn ask(means: &Means, number: u32, questions: usize) -> anyhow::Result<Asked> {
    let all = sites(means).await?;
    ensure!(!all.is_empty(), "there are no sites");
    let mut random = fastrand::Rng::with_seed(number.into());
    let chosen = (0..questions).filter_map(|_| random.choice(&all).copied());
    Round::of(means, number, chosen.collect())?.ask().await
}

async fn sites(means: &Means) -> anyhow::Result<Vec<i64>> {
    let query = sqlx::query_scalar("SELECT id FROM sites ORDER BY id");
    Ok(query.fetch_all(&means.pool).await?)
}

impl<'a> Round<'a> {
    fn of(means: &'a Means, number: u32, sites: Vec<i64>) -> anyhow::Result<Self> {
        Ok(Self {
            means,
            number,
            sites,
            day: means.last(DAY)?,
            days: means.last(TimeDelta::days(means.days))?,
            month: means.last(TimeDelta::days(means.days.min(MONTH)))?,
        })
    }

    async fn ask(&self) -> anyhow::Result<Asked> {
        let pool = &self.means.pool;
        let nothing = async |_| plain::nothing(pool).await;
        let (nothing, _) = self.each("nothing", "plain", nothing).await?;
        let mut asked = self.summaries().await?;
        asked.samples.extend(nothing);
        asked.samples.extend(self.lists().await?);
        Ok(asked)
    }

    async fn summaries(&self) -> anyhow::Result<Asked> {
        let Means { pool, provider, .. } = self.means;
        let subject = |site| Subject::of(Sites::One(SiteId(site)));
        let mut samples = Vec::new();
        let mut answers = Vec::new();
        for (question, range) in [("day", self.day), ("days", self.days)] {
            let ours = async |site| Ok(provider.summary(&subject(site), range).await?);
            let (sample, told) = self.each(question, "ours", ours).await?;
            samples.extend(sample);
            let complete = told.iter().all(|told| told.coverage == Some(1.0));
            ensure!(complete, "some checks of {range:?} are missing");
            answers.push(told);
            // As after every change of the rollups.
            let cold = async |site| {
                let provider = MetricDataProvider::new(pool.clone());
                Ok(provider.summary(&subject(site), range).await?)
            };
            samples.extend(self.each(question, "cold", cold).await?.0);
        }
        let plain = async |site| plain::summary(&self.means.plain, site, self.day).await;
        let (sample, exact) = self.each("day", "plain", plain).await?;
        samples.extend(sample);
        let mut most = 0.0;
        for (told, exact) in answers.first().into_iter().flatten().zip(&exact) {
            most = error(told, exact)?.max(most);
        }
        Ok(Asked {
            samples,
            error: most,
        })
    }

    async fn lists(&self) -> anyhow::Result<Vec<Sample>> {
        let Means { provider, .. } = self.means;
        let (filter, newest) = (CheckFilter::default(), PageRequest::newest(100));
        let page = async |site| {
            let page = provider.checks(SiteId(site), self.day, &filter, &newest);
            ensure!(page.await?.items.len() == 100, "a page is not full");
            Ok(())
        };
        let plain_page = async |site| plain::page(&self.means.plain, site, self.day).await;
        let first = OutageRequest::first(100);
        let outages = async |site| {
            let subject = Subject::of(Sites::One(SiteId(site)));
            Ok(provider.outages(&subject, self.month, &first).await?)
        };
        let plain_outages = async |site| plain::outages(&self.means.plain, site, self.month).await;
        let samples = [
            self.each("page", "ours", page).await?.0,
            self.each("page", "plain", plain_page).await?.0,
            self.each("outages", "ours", outages).await?.0,
            self.each("outages", "plain", plain_outages).await?.0,
        ];
        Ok(samples.into_iter().flatten().collect())
    }

    /// Asks about one site after the other, and says how long that took and what was answered; about the first ones
    /// twice, because what was asked before has taken their place in memory.
    async fn each<T>(
        &self,
        question: &'static str,
        way: &'static str,
        ask: impl AsyncFn(i64) -> anyhow::Result<T>,
    ) -> anyhow::Result<(Option<Sample>, Vec<T>)> {
        let (mut times, mut answers) = (Times::default(), Vec::with_capacity(self.sites.len()));
        for site in self.sites.iter().take(WARMING_UP) {
            ask(*site).await?;
        }
        for site in &self.sites {
            answers.push(times.measure(&self.means.meter, ask(*site)).await?);
        }
        Ok((times.sample(self.number, question, way), answers))
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
