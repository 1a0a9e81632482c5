//! Questions about all sites.

use anyhow::ensure;
use chrono::TimeDelta;
use monitor_core::metric::OverviewWindow;
use monitor_store::MetricDataProvider;

use crate::Means;
use crate::plain::{p95_of_each_site, states_and_uptime};
use crate::times::{Sample, Times};

/// Each takes long.
const TIMES: u32 = 5;
const HOURS: u16 = 24;
/// Who asks every ten seconds finds new checks of one in six sites that are checked once a minute.
const A_SIXTH: i64 = 6;

/// How all sites are and were in the last day: with nothing kept, and with what was kept when there are no
/// new checks, new ones of some, and of all. The plain answers are two, to what the one of ours says.
pub(crate) async fn ask(means: &Means, round: u32) -> anyhow::Result<Vec<Sample>> {
    let Means {
        pool,
        plain,
        meter,
        now,
        ..
    } = means;
    let mut overview = <[Times; 4]>::default();
    let [mut uptime, mut p95] = <[Times; 2]>::default();
    let range = means.last(TimeDelta::hours(HOURS.into()))?;
    for _ in 0..TIMES {
        let [cold, unchanged, some, all] = &mut overview;
        let provider = MetricDataProvider::new(pool.clone());
        let window = OverviewWindow::hours(HOURS)?;
        let ask = async || Ok(provider.overview(window, *now).await?);
        let told = cold.measure(meter, ask()).await?;
        let right = told.sites.iter().all(|site| site.p95_us.is_some());
        ensure!(right && !told.sites.is_empty(), "some sites have no p95");
        unchanged.measure(meter, ask()).await?;
        touch(means, A_SIXTH).await?;
        some.measure(meter, ask()).await?;
        touch(means, 1).await?;
        all.measure(meter, ask()).await?;
        uptime
            .measure(meter, states_and_uptime(plain, range))
            .await?;
        p95.measure(meter, p95_of_each_site(plain, range)).await?;
    }
    let ways = ["cold", "unchanged", "some", "all"];
    let told = ways.into_iter().zip(overview);
    let told = told.map(|(way, times)| times.sample(round, "overview", way));
    let others = [
        uptime.sample(round, "uptime_of_each_site", "plain"),
        p95.sample(round, "p95_of_each_site", "plain"),
    ];
    Ok(told.chain(others).flatten().collect())
}

/// Makes every so manieth site look as if it had new checks: by a new version of its state, which is
/// all that those who answer go by.
async fn touch(means: &Means, part: i64) -> anyhow::Result<()> {
    let touch = "UPDATE site_state SET outcome = outcome WHERE site_id % $1 = 0";
    sqlx::query(touch).bind(part).execute(&means.pool).await?;
    Ok(())
}
