//! What happens within one transaction.

use std::ops::Bound;

use redb::{Database, ReadableTable as _, ReadableTableMetadata as _, Table, WriteTransaction};

use crate::gap::Gap;
use crate::record::{Record, size};
use crate::spool::{Changes, Depth, Dropped, Limits};
use crate::tables::{BYTES, GAPS, NEXT, RECORDS, Records, STATE, WATERMARK, add_gap, read_gaps};

/// What the file says beside its records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) depth: Depth,
    pub(crate) next: u64,
    pub(crate) watermark: Option<i64>,
    pub(crate) gaps: Vec<Gap>,
}

/// Reads the state, and makes the tables of a new file.
pub(crate) fn load(database: &Database) -> Result<State, redb::Error> {
    let transaction = database.begin_write()?;
    let state = {
        let records = transaction.open_table(RECORDS)?;
        let numbers = transaction.open_table(STATE)?;
        let gaps = transaction.open_table(GAPS)?;
        let bytes = number(&numbers, BYTES)?.unwrap_or(0);
        let next = number(&numbers, NEXT)?.unwrap_or(0);
        State {
            depth: depth(&records, bytes.cast_unsigned())?,
            next: next.cast_unsigned(),
            watermark: number(&numbers, WATERMARK)?,
            gaps: read_gaps(&gaps)?,
        }
    };
    transaction.commit()?;
    Ok(state)
}

/// Applies the changes to the file, and to what is known of it.
pub(crate) fn commit(
    database: &Database,
    limits: Limits,
    mut state: State,
    changes: &Changes<'_>,
) -> Result<(State, Dropped), redb::Error> {
    let transaction = database.begin_write()?;
    let dropped = {
        let mut records = transaction.open_table(RECORDS)?;
        let bytes = &mut state.depth.bytes;
        *bytes = bytes.saturating_sub(delete(&mut records, changes.delete)?);
        let (added, freed) = append(&mut records, &mut state.next, changes.append)?;
        *bytes = (*bytes + added).saturating_sub(freed);
        let dropped = keep_limits(&transaction, &mut records, limits, &mut state)?;
        state.depth = depth(&records, state.depth.bytes)?;
        dropped
    };
    state.watermark = changes.watermark.or(state.watermark);
    write_numbers(&transaction, &state)?;
    transaction.commit()?;
    Ok((state, dropped))
}

/// Drops the oldest records until the others are within the limits.
fn keep_limits(
    transaction: &WriteTransaction,
    records: &mut Records<'_>,
    limits: Limits,
    state: &mut State,
) -> Result<Dropped, redb::Error> {
    let mut dropped = Dropped::default();
    if state.depth.bytes <= limits.bytes && records.len()? <= limits.records {
        return Ok(dropped);
    }
    let mut gaps = transaction.open_table(GAPS)?;
    while state.depth.bytes > limits.bytes || records.len()? > limits.records {
        let Some((sequence, gap, freed)) = drop_oldest(records)? else {
            break;
        };
        add_gap(&mut gaps, sequence, gap)?;
        state.depth.bytes = state.depth.bytes.saturating_sub(freed);
        dropped.count += 1;
        dropped.before = sequence + 1;
    }
    state.gaps = read_gaps(&gaps)?;
    Ok(dropped)
}

fn write_numbers(transaction: &WriteTransaction, state: &State) -> Result<(), redb::Error> {
    let mut numbers = transaction.open_table(STATE)?;
    numbers.insert(BYTES, state.depth.bytes.cast_signed())?;
    numbers.insert(NEXT, state.next.cast_signed())?;
    if let Some(watermark) = state.watermark {
        numbers.insert(WATERMARK, watermark)?;
    }
    Ok(())
}

/// Deletes records; returns what they counted for.
fn delete(records: &mut Records<'_>, sequences: &[u64]) -> Result<u64, redb::Error> {
    let mut freed = 0;
    let consecutive = |one: &u64, next: &u64| one.checked_add(1) == Some(*next);
    for run in sequences.chunk_by(consecutive) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        records.retain_in(*first..=*last, |_, (_, content)| {
            freed += size(content);
            false
        })?;
    }
    Ok(freed)
}

/// Appends records, and replaces those that are there already; returns what they count for, and what
/// the replaced ones did.
fn append(
    records: &mut Records<'_>,
    next: &mut u64,
    append: &[Record],
) -> Result<(u64, u64), redb::Error> {
    let known = append.partition_point(|record| record.sequence < *next);
    let (known, new) = append.split_at(known);
    let (mut added, mut freed) = (0, 0);
    for record in known {
        let before = records.get(record.sequence)?;
        let before = before.map(|before| size(before.value().1));
        // What is gone does not come back.
        if let Some(before) = before {
            records.insert(record.sequence, (record.at, record.bytes.as_slice()))?;
            added += record.size();
            freed += before;
        }
    }
    // Through a cursor: faster than one insert after the other, and it fills the pages.
    let mut end = records.upper_bound_mut(Bound::<u64>::Unbounded)?;
    for record in new {
        end.insert_before(record.sequence, (record.at, record.bytes.as_slice()))?;
        added += record.size();
        *next = record.sequence + 1;
    }
    end.close()?;
    Ok((added, freed))
}

/// Drops the oldest record; returns its number, the gap that it leaves, and what it counted for.
fn drop_oldest(records: &mut Records<'_>) -> Result<Option<(u64, Gap, u64)>, redb::Error> {
    Ok(records.pop_first()?.map(|(sequence, value)| {
        let (sequence, (at, content)) = (sequence.value(), value.value());
        (sequence, Gap::of(sequence, at), size(content))
    }))
}

fn depth(records: &Records<'_>, bytes: u64) -> Result<Depth, redb::Error> {
    let oldest = records.first()?;
    Ok(Depth {
        records: records.len()?,
        bytes,
        oldest_at: oldest.map(|(_, value)| value.value().0),
    })
}

fn number(numbers: &Table<'_, &str, i64>, name: &str) -> Result<Option<i64>, redb::Error> {
    Ok(numbers.get(name)?.map(|value| value.value()))
}
