//! Which results the producer holds, and which it has to be given. Pure.

use std::collections::HashMap;

use monitor_spool::Most;

/// Most results that the producer holds: fewer than fit into its queue, so that the queue is never
/// full.
const MOST_IN_FLIGHT: usize = 5_000;
/// Most bytes of them, for the same reason.
const MOST_BYTES_IN_FLIGHT: u64 = 32 << 20;
/// Most of them while the last ones were refused.
const PROBES: usize = 100;

/// What has become of every result that is not yet delivered: the producer holds it, or it is to be
/// sent when the cursor comes by.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Everything from here on that is not in flight is to be sent.
    cursor: u64,
    in_flight: HashMap<u64, u64>,
    bytes_in_flight: u64,
    /// Nothing has been delivered since the last refusal.
    refused: bool,
}

impl Ledger {
    /// Where to go on sending.
    pub(crate) fn cursor(&self) -> u64 {
        self.cursor
    }

    /// Whether the producer holds this one.
    pub(crate) fn is_in_flight(&self, sequence: u64) -> bool {
        self.in_flight.contains_key(&sequence)
    }

    /// How many the producer holds.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// How much more the producer may be given; `None` when nothing.
    pub(crate) fn room(&self) -> Option<Most> {
        let most = if self.refused { PROBES } else { MOST_IN_FLIGHT };
        let records = most.saturating_sub(self.in_flight.len());
        let bytes = MOST_BYTES_IN_FLIGHT.saturating_sub(self.bytes_in_flight);
        (records > 0 && bytes > 0).then_some(Most { records, bytes })
    }

    /// The producer has this one now.
    pub(crate) fn sent(&mut self, sequence: u64, bytes: u64) {
        self.in_flight.insert(sequence, bytes);
        self.bytes_in_flight += bytes;
        self.passed(sequence);
    }

    /// Everything up to this one is in flight, delivered or gone.
    pub(crate) fn passed(&mut self, sequence: u64) {
        self.cursor = self.cursor.max(sequence + 1);
    }

    /// It has arrived.
    pub(crate) fn delivered(&mut self, sequence: u64) {
        self.take(sequence);
        self.refused = false;
    }

    /// The producer has given it up: it is to be sent again.
    pub(crate) fn refused(&mut self, sequence: u64) {
        self.take(sequence);
        self.refused = true;
        self.rewind(sequence);
    }

    /// The producer is no more: what it held is to be sent again.
    pub(crate) fn lost_producer(&mut self) {
        let earliest = self.in_flight.keys().min().copied();
        self.in_flight.clear();
        self.bytes_in_flight = 0;
        self.rewind(earliest.unwrap_or(self.cursor));
    }

    /// Goes back to this one, and on from there over what is not in flight.
    pub(crate) fn rewind(&mut self, to: u64) {
        self.cursor = self.cursor.min(to);
    }

    fn take(&mut self, sequence: u64) {
        let bytes = self.in_flight.remove(&sequence);
        self.bytes_in_flight -= bytes.unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Event {
        /// So many new results.
        Add(u64),
        /// Results are sent, as many as fit.
        Send,
        /// The so manyth of those in flight arrives, or is refused.
        Deliver(usize),
        Refuse(usize),
        LoseProducer,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            2 => (1..200_u64).prop_map(Event::Add),
            3 => Just(Event::Send),
            4 => any::<usize>().prop_map(Event::Deliver),
            1 => any::<usize>().prop_map(Event::Refuse),
            1 => Just(Event::LoseProducer),
        ]
    }

    #[derive(Default)]
    struct Model {
        ledger: Ledger,
        next: u64,
        /// Not yet delivered.
        stored: BTreeSet<u64>,
        in_flight: Vec<u64>,
    }

    impl Model {
        fn apply(&mut self, event: &Event) {
            match event {
                Event::Add(count) => {
                    self.stored.extend(self.next..self.next + count);
                    self.next += count;
                }
                Event::Send => self.send(),
                Event::Deliver(which) => {
                    if let Some(sequence) = self.take(*which) {
                        self.stored.remove(&sequence);
                        self.ledger.delivered(sequence);
                    }
                }
                Event::Refuse(which) => {
                    if let Some(sequence) = self.take(*which) {
                        self.ledger.refused(sequence);
                    }
                }
                Event::LoseProducer => {
                    self.in_flight.clear();
                    self.ledger.lost_producer();
                }
            }
        }

        fn send(&mut self) {
            let waiting: Vec<_> = self.stored.range(self.ledger.cursor()..).copied().collect();
            for sequence in waiting {
                if self.ledger.room().is_none() {
                    return;
                }
                if self.ledger.is_in_flight(sequence) {
                    self.ledger.passed(sequence);
                    continue;
                }
                self.ledger.sent(sequence, 600);
                self.in_flight.push(sequence);
            }
        }

        fn take(&mut self, which: usize) -> Option<u64> {
            let index = which.checked_rem(self.in_flight.len())?;
            Some(self.in_flight.swap_remove(index))
        }
    }

    proptest! {
        #[test]
        fn every_result_is_sent_until_it_has_arrived_and_never_twice_at_a_time(
            events in prop::collection::vec(event(), 1..200),
        ) {
            let mut model = Model::default();
            for event in &events {
                model.apply(event);
                let distinct: BTreeSet<_> = model.in_flight.iter().collect();
                prop_assert_eq!(distinct.len(), model.in_flight.len());
                prop_assert_eq!(model.ledger.in_flight(), model.in_flight.len());
                prop_assert_eq!(model.ledger.bytes_in_flight, 600 * model.in_flight.len() as u64);
            }
            // In the end everything arrives.
            while !model.stored.is_empty() {
                model.send();
                let held = model.in_flight.len();
                prop_assert!(held > 0, "stuck with {} left", model.stored.len());
                for _ in 0..held {
                    model.apply(&Event::Deliver(0));
                }
            }
        }
    }

    #[test]
    fn the_producer_never_holds_more_than_fits_and_few_while_it_refuses() {
        let mut ledger = Ledger::default();
        for sequence in 0..5_000 {
            assert!(ledger.room().is_some());
            ledger.sent(sequence, 600);
        }
        assert!(ledger.room().is_none());
        for sequence in 0..5_000 {
            ledger.refused(sequence);
        }
        assert_eq!((ledger.cursor(), ledger.room().unwrap().records), (0, 100));
        ledger.sent(0, MOST_BYTES_IN_FLIGHT);
        assert!(ledger.room().is_none());
        ledger.delivered(0);
        assert_eq!(ledger.room().unwrap().records, 5_000);
    }
}
