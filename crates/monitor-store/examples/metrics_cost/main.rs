//! What answers cost, of a database that `cargo xtask bench metrics` has filled, beside plain SQL over the
//! checks and the bare round trip.
//!
//! `DATABASE_URL` names the database. The arguments are the instant of which is asked, how many days
//! there are, how many rounds, and how many questions of each kind about a site in each round. Those of a
//! kind are asked one after the other, as somebody does who asks for much; whatever disturbs the machine for
//! longer than that disturbs all kinds in a round alike. What comes out are samples, as JSON in the file that
//! is the last argument.

mod cpu;
mod fleet;
mod plain;
mod site;
mod times;

use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use monitor_config::Environment;
use monitor_core::metric::TimeRange;
use monitor_store::{DatabaseSettings, MetricDataProvider, Pool};
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use self::cpu::Meter;
use self::times::Sample;

const APPLICATION: &str = "bench";

/// Whom to ask, and about when.
struct Means {
    pool: Pool,
    /// For plain SQL, which is planned as the server would.
    plain: Pool,
    provider: MetricDataProvider,
    meter: Meter,
    now: DateTime<Utc>,
    days: i64,
}

impl Means {
    fn last(&self, length: TimeDelta) -> anyhow::Result<TimeRange> {
        Ok(TimeRange::new(self.now - length, self.now)?)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let url = std::env::var_os("DATABASE_URL").context("DATABASE_URL names no database")?;
    let url = url.into_string().ok().context("DATABASE_URL is not text")?;
    let mut arguments = std::env::args().skip(1);
    let mut argument = |what: &'static str| arguments.next().context(what);
    let now = argument("no instant")?.parse()?;
    let days = argument("no number of days")?.parse()?;
    let rounds: u32 = argument("no number of rounds")?.parse()?;
    let questions: usize = argument("no number of questions")?.parse()?;
    let file = argument("no file")?;
    let plain: PgConnectOptions = url.parse()?;
    let plain = PgPoolOptions::new().connect_with(plain.application_name(APPLICATION));
    let plain = plain.await?;
    let environment = Environment::from_pairs([("DATABASE_URL", url)]);
    let settings = environment.load::<DatabaseSettings>()?;
    let pool = settings.pool(APPLICATION).await?;
    let mut means = Means {
        meter: Meter::of(&pool, APPLICATION).await?,
        provider: MetricDataProvider::new(pool.clone()),
        pool,
        plain,
        now,
        days,
    };
    let mut samples: Vec<Sample> = Vec::new();
    let mut error = 0.0;
    site::ask_all_once(&means).await?;
    means.meter = Meter::of(&means.pool, APPLICATION).await?;
    for round in 1..=rounds {
        let asked = site::ask(&means, round, questions).await?;
        error = asked.error.max(error);
        samples.extend(asked.samples);
        samples.extend(fleet::ask(&means, round).await?);
    }
    let samples = json!({ "samples": samples, "error": error });
    std::fs::write(&file, samples.to_string()).context(file)
}
