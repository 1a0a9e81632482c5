//! Rows in the binary format of `COPY`, the fastest way into a table.
//!
//! The format is described in PostgreSQL's manual under "COPY", "Binary Format": each value as its
//! type's send function writes it, behind its length. A value of an enum is its label.

use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::postgres::PgCopyIn;

use crate::error::StoreError;

/// Signature, no flags, no extension of the header.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: i16 = -1;
/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;
const POSTGRES_EPOCH: NaiveDate = match NaiveDate::from_ymd_opt(2000, 1, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

/// A copy that is under way.
type Copying<'a> = PgCopyIn<&'a mut PgConnection>;

/// The number of a type of our own, which an array of it has to name.
pub(crate) async fn type_number(
    connection: &mut PgConnection,
    name: &str,
) -> Result<u32, StoreError> {
    let found = sqlx::query_scalar!(
        r#"-- copy_data.type_number
        SELECT $1::TEXT::regtype::OID AS "oid!""#,
        name
    );
    let number = found.fetch_one(connection).await.map(|oid| oid.0);
    number.map_err(StoreError::doing("cannot look up a type"))
}

/// The bytes of a `COPY`: for each row [`row`](Self::row), then its values in the order of the
/// columns.
#[derive(Debug)]
pub(crate) struct CopyData {
    bytes: Vec<u8>,
    columns: i16,
}

impl CopyData {
    /// No rows yet, each of so many columns, with room for `capacity` bytes of them.
    pub(crate) fn new(columns: i16, capacity: usize) -> Self {
        let mut bytes = Vec::with_capacity(HEADER.len() + capacity);
        bytes.extend_from_slice(HEADER);
        Self { bytes, columns }
    }

    /// Sends all of it, by a statement that copies from the client in this format.
    pub(crate) async fn send(
        self,
        connection: &mut PgConnection,
        statement: &str,
    ) -> Result<(), sqlx::Error> {
        let copy = connection.copy_in_raw(statement).await?;
        self.finish(copy).await
    }

    /// Sends what there is so far, and makes room for more.
    pub(crate) async fn send_piece(&mut self, copy: &mut Copying<'_>) -> Result<(), sqlx::Error> {
        copy.send(self.bytes.as_slice()).await?;
        self.bytes.clear();
        Ok(())
    }

    /// Sends the rest.
    pub(crate) async fn finish(mut self, mut copy: Copying<'_>) -> Result<(), sqlx::Error> {
        self.bytes.extend_from_slice(&TRAILER.to_be_bytes());
        copy.send(self.bytes).await?;
        copy.finish().await.map(drop)
    }

    pub(crate) fn row(&mut self) {
        self.bytes.extend_from_slice(&self.columns.to_be_bytes());
    }

    pub(crate) fn null(&mut self) {
        self.bytes.extend_from_slice(&(-1_i32).to_be_bytes());
    }

    pub(crate) fn value<const N: usize>(&mut self, bytes: [u8; N]) {
        self.length(N);
        self.bytes.extend_from_slice(&bytes);
    }

    pub(crate) fn instant(&mut self, at: DateTime<Utc>) {
        self.value((at.timestamp_micros() - POSTGRES_EPOCH_US).to_be_bytes());
    }

    pub(crate) fn day(&mut self, day: NaiveDate) {
        let days = day.signed_duration_since(POSTGRES_EPOCH).num_days();
        // Every day that chrono knows is within range.
        self.value(i32::try_from(days).unwrap_or(i32::MAX).to_be_bytes());
    }

    pub(crate) fn number(&mut self, number: Option<i32>) {
        match number {
            Some(number) => self.value(number.to_be_bytes()),
            None => self.null(),
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.length(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// The bytes that `append` appends.
    pub(crate) fn bytes(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        self.sized(|data| append(&mut data.bytes));
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.null(),
        }
    }

    /// Version 1 of the format is the JSON as text.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> Result<(), StoreError> {
        let mut written = Ok(());
        self.sized(|data| {
            data.bytes.push(1);
            written = serde_json::to_writer(&mut data.bytes, value);
        });
        written.map_err(|error| StoreError::Value(format!("a value is not JSON: {error}")))
    }

    /// An array of one dimension whose indices begin with 1, of `length` elements of a type, each of
    /// which `element` appends.
    pub(crate) fn array<T>(
        &mut self,
        element_type: u32,
        elements: impl ExactSizeIterator<Item = T>,
        mut element: impl FnMut(&mut Self, T),
    ) {
        self.sized(|data| {
            let (dimensions, nulls, first) = (i32::from(elements.len() > 0), 0_i32, 1_i32);
            data.bytes.extend_from_slice(&dimensions.to_be_bytes());
            data.bytes.extend_from_slice(&nulls.to_be_bytes());
            data.bytes.extend_from_slice(&element_type.to_be_bytes());
            if dimensions > 0 {
                data.length(elements.len());
                data.bytes.extend_from_slice(&first.to_be_bytes());
            }
            for value in elements {
                element(data, value);
            }
        });
    }

    /// What `write` appends, with its length before it.
    fn sized(&mut self, write: impl FnOnce(&mut Self)) {
        let at = self.bytes.len();
        self.length(0);
        let start = self.bytes.len();
        write(self);
        let length = length(self.bytes.len() - start);
        self.bytes[at..start].copy_from_slice(&length);
    }

    fn length(&mut self, bytes: usize) {
        self.bytes.extend_from_slice(&length(bytes));
    }
}

/// A text of 2 GiB never gets here; the server would refuse it as malformed.
fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).unwrap_or(i32::MAX).to_be_bytes()
}
