//! Letting partitions begin, and telling what the topic no longer has.

use std::collections::HashMap;

use metrics::counter;
use monitor_kafka::{Begin, Position, Progress, Waiting};

use crate::settle::Settler;
use crate::start::{Gap, start};
use crate::writer::Writer;

/// Lets the partitions that wait begin where the ledger and the committed offsets say.
pub(crate) async fn begin(settler: &Settler, progress: &Progress, writer: &mut Writer) {
    // Asked before the ledger is read, which so is never older than the assignment.
    let (waiting, _) = progress.waiting();
    let Some(ledger) = settler.ledger(writer).await else {
        return;
    };
    // Three questions to a broker that may not answer: longer than there is when the service stops.
    match settler.last_chance(progress.positions(&waiting)).await {
        None => {}
        Some(Ok(positions)) => {
            progress.postpone(&waiting);
            let beginning = begin_at(&waiting, &positions, &ledger, progress);
            settler.last_chance(beginning).await;
        }
        Some(Err(error)) => {
            tracing::warn!("cannot tell where to begin: {error}");
            progress.postpone(&waiting);
        }
    }
}

async fn begin_at(
    waiting: &[Waiting],
    positions: &[Position],
    ledger: &HashMap<i32, i64>,
    progress: &Progress,
) {
    let beginnings = positions.iter().filter_map(|position| {
        let partition = position.partition;
        let waiting = waiting.iter().find(|each| each.partition == partition)?;
        let floor = ledger.get(&partition).copied();
        let start = start(position, floor);
        let begun = progress.begin(Begin {
            waiting: *waiting,
            offset: start.offset,
            floor,
        });
        Some((partition, start, begun))
    });
    // All of them are asked for before the first answer is waited for.
    let beginnings: Vec<_> = beginnings.collect();
    for (partition, start, begun) in beginnings {
        // One that has not begun comes again, and its gap would be counted twice.
        if let (true, Some(gap)) = (begun.await, start.gap) {
            tell(gap, partition, start.offset);
        }
    }
}

fn tell(gap: Gap, partition: i32, offset: i64) {
    counter!("sink_offset_gaps_total").increment(1);
    match gap {
        Gap::Expired(messages) => {
            counter!("sink_offset_gap_events_total").increment(messages.unsigned_abs());
            tracing::error!(
                kafka.partition = partition,
                kafka.offset = offset,
                messages,
                "the topic no longer has messages that were not stored: going on with the earliest"
            );
        }
        Gap::Beyond => tracing::error!(
            kafka.partition = partition,
            kafka.offset = offset,
            "the topic ends before what was stored, so it was made anew: reading all of it"
        ),
    }
}
