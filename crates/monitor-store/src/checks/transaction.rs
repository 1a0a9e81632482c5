//! The one transaction that a batch is stored in.

use sqlx::{Connection as _, PgConnection, PgTransaction};

use super::batch::Row;
use super::{copy, insert, state};
use crate::error::{ErrorClass, StoreError};
use crate::partitions;
use crate::progress::Progress;

/// What begins a transaction: the server gives up on it before anybody stops waiting for it.
const BEGIN: &str = "BEGIN; SET LOCAL statement_timeout = '15s'; SET LOCAL lock_timeout = '5s'";

/// Fewest rows that are copied. Over TCP, the driver sends the end of a copy in a packet of its own,
/// and without `TCP_NODELAY` that one waits until the packet before it is acknowledged: 40 ms, always
/// when the rows fit into one packet, and now and then when there are more. Up to here, inserting
/// takes no longer.
const COPY_FROM: usize = 2_000;

/// How rows get into the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// The fastest, which fails as a whole when one of the rows is there already.
    Copy,
    /// Leaves rows alone that are there already, or replaces them.
    Insert,
}

impl Method {
    /// What is probably fastest for so many rows.
    pub(super) fn suited(rows: usize, replaying: bool) -> Self {
        if replaying || rows < COPY_FROM {
            Self::Insert
        } else {
            Self::Copy
        }
    }
}

/// What is stored together.
pub(super) struct Batch<'a, 'p> {
    /// In the order of their key, each once.
    pub(super) rows: Vec<Row<'a>>,
    /// The type `check_warning`, which a binary array has to name.
    pub(super) warning_type: u32,
    pub(super) progress: Option<&'p Progress<'p>>,
}

impl Batch<'_, '_> {
    /// Tries until it is done or nothing is left to try. Returns how many rows are new or replaced.
    pub(super) async fn store(
        &self,
        connection: &mut PgConnection,
        mut method: Method,
    ) -> Result<usize, StoreError> {
        let mut partitions_are_there = false;
        loop {
            match self.transact(connection, method).await {
                Err(error) if method == Method::Copy && error.is_unique_violation() => {
                    method = Method::Insert;
                }
                Err(error)
                    if !partitions_are_there && error.class() == ErrorClass::MissingPartition =>
                {
                    let days = self.rows.iter().map(|row| row.scheduled_at.date_naive());
                    partitions::ensure(connection, days).await?;
                    partitions_are_there = true;
                }
                done => return done,
            }
        }
    }

    async fn transact(
        &self,
        connection: &mut PgConnection,
        method: Method,
    ) -> Result<usize, StoreError> {
        let doing = StoreError::doing;
        let mut transaction = connection
            .begin_with(BEGIN)
            .await
            .map_err(doing("cannot begin"))?;
        match self.fill(&mut transaction, method).await {
            Ok(stored) => {
                let committed = transaction.commit().await;
                committed.map_err(doing("cannot commit checks"))?;
                Ok(stored)
            }
            Err(error) => {
                // When even that fails, the error that is told says so by its class.
                drop(transaction.rollback().await);
                Err(error)
            }
        }
    }

    /// All that belongs to one transaction. Every writer takes its locks in one order: those of
    /// rows, then those of what is kept beside them, which is one statement; and of each table in
    /// the order of its key.
    async fn fill(
        &self,
        transaction: &mut PgTransaction<'_>,
        method: Method,
    ) -> Result<usize, StoreError> {
        let inserted;
        let stored = match method {
            Method::Copy => {
                copy::rows(transaction, &self.rows, self.warning_type).await?;
                &self.rows
            }
            Method::Insert => {
                inserted = insert::rows(transaction, &self.rows).await?;
                &inserted
            }
        };
        state::update(transaction, stored, self.progress).await?;
        Ok(stored.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_large_and_probably_new_is_copied() {
        for (rows, replaying, method) in [
            (COPY_FROM, false, Method::Copy),
            (COPY_FROM - 1, false, Method::Insert),
            (COPY_FROM, true, Method::Insert),
        ] {
            assert_eq!(
                Method::suited(rows, replaying),
                method,
                "{rows} {replaying}"
            );
        }
    }
}
