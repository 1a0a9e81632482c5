//! A spool does what a map in memory would do, through any number of restarts.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::BTreeMap;

use monitor_spool::{Changes, Limits, Most, Record, Spool};
use proptest::prelude::*;
use tempfile::TempDir;

#[derive(Clone, Debug)]
enum Step {
    /// Appends records of these lengths, deletes every so manyth, moves the watermark.
    Commit(Vec<u16>, u8, Option<i64>),
    /// Puts another content under a number that was given before.
    Replace(u8, u16),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let lengths = prop::collection::vec(0..3000_u16, 0..20);
    prop_oneof![
        8 => (lengths, 0..6_u8, any::<Option<i64>>())
            .prop_map(|(lengths, every, watermark)| Step::Commit(lengths, every, watermark)),
        1 => (any::<u8>(), 0..3000_u16).prop_map(|(which, length)| Step::Replace(which, length)),
        2 => Just(Step::Reopen),
    ]
}

/// What the spool should be like.
#[derive(Default)]
struct Model {
    records: BTreeMap<u64, Record>,
    next: u64,
    watermark: Option<i64>,
    dropped: u64,
}

impl Model {
    fn bytes(&self) -> u64 {
        self.records.values().map(Record::size).sum()
    }

    fn keep(&mut self, limits: Limits) -> u64 {
        let mut before = 0;
        while self.bytes() > limits.bytes || self.records.len() as u64 > limits.records {
            let (sequence, _) = self.records.pop_first().unwrap();
            self.dropped += 1;
            before = sequence + 1;
        }
        before
    }
}

struct Both {
    folder: TempDir,
    limits: Limits,
    spool: Option<Spool>,
    model: Model,
}

impl Both {
    fn reopen(&mut self) {
        self.spool = None;
        let opened = Spool::open(&self.folder.path().join("spool"), self.limits).unwrap();
        assert_eq!(opened.set_aside, None);
        self.spool = Some(opened.spool);
    }

    fn commit(&mut self, append: &[Record], delete: &[u64], watermark: Option<i64>) {
        let changes = Changes {
            append,
            delete,
            watermark,
        };
        let model = &mut self.model;
        let already = model.dropped;
        for sequence in delete {
            model.records.remove(sequence);
        }
        for record in append {
            let is_new = record.sequence >= model.next;
            if is_new || model.records.contains_key(&record.sequence) {
                model.records.insert(record.sequence, record.clone());
            }
            model.next = model.next.max(record.sequence + 1);
        }
        let before = model.keep(self.limits);
        model.watermark = watermark.or(model.watermark);
        let dropped = self.spool.as_mut().unwrap().commit(&changes).unwrap();
        assert_eq!(
            (dropped.count, dropped.before),
            (model.dropped - already, before)
        );
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Commit(lengths, every, watermark) => {
                let append: Vec<_> = (self.model.next..)
                    .zip(lengths)
                    .map(|(sequence, length)| record(sequence, length))
                    .collect();
                let chosen =
                    |sequence: &u64| every > 0 && sequence.is_multiple_of(u64::from(every));
                let delete: Vec<_> = self.model.records.keys().copied().filter(chosen).collect();
                self.commit(&append, &delete, watermark);
            }
            Step::Replace(which, length) => {
                let sequence = u64::from(which) % self.model.next.max(1);
                if sequence < self.model.next {
                    self.commit(&[record(sequence, length)], &[], None);
                }
            }
            Step::Reopen => self.reopen(),
        }
        self.compare();
    }

    fn compare(&mut self) {
        let (spool, model) = (self.spool.as_mut().unwrap(), &self.model);
        let all: Vec<_> = model.records.values().cloned().collect();
        assert_eq!(spool.depth().records, all.len() as u64);
        assert_eq!(spool.depth().bytes, model.bytes());
        assert_eq!(spool.depth().oldest_at, all.first().map(|record| record.at));
        assert_eq!(spool.next_sequence(), model.next);
        assert_eq!(spool.watermark(), model.watermark);
        let dropped: u64 = spool.gaps().iter().map(|gap| gap.count).sum();
        // The oldest of many gaps are forgotten.
        assert!(dropped == model.dropped || spool.gaps().len() == 16);
        let everything = Most {
            records: usize::MAX,
            bytes: u64::MAX,
        };
        assert_eq!(spool.read(0, everything).unwrap(), all);
        let some: Vec<_> = (0..model.next).step_by(3).collect();
        let known = some
            .iter()
            .filter_map(|sequence| model.records.get(sequence));
        assert_eq!(
            spool.get(&some).unwrap(),
            known.cloned().collect::<Vec<_>>()
        );
    }
}

fn record(sequence: u64, length: u16) -> Record {
    Record {
        sequence,
        at: 1_000 - sequence.cast_signed(),
        bytes: vec![sequence.to_le_bytes()[0]; usize::from(length)],
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_spool_does_what_a_map_would_do(
        steps in prop::collection::vec(step(), 1..25),
        bytes in prop_oneof![Just(u64::MAX), 0..20_000_u64],
        records in prop_oneof![Just(u64::MAX), 0..40_u64],
    ) {
        let limits = Limits { bytes, records };
        let mut both = Both {
            folder: TempDir::new().unwrap(),
            limits,
            spool: None,
            model: Model::default(),
        };
        both.reopen();
        for step in steps {
            both.apply(step);
        }
    }
}
