//! Changing one site, if it is still as the caller knows it.

use monitor_core::{SiteConfig, SiteId};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

use super::row::SiteRow;
use super::{StoredSite, find, row};
use crate::error::StoreError;
use crate::transaction;

/// What became of a change. Unless it is done, nothing was changed.
#[derive(Clone, Debug, PartialEq)]
pub enum Change<T = StoredSite> {
    /// It is as it should be now.
    Done(T),
    /// There is no such site.
    NotFound,
    /// The name belongs to this one.
    NameTaken(SiteId),
    /// The site is not in the version that was expected.
    Conflict {
        /// The one that it is in.
        version: i64,
    },
}

impl<T> Change<T> {
    /// What it is now, if it was done.
    #[must_use]
    pub fn done(self) -> Option<T> {
        match self {
            Self::Done(done) => Some(done),
            Self::NotFound | Self::NameTaken(_) | Self::Conflict { .. } => None,
        }
    }
}

/// Begins to change sites. One at a time: two changes that are interleaved would be neither of the
/// two. Readers are not held up.
pub(super) async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, StoreError> {
    let doing = StoreError::doing;
    let mut transaction = transaction::begin(pool, "BEGIN")
        .await
        .map_err(doing("cannot begin"))?;
    sqlx::query!(
        r#"-- sites.lock
        LOCK TABLE sites IN SHARE ROW EXCLUSIVE MODE"#
    )
    .execute(&mut *transaction)
    .await
    .map_err(doing("cannot lock the sites"))?;
    Ok(transaction)
}

pub(super) async fn commit(transaction: Transaction<'static, Postgres>) -> Result<(), StoreError> {
    let committed = transaction.commit().await;
    committed.map_err(StoreError::doing("cannot commit the change of sites"))
}

/// Adds a site.
pub async fn create(pool: &PgPool, config: &SiteConfig) -> Result<Change, StoreError> {
    let mut transaction = begin(pool).await?;
    if let Some(other) = find(&mut *transaction, &config.name).await? {
        return Ok(Change::NameTaken(other));
    }
    let stored = write(&mut transaction, config).await?;
    commit(transaction).await?;
    Ok(Change::Done(stored))
}

/// Makes the site another one, also of another name, if it is in the version `expected`. It keeps
/// its id, and with it its history. A site that is so already is left alone.
pub async fn replace(
    pool: &PgPool,
    id: SiteId,
    config: &SiteConfig,
    expected: Option<i64>,
) -> Result<Change, StoreError> {
    let mut transaction = begin(pool).await?;
    let row = match known(&mut transaction, id, expected).await? {
        Ok(row) => row,
        Err(refused) => return Ok(refused),
    };
    let owner = find(&mut *transaction, &config.name).await?;
    if let Some(other) = owner.filter(|owner| *owner != id) {
        return Ok(Change::NameTaken(other));
    }
    // A row that is not valid is equal to nothing.
    if let Ok(stored) = row.into_stored()
        && stored.site.config == *config
    {
        return Ok(Change::Done(stored));
    }
    if owner.is_none() {
        rename(&mut transaction, id, &config.name).await?;
    }
    let stored = write(&mut transaction, config).await?;
    commit(transaction).await?;
    Ok(Change::Done(stored))
}

/// Removes the site if it is in the version `expected`. Its results stay.
pub async fn delete(
    pool: &PgPool,
    id: SiteId,
    expected: Option<i64>,
) -> Result<Change<()>, StoreError> {
    let mut transaction = begin(pool).await?;
    if let Err(refused) = known(&mut transaction, id, expected).await? {
        return Ok(refused);
    }
    sqlx::query!(
        r#"-- sites.delete
        DELETE FROM sites WHERE id = $1"#,
        id.0
    )
    .execute(&mut *transaction)
    .await
    .map_err(StoreError::doing("cannot delete a site"))?;
    commit(transaction).await?;
    Ok(Change::Done(()))
}

/// The row that is to be changed, or why it is not.
async fn known<T>(
    connection: &mut PgConnection,
    id: SiteId,
    expected: Option<i64>,
) -> Result<Result<SiteRow, Change<T>>, StoreError> {
    let Some(row) = row::get(connection, id).await? else {
        return Ok(Err(Change::NotFound));
    };
    let version = row.version;
    if expected.is_some_and(|expected| expected != version) {
        return Ok(Err(Change::Conflict { version }));
    }
    Ok(Ok(row))
}

async fn rename(connection: &mut PgConnection, id: SiteId, name: &str) -> Result<(), StoreError> {
    sqlx::query!(
        r#"-- sites.rename
        UPDATE sites SET name = $2 WHERE id = $1"#,
        id.0,
        name
    )
    .execute(connection)
    .await
    .map(drop)
    .map_err(StoreError::doing("cannot rename a site"))
}

/// Writes the site of that name and reads it again.
async fn write(
    connection: &mut PgConnection,
    config: &SiteConfig,
) -> Result<StoredSite, StoreError> {
    let ids = row::upsert(&mut *connection, &[config]).await?;
    let row = match ids.first() {
        Some(id) => row::get(connection, *id).await?,
        None => None,
    };
    let row = row.ok_or_else(|| StoreError::Value("the site was not written".to_owned()))?;
    row.into_stored()
        .map_err(|invalid| StoreError::Value(invalid.to_string()))
}
