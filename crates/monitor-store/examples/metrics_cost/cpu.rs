//! CPU time of this program, which has one thread, and of the database's processes that serve it: it is
//! told as it is also where others keep the machine busy.

use std::fs;

use anyhow::Context as _;
use monitor_store::Pool;

/// Whose time is told.
#[derive(Debug)]
pub(crate) struct Meter {
    backends: Vec<String>,
}

impl Meter {
    /// Of the connections that there are now. The database is on this machine.
    pub(crate) async fn of(pool: &Pool, application: &str) -> anyhow::Result<Self> {
        let query = sqlx::query_scalar(
            "SELECT pid::TEXT FROM pg_stat_activity WHERE application_name = $1",
        );
        let backends = query.bind(application).fetch_all(pool).await?;
        Ok(Self { backends })
    }

    /// Nanoseconds so far: of this program, of the database.
    pub(crate) fn now(&self) -> anyhow::Result<[u64; 2]> {
        let of_backends = self.backends.iter().map(|backend| nanoseconds(backend));
        let of_backends = of_backends.sum::<anyhow::Result<u64>>();
        Ok([nanoseconds("self")?, of_backends?])
    }
}

fn nanoseconds(process: &str) -> anyhow::Result<u64> {
    let path = format!("/proc/{process}/schedstat");
    let text = fs::read_to_string(&path).context(path)?;
    let first = text.split_whitespace().next().context("it is empty")?;
    Ok(first.parse()?)
}
