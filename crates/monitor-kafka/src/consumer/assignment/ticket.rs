//! Messages on their way to the database.

use std::collections::HashMap;
use std::time::Instant;

use super::super::chunk::{Chunk, Received, Span};
use super::Assignment;
use super::partition::Flight;

/// A number of messages on their way to the database.
#[derive(Debug)]
pub struct Ticket {
    number: u64,
    pub(super) spans: Vec<Span>,
}

impl Ticket {
    /// Whether all messages of a chunk are ours to store.
    #[must_use]
    pub fn covers(&self, chunk: &Chunk) -> bool {
        let holds = |span: &Span| self.includes(span.partition, span.epoch);
        chunk.spans().iter().all(holds)
    }

    fn includes(&self, partition: i32, epoch: u64) -> bool {
        let mut spans = self.spans.iter();
        spans.any(|span| (span.partition, span.epoch) == (partition, epoch))
    }

    /// Whether a message is among those that are ours to store.
    #[must_use]
    pub fn holds(&self, message: &Received<'_>) -> bool {
        self.includes(message.partition, message.epoch)
    }

    /// The partitions of its messages.
    pub fn partitions(&self) -> impl Iterator<Item = i32> {
        self.spans.iter().map(|span| span.partition)
    }
}

impl Assignment {
    /// Takes messages on their way. Those of partitions that are not ours any more, or no longer
    /// in this epoch, are not on the ticket.
    pub(in crate::consumer) fn take<'a>(
        &self,
        spans: impl IntoIterator<Item = &'a Span>,
    ) -> Ticket {
        let mut state = self.lock();
        state.last_ticket += 1;
        let number = state.last_ticket;
        let mut ticket = Ticket {
            number,
            spans: Vec::new(),
        };
        for span in spans {
            let Some(partition) = state.current(span.partition, span.epoch) else {
                continue;
            };
            if partition.leaving {
                continue;
            }
            match partition.flights.back_mut() {
                Some(flight) if flight.number == number => flight.next_offset = span.next_offset,
                _ => {
                    ticket.spans.push(*span);
                    partition.flights.push_back(Flight {
                        number,
                        next_offset: span.next_offset,
                        landed: false,
                    });
                }
            }
        }
        ticket
    }

    /// Whether any of the messages is still ours to store.
    pub(in crate::consumer) fn is_current(&self, ticket: &Ticket) -> bool {
        let mut state = self.lock();
        let mut spans = ticket.spans.iter();
        spans.any(|span| state.current(span.partition, span.epoch).is_some())
    }

    /// By partition, the offset that the ledger may say once these messages are stored: only where
    /// everything before them is stored already.
    pub(in crate::consumer) fn claims(&self, ticket: &Ticket) -> HashMap<i32, i64> {
        let mut state = self.lock();
        let claims = ticket.spans.iter().filter_map(|span| {
            let first = state.current(span.partition, span.epoch)?.flights.front()?;
            (first.number == ticket.number).then_some((span.partition, first.next_offset))
        });
        claims.collect()
    }

    /// The messages are dealt with, except those of some partitions. `commit` is given the offsets
    /// that are now done, before any of these partitions can leave.
    pub(in crate::consumer) fn land(
        &self,
        ticket: &Ticket,
        except: &[i32],
        commit: impl FnOnce(&[(i32, i64)]),
    ) {
        let mut state = self.lock();
        let mut done = Vec::new();
        for span in &ticket.spans {
            let found = state.current(span.partition, span.epoch);
            let Some(partition) = found.filter(|_| !except.contains(&span.partition)) else {
                continue;
            };
            let mut flights = partition.flights.iter_mut();
            if let Some(flight) = flights.find(|flight| flight.number == ticket.number) {
                flight.landed = true;
            }
            if partition.advance() {
                done.push((span.partition, partition.done));
            }
        }
        if !done.is_empty() {
            commit(&done);
        }
        drop(state);
        self.landed.notify_all();
    }

    /// Reads partitions of a ticket again from where they began to be unsure, not before `at`.
    pub(in crate::consumer) fn restart(&self, ticket: &Ticket, partitions: &[i32], at: Instant) {
        let mut state = self.lock();
        for span in &ticket.spans {
            let ours = state.current(span.partition, span.epoch).is_some();
            if ours && partitions.contains(&span.partition) {
                state.renew(span.partition, Some(at));
            }
        }
        drop(state);
        self.news();
    }
}
