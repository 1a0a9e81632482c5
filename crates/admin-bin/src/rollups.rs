//! `admin rollups`.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use monitor_config::Environment;
use monitor_store::rollups::{Count, plan_rebuild};
use monitor_store::{DatabaseSettings, PgConnection, maintenance, schema};

use crate::metrics::instant;
use crate::output::print;
use crate::settings;

/// How long until the lock is asked for again.
const TURN: Duration = Duration::from_millis(500);

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compute the rollups of closed hours and days anew, from the checks that are still stored
    ///
    /// Nothing changes unless rows were changed by hand. Rollups of days whose checks were dropped
    /// stay as they are. Sinks go on storing, and leave other maintenance until this is done
    Rebuild(Rebuild),
}

#[derive(Args)]
pub(crate) struct Rebuild {
    /// Begin: an RFC 3339 instant, or a duration before now such as 2d [default: the oldest check]
    #[arg(long, value_parser = instant)]
    from: Option<DateTime<Utc>>,
    /// End [default: the last closed hour]
    #[arg(long, value_parser = instant)]
    to: Option<DateTime<Utc>>,
}

pub(crate) async fn run(command: &Command, environment: &Environment) -> anyhow::Result<()> {
    let Command::Rebuild(range) = command;
    let database = settings::load::<DatabaseSettings>(environment)?;
    let mut connection = database.connect("admin").await?;
    schema::check(&mut connection).await?;
    wait_for_lock(&mut connection).await?;
    rebuild(&mut connection, range).await
}

async fn wait_for_lock(connection: &mut PgConnection) -> anyhow::Result<()> {
    let mut told = false;
    while !maintenance::try_lock(connection).await? {
        if !told {
            print("waiting for the maintenance of a sink, or another rebuild, to end")?;
            told = true;
        }
        tokio::time::sleep(TURN).await;
    }
    Ok(())
}

async fn rebuild(connection: &mut PgConnection, range: &Rebuild) -> anyhow::Result<()> {
    let plan = plan_rebuild(connection, range.from, range.to).await?;
    if plan.hours.is_empty() {
        return print("nothing to rebuild: no closed hour of the range has its checks still");
    }
    let shown = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    if range.from.is_some_and(|from| from < plan.hours.start) {
        let start = shown(plan.hours.start);
        print(format!(
            "there are no checks before {start}: rollups of that time stay"
        ))?;
    }
    let mut all = Count::default();
    for day in plan.days() {
        let done = plan.day(connection, day).await?;
        print(format!("{day}: {}", told(&done)))?;
        all += done;
    }
    let (start, end) = (shown(plan.hours.start), shown(plan.hours.end));
    print(format!("{start} to {end}: {}", told(&all)))
}

fn told(count: &Count) -> String {
    let Count {
        checks,
        hours,
        days,
        ..
    } = count;
    format!("{checks} checks read, {hours} rows of hours and {days} of days written")
}
