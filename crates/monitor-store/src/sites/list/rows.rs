//! The sites of a page.

use chrono::{DateTime, Utc};
use monitor_core::metric::SiteState;
use sqlx::PgConnection;

use super::{SiteFilter, SitePageRequest};
use crate::error::StoreError;
use crate::sites::row::{SiteRow, select};

/// Reads the sites that the filter lets through and of which all this is so. `told` is whether any of the
/// regions that check the site now has told what it says of `site_state`.
macro_rules! page {
    (
        $name:literal, $connection:expr, ($filter:expr, $page:expr),
        $first:literal $(told($what:literal) $then:literal)* $(, $parameter:expr)*
    ) => {
        select!(
            $name,
            r#"WHERE name > $1
            AND ($2::BOOLEAN IS NULL OR enabled = $2)
            AND ($3::TEXT IS NULL OR $3 = ANY (tags))
            AND ($4::TEXT IS NULL
                OR strpos(lower(name), lower($4)) > 0
                OR strpos(lower(url), lower($4)) > 0)
            "# + $first $(+ "EXISTS (
                SELECT FROM site_state
                JOIN regions ON regions.id = region_id
                WHERE site_id = sites.id
                    AND (sites.regions = '{}' OR regions.name = ANY (sites.regions))
                    AND " + $what + "
            ) " + $then)* + "
        ORDER BY name
        LIMIT $5",
            $page.after.as_deref().unwrap_or_default(),
            $filter.enabled,
            $filter.tag,
            $filter.text,
            i64::from($page.limit) + 1
            $(, $parameter)*
        )
        .fetch_all($connection)
        .await
    };
}

/// One more than the page has, if there are.
///
/// The states of sites are judged here as they are everywhere: the worst of the regions that check it now
/// and have told lately; else it is stale if any of them has ever told, and unknown if not.
pub(super) async fn read(
    connection: &mut PgConnection,
    filter: &SiteFilter,
    page: &SitePageRequest,
    now: DateTime<Utc>,
) -> Result<Vec<SiteRow>, StoreError> {
    let asked = (filter, page);
    let rows = match filter.state {
        None => page!("sites.page", connection, (filter, page), ""),
        Some(SiteState::Disabled) => page!(
            "sites.page_of_disabled",
            connection,
            (filter, page),
            "AND NOT enabled"
        ),
        Some(SiteState::Stale) => stale(connection, asked, now).await,
        Some(SiteState::Unknown) => unknown(connection, asked).await,
        Some(state) => of_verdict(connection, asked, state, now).await,
    };
    rows.map_err(StoreError::doing("cannot list sites"))
}

/// They are found in the order of names, or among the few that have such a verdict: the planner can
/// estimate which is less.
async fn of_verdict(
    connection: &mut PgConnection,
    (filter, page): (&SiteFilter, &SitePageRequest),
    state: SiteState,
    now: DateTime<Utc>,
) -> Result<Vec<SiteRow>, sqlx::Error> {
    page!(
        "sites.page_of_verdict",
        connection,
        (filter, page),
        "AND enabled
            AND id IN (SELECT site_id FROM site_state WHERE last_verdict = $7::TEXT::outcome)
            AND " told("last_verdict = $7::TEXT::outcome AND last_verdict_at
                        >= $6::TIMESTAMPTZ - (3 * interval + timeout + INTERVAL '1 minute')")
        "AND NOT " told("last_verdict > $7::TEXT::outcome AND last_verdict_at
                        >= $6::TIMESTAMPTZ - (3 * interval + timeout + INTERVAL '1 minute')")
        "",
        now,
        <&str>::from(state)
    )
}

/// The planner cannot estimate how many have told lately, so these are found first, all at once.
async fn stale(
    connection: &mut PgConnection,
    (filter, page): (&SiteFilter, &SitePageRequest),
    now: DateTime<Utc>,
) -> Result<Vec<SiteRow>, sqlx::Error> {
    page!(
        "sites.page_of_stale",
        connection,
        (filter, page),
        "AND id IN (WITH found AS MATERIALIZED (SELECT id FROM sites
            WHERE enabled AND " told("last_verdict IS NOT NULL")
        "AND NOT " told("last_verdict_at
                        >= $6::TIMESTAMPTZ - (3 * interval + timeout + INTERVAL '1 minute')")
        ") SELECT id FROM found)",
        now
    )
}

/// Nor how many have told at all.
async fn unknown(
    connection: &mut PgConnection,
    (filter, page): (&SiteFilter, &SitePageRequest),
) -> Result<Vec<SiteRow>, sqlx::Error> {
    page!(
        "sites.page_of_unknown",
        connection,
        (filter, page),
        "AND id IN (WITH found AS MATERIALIZED (SELECT id FROM sites
            WHERE enabled AND NOT " told("last_verdict IS NOT NULL")
        ") SELECT id FROM found)"
    )
}
