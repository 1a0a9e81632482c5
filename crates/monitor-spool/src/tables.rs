//! How the file is laid out.

use redb::{ReadableTable, Table, TableDefinition};

use crate::gap::Gap;

/// Records by sequence number: the instant and the content.
pub(crate) const RECORDS: TableDefinition<'_, u64, (i64, &[u8])> = TableDefinition::new("records");
/// Gaps by the sequence number of the first record dropped: end, count, first and last instant.
pub(crate) const GAPS: TableDefinition<'_, u64, (u64, u64, i64, i64)> =
    TableDefinition::new("gaps");
/// Single numbers by name.
pub(crate) const STATE: TableDefinition<'_, &str, i64> = TableDefinition::new("state");

/// What the records count for, in bytes.
pub(crate) const BYTES: &str = "bytes";
/// The number of the next record.
pub(crate) const NEXT: &str = "next";
/// How far the owner has come.
pub(crate) const WATERMARK: &str = "watermark";

/// More gaps than these are told as if the oldest had never been.
const GAPS_KEPT: u64 = 16;

pub(crate) type Records<'t> = Table<'t, u64, (i64, &'static [u8])>;
pub(crate) type Gaps<'t> = Table<'t, u64, (u64, u64, i64, i64)>;

pub(crate) fn read_gaps(
    table: &impl ReadableTable<u64, (u64, u64, i64, i64)>,
) -> Result<Vec<Gap>, redb::Error> {
    let mut gaps = Vec::new();
    for entry in table.iter()? {
        let (_, value) = entry?;
        gaps.push(gap(value.value()));
    }
    Ok(gaps)
}

/// Adds a gap that starts at this sequence number, as part of the last one if it goes on there.
pub(crate) fn add_gap(table: &mut Gaps<'_>, start: u64, new: Gap) -> Result<(), redb::Error> {
    let last = table
        .last()?
        .map(|(key, value)| (key.value(), gap(value.value())));
    let grown = last.and_then(|(key, before)| Some((key, new.after(before, start)?)));
    let (key, gap) = grown.unwrap_or((start, new));
    table.insert(key, (gap.end, gap.count, gap.first_at, gap.last_at))?;
    while redb::ReadableTableMetadata::len(table)? > GAPS_KEPT {
        table.pop_first()?;
    }
    Ok(())
}

fn gap((end, count, first_at, last_at): (u64, u64, i64, i64)) -> Gap {
    Gap {
        count,
        first_at,
        last_at,
        end,
    }
}
