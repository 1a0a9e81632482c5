//! `admin metrics`: what is stored of one site.

use std::collections::HashMap;

use anyhow::Context as _;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::{Args, ValueEnum};
use monitor_config::Environment;
use monitor_core::metric::{
    ContentResult, Cursor, OutcomeFilter, PageRequest, ResponseTime, StatusCode, TimeRange,
};
use monitor_store::{DatabaseSettings, MetricDataProvider, schema, sites};
use serde_json::json;

use crate::output::{print, table};
use crate::settings;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Name of the site
    name: String,
    /// Begin of the range: an RFC 3339 instant, or a duration before now such as 2h
    /// [default: an hour before the end]
    #[arg(long, value_parser = instant)]
    from: Option<DateTime<Utc>>,
    /// End of the range [default: now]
    #[arg(long, value_parser = instant)]
    to: Option<DateTime<Utc>>,
    /// Which checks to print
    #[arg(long, value_enum, default_value_t = Outcome::All)]
    outcome: Outcome,
    /// Most checks to print
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Continue after this check: the cursor that the page before ended with
    #[arg(long, value_parser = cursor)]
    after: Option<Cursor>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Outcome {
    /// Every check
    All,
    /// Checks that found the site available
    Success,
    /// Checks that found it down
    Failure,
}

pub(crate) fn instant(text: &str) -> Result<DateTime<Utc>, String> {
    if let Ok(instant) = DateTime::parse_from_rfc3339(text) {
        return Ok(instant.to_utc());
    }
    let ago = humantime::parse_duration(text)
        .ok()
        .and_then(|ago| TimeDelta::from_std(ago).ok());
    let instant = ago.and_then(|ago| Utc::now().checked_sub_signed(ago));
    instant
        .ok_or("expected an instant such as 2026-01-05T10:00:00Z, or a duration such as 2h".into())
}

fn cursor(text: &str) -> Result<Cursor, String> {
    let (instant, region) = text.split_once('/').ok_or("expected INSTANT/REGION")?;
    let scheduled_at = DateTime::parse_from_rfc3339(instant).map_err(|error| error.to_string())?;
    let region = region.parse().map_err(|error| format!("{error}"))?;
    Ok(Cursor {
        scheduled_at: scheduled_at.to_utc(),
        region,
    })
}

pub(crate) async fn run(arguments: &Arguments, environment: &Environment) -> anyhow::Result<()> {
    let pool = settings::load::<DatabaseSettings>(environment)?
        .pool("admin")
        .await?;
    schema::check(&pool).await?;
    let name = &arguments.name;
    let site = sites::find(&pool, name).await?;
    let site = site
        .with_context(|| format!("there is no site {name:?}; `admin sites list` has the names"))?;
    let to = arguments.to.unwrap_or_else(Utc::now);
    let range = TimeRange::new(arguments.from.unwrap_or(to - TimeDelta::hours(1)), to)?;
    let filter = match arguments.outcome {
        Outcome::All => OutcomeFilter::All,
        Outcome::Success => OutcomeFilter::Success,
        Outcome::Failure => OutcomeFilter::Failure,
    };
    let mut page = PageRequest::first(arguments.limit);
    page.after.clone_from(&arguments.after);

    let provider = MetricDataProvider::new(pool);
    let times = provider.response_times(site, range, filter, &page).await?;
    let codes = provider.status_codes(site, range, filter, &page).await?;
    let contents = provider.content_matches(site, range, filter, &page).await?;
    if arguments.json {
        return print(serde_json::to_string_pretty(&json!({
            "site": name, "from": range.from(), "to": range.to(),
            "response_times": times.items, "status_codes": codes.items,
            "content_matches": contents.items, "next": times.next,
        }))?);
    }
    if times.items.is_empty() {
        let (from, to) = (range.from().to_rfc3339(), range.to().to_rfc3339());
        return print(format!("no checks of {name:?} from {from} to {to}"));
    }
    print(rows(&times.items, &codes.items, &contents.items))?;
    if let Some(Cursor {
        scheduled_at,
        region,
    }) = times.next
    {
        print(format!(
            "more: --after {}/{region}",
            scheduled_at.to_rfc3339()
        ))?;
    }
    Ok(())
}

/// One line per check. Rows may have come in between the three questions, so the answers are put
/// together by slot, not by position.
fn rows(times: &[ResponseTime], codes: &[StatusCode], contents: &[ContentResult]) -> String {
    let codes: HashMap<_, _> = codes
        .iter()
        .map(|code| ((code.scheduled_at, &code.region), code.status_code))
        .collect();
    let contents: HashMap<_, _> = contents
        .iter()
        .map(|item| ((item.scheduled_at, &item.region), item.content))
        .collect();
    let row = |time: &ResponseTime| {
        let slot = (time.scheduled_at, &time.region);
        [
            time.scheduled_at
                .to_rfc3339_opts(SecondsFormat::Millis, true),
            time.region.to_string(),
            time.outcome.to_string(),
            shown(codes.get(&slot).copied().flatten()),
            shown(contents.get(&slot)),
            shown(time.timings_us.total.map(millis)),
        ]
    };
    let rows: Vec<_> = times.iter().map(row).collect();
    table(
        [
            "SCHEDULED",
            "REGION",
            "OUTCOME",
            "STATUS",
            "CONTENT",
            "TOTAL MS",
        ],
        &rows,
    )
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

fn millis(micros: u32) -> String {
    format!("{:.1}", f64::from(micros) / 1e3)
}
