//! How the checks of sites ended, day by day.

use chrono::{NaiveDate, NaiveTime};
use monitor_core::SiteId;
use monitor_core::metric::DailyOutcomes;

use super::merge::counted;
use super::{MetricDataProvider, snapshot};
use crate::error::StoreError;

struct Row {
    site_id: i64,
    day: NaiveDate,
    up: i64,
    degraded: i64,
    down: i64,
    missed: i64,
    error: i64,
}

impl MetricDataProvider {
    /// How the checks of each of these sites ended, in all regions, on each day in UTC from `from` on
    /// that has any; by site, then day.
    ///
    /// For many sites at once, and cheap: days and hours that are closed are taken as they were rolled
    /// up. A late check of such an hour counts once it is added there, which takes half a minute.
    pub async fn daily_outcomes(
        &self,
        sites: &[SiteId],
        from: NaiveDate,
    ) -> Result<Vec<DailyOutcomes>, StoreError> {
        let sites: Vec<i64> = sites.iter().map(|site| site.0).collect();
        let mut transaction = snapshot::begin(&self.pool).await?;
        // Each part begins where the one before ends; `greatest` leaves out what is not there yet.
        let rows = sqlx::query_as!(
            Row,
            r#"-- metrics.daily_outcomes
            WITH series AS MATERIALIZED (
                SELECT site_id, region_id FROM site_state WHERE site_id = ANY ($1::BIGINT[])
            ), counted AS (
                SELECT site_id, day, up, degraded, down, missed, error
                FROM series
                JOIN rollup_days USING (site_id, region_id)
                WHERE day >= $2::DATE
                UNION ALL
                SELECT
                    site_id, (hour AT TIME ZONE 'UTC')::DATE, up, degraded, down, missed, error
                FROM series
                JOIN rollup_hours USING (site_id, region_id)
                WHERE hour >= (
                    SELECT greatest($3, days_closed_to::TIMESTAMP AT TIME ZONE 'UTC')
                    FROM rollup_progress
                )
                UNION ALL
                SELECT
                    site_id, (scheduled_at AT TIME ZONE 'UTC')::DATE,
                    (outcome = 'up')::INTEGER, (outcome = 'degraded')::INTEGER,
                    (outcome = 'down')::INTEGER, (outcome = 'missed')::INTEGER,
                    (outcome = 'error')::INTEGER
                FROM series
                JOIN check_results USING (site_id, region_id)
                WHERE scheduled_at >= (SELECT greatest($3, hours_closed_to) FROM rollup_progress)
            )
            SELECT
                site_id AS "site_id!", day AS "day!", sum(up) AS "up!", sum(degraded) AS "degraded!",
                sum(down) AS "down!", sum(missed) AS "missed!", sum(error) AS "error!"
            FROM counted
            GROUP BY site_id, day
            ORDER BY site_id, day"#,
            &sites,
            from,
            from.and_time(NaiveTime::MIN).and_utc(),
        )
        .fetch_all(&mut *transaction)
        .await
        .map_err(StoreError::doing("cannot read how checks ended by the day"))?;
        snapshot::end(transaction);
        Ok(rows.into_iter().map(Row::into_outcomes).collect())
    }
}

impl Row {
    fn into_outcomes(self) -> DailyOutcomes {
        DailyOutcomes {
            site: SiteId(self.site_id),
            day: self.day,
            outcomes: counted([self.up, self.degraded, self.down, self.missed, self.error]),
        }
    }
}
