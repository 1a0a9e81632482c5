//! Public status pages: how the sites of chosen tags are and were, for everybody.
//!
//! A page tells names, states and times, and nothing else of a site. It is put together at most twice a
//! minute, however many look at it; while the database is away, the last one is shown with its age.

mod badges;
mod bars;
mod document;
mod page;
mod report;
mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::HeaderValue;
use chrono::{DateTime, Utc};
use monitor_core::metric::{OutageRequest, OverviewWindow, Sites, Subject, TimeRange};
use monitor_store::StoreError;
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::badges::Badges;
use self::document::Frame;
pub(crate) use self::document::POLICY;
use self::page::Link;
pub(crate) use self::page::unavailable;
use self::report::{MAX_OUTAGES, OUTAGES_FROM, Report, first_day};
use crate::config::ApiSettings;
use crate::etag;
use crate::state::Api;

/// How long a page is shown before another one is put together. Browsers may keep it for as long again,
/// so what somebody sees is a minute old at most.
pub(crate) const FRESH: Duration = Duration::from_secs(30);
/// How long those who have an older page wait for a newer one.
const PATIENCE: Duration = Duration::from_secs(10);
/// Pause after a page could not be put together: nobody waits in it.
const PAUSE: Duration = Duration::from_secs(5);
/// States are those of an overview that others ask for as well; its window does not matter here.
const WINDOW_HOURS: u16 = 24;

/// The pages of the chosen tags.
pub(crate) struct StatusPages {
    title: String,
    pages: Vec<StatusPage>,
    /// `None` when not everybody may read them.
    badges: Option<Badges>,
}

/// The page of a tag.
struct StatusPage {
    tag: String,
    last: Mutex<Last>,
}

/// What became of looking at the sites of a tag.
#[derive(Default)]
struct Last {
    shown: Option<Arc<Shown>>,
    failed_at: Option<Instant>,
}

/// A report, and the page that tells it.
struct Shown {
    at: Instant,
    report: Report,
    html: Answer,
}

/// A page, and what its bytes are known by.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) html: Bytes,
    pub(crate) tag: HeaderValue,
}

impl Answer {
    fn of(html: String) -> Self {
        let html = Bytes::from(html);
        let tag = etag::of_bytes(&html);
        Self { html, tag }
    }
}

/// How much is known of the sites of a tag.
enum Known {
    Now(Arc<Shown>),
    Before(Arc<Shown>),
    Nothing,
}

impl StatusPages {
    pub(crate) fn new(settings: &ApiSettings, everybody_reads: bool) -> Self {
        let page = |tag: &String| StatusPage {
            tag: tag.clone(),
            last: Mutex::default(),
        };
        Self {
            title: settings.status_title.clone(),
            pages: settings.status_pages.iter().map(page).collect(),
            badges: everybody_reads.then(|| Badges::at(settings.public_url.as_ref())),
        }
    }

    /// What all pages are called.
    pub(crate) fn title(&self) -> &str {
        &self.title
    }

    /// The only page, or the list of all; `None` when there are none.
    pub(crate) async fn index(&self, api: &Api) -> Option<Result<Answer, Unknown>> {
        match &self.pages[..] {
            [] => None,
            [only] => Some(self.show(only, api).await),
            pages => Some(Ok(self.list(pages, api).await)),
        }
    }

    /// The page of a tag; `None` when the tag was not chosen.
    pub(crate) async fn of(&self, tag: &str, api: &Api) -> Option<Result<Answer, Unknown>> {
        let page = self.pages.iter().find(|page| page.tag == tag)?;
        Some(self.show(page, api).await)
    }

    async fn show(&self, page: &StatusPage, api: &Api) -> Result<Answer, Unknown> {
        match page.look(self, api).await {
            Known::Now(shown) => Ok(shown.html.clone()),
            Known::Before(shown) => {
                let frame = self.frame(&page.tag);
                Ok(Answer::of(page::late(&frame, &shown.report, Utc::now())))
            }
            Known::Nothing => Err(Unknown),
        }
    }

    async fn list(&self, pages: &[StatusPage], api: &Api) -> Answer {
        let looks = pages.iter().map(|page| page.look(self, api));
        let known = futures_util::future::join_all(looks).await;
        let links = pages.iter().zip(&known).map(|(page, known)| Link {
            tag: &page.tag,
            verdict: match known {
                Known::Now(shown) => Some(shown.report.verdict()),
                Known::Before(_) | Known::Nothing => None,
            },
        });
        Answer::of(page::list(&self.title, links, Utc::now()))
    }

    /// The tag tells pages apart where there are several.
    fn frame<'a>(&'a self, tag: &'a str) -> Frame<'a> {
        Frame {
            title: &self.title,
            tag: (self.pages.len() > 1).then_some(tag),
            badges: self.badges.as_ref(),
        }
    }
}

/// Nothing was ever read of the sites.
pub(crate) struct Unknown;

impl StatusPage {
    /// Who looks while somebody else does waits for that.
    async fn look(&self, pages: &StatusPages, api: &Api) -> Known {
        let mut last = self.last.lock().await;
        if let Some(shown) = &last.shown
            && shown.at.elapsed() < FRESH
        {
            return Known::Now(Arc::clone(shown));
        }
        if last.failed_at.is_none_or(|at| at.elapsed() >= PAUSE) {
            match timeout(PATIENCE, read(&self.tag, api)).await {
                Ok(Ok(report)) => {
                    let html = Answer::of(page::now(&pages.frame(&self.tag), &report));
                    let shown = Arc::new(Shown {
                        at: Instant::now(),
                        report,
                        html,
                    });
                    *last = Last {
                        shown: Some(Arc::clone(&shown)),
                        failed_at: None,
                    };
                    return Known::Now(shown);
                }
                Ok(Err(error)) => tracing::warn!(tag = self.tag, "no new status page: {error}"),
                Err(_) => tracing::warn!(tag = self.tag, "no new status page: it took too long"),
            }
            last.failed_at = Some(Instant::now());
        }
        last.shown
            .as_ref()
            .map_or(Known::Nothing, |shown| Known::Before(Arc::clone(shown)))
    }
}

/// How the sites of a tag are and were.
async fn read(tag: &str, api: &Api) -> Result<Report, StoreError> {
    let told = |error: &dyn std::error::Error| StoreError::Value(error.to_string());
    let window = OverviewWindow::hours(WINDOW_HOURS).map_err(|error| told(&error))?;
    let overview = api.overviews.get(&api.metrics, window).await?.overview;
    let has_tag = |tags: &[String]| tags.iter().any(|one| one == tag);
    let sites = overview.sites.iter().filter(|site| has_tag(&site.tags));
    let sites: Vec<_> = sites.collect();
    let ids: Vec<_> = sites.iter().map(|site| site.site).collect();
    let now: DateTime<Utc> = overview.to;
    let days = api.metrics.daily_outcomes(&ids, first_day(now)).await?;
    let subject = Subject::of(Sites::Tagged(tag.to_owned()));
    let range = TimeRange::new(now - OUTAGES_FROM, now).map_err(|error| told(&error))?;
    let request = OutageRequest::first(MAX_OUTAGES);
    let outages = api.metrics.outages(&subject, range, &request).await?;
    Ok(Report::of(now, &sites, &days, outages))
}

#[cfg(test)]
mod tests;
