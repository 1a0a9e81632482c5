//! One process at a time, what is dropped is told, and a damaged file is no end of the world.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use monitor_spool::{Changes, Limits, Most, Opened, Record, Spool, SpoolError};
use tempfile::TempDir;

const NO_LIMITS: Limits = Limits {
    bytes: u64::MAX,
    records: u64::MAX,
};
const EVERYTHING: Most = Most {
    records: usize::MAX,
    bytes: u64::MAX,
};

fn open(path: &Path) -> Opened {
    Spool::open(path, NO_LIMITS).unwrap()
}

fn records(sequences: std::ops::Range<u64>) -> Vec<Record> {
    let record = |sequence| Record {
        sequence,
        at: sequence.cast_signed() * 1000,
        bytes: vec![7; 600],
    };
    sequences.map(record).collect()
}

fn append(spool: &mut Spool, sequences: std::ops::Range<u64>) {
    let changes = Changes {
        append: &records(sequences),
        ..Changes::default()
    };
    spool.commit(&changes).unwrap();
}

/// A folder with a spool of a thousand records, closed.
fn filled() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("eu.spool");
    append(&mut open(&path).spool, 0..1000);
    (folder, path)
}

#[test]
fn a_second_one_is_refused_until_the_first_is_gone() {
    let (_folder, path) = filled();
    let first = open(&path);
    let error = Spool::open(&path, NO_LIMITS).unwrap_err();
    assert!(matches!(error, SpoolError::Locked { .. }), "{error}");
    assert!(error.to_string().contains("eu.spool is in use"), "{error}");
    drop(first);
    assert_eq!(open(&path).spool.depth().records, 1000);
}

#[test]
fn what_is_dropped_leaves_a_gap_that_outlives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let limits = Limits {
        records: 10,
        ..NO_LIMITS
    };
    let mut spool = Spool::open(&path, limits).unwrap().spool;
    append(&mut spool, 0..15);
    append(&mut spool, 15..18);
    let [gap] = spool.gaps() else {
        panic!("{:?}", spool.gaps());
    };
    assert_eq!((gap.count, gap.first_at, gap.last_at), (8, 0, 7000));

    // One that begins elsewhere is another.
    let changes = Changes {
        delete: &[8, 9],
        append: &records(18..25),
        ..Changes::default()
    };
    let dropped = spool.commit(&changes).unwrap();
    assert_eq!((dropped.count, dropped.before), (5, 15));
    drop(spool);
    let spool = Spool::open(&path, limits).unwrap().spool;
    let counts: Vec<_> = spool.gaps().iter().map(|gap| gap.count).collect();
    assert_eq!(counts, [8, 5]);
}

#[test]
fn reading_keeps_to_its_limits_and_never_stands_still() {
    let (_folder, path) = filled();
    let mut spool = open(&path).spool;
    let numbers =
        |records: Vec<Record>| -> Vec<_> { records.iter().map(|record| record.sequence).collect() };
    let three = Most {
        records: 3,
        ..EVERYTHING
    };
    assert_eq!(numbers(spool.read(998, three).unwrap()), [998, 999]);
    assert_eq!(numbers(spool.read(5, three).unwrap()), [5, 6, 7]);
    let tiny = Most {
        bytes: 1,
        ..EVERYTHING
    };
    assert_eq!(numbers(spool.read(5, tiny).unwrap()), [5]);
    assert_eq!(numbers(spool.read(1000, tiny).unwrap()), [0; 0]);
}

#[test]
fn a_file_that_has_become_far_too_large_is_compacted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    let mut spool = open(&path).spool;
    append(&mut spool, 0..30_000);
    let full = spool.file_bytes();
    assert!(full > 18_000_000, "{full}");
    let delete: Vec<_> = (0..29_990).collect();
    let changes = Changes {
        delete: &delete,
        ..Changes::default()
    };
    spool.commit(&changes).unwrap();
    drop(spool);
    let mut spool = open(&path).spool;
    let compacted = spool.file_bytes();
    assert!(compacted < full / 4, "{full} before, {compacted} now");
    assert_eq!(spool.read(0, EVERYTHING).unwrap(), records(29_990..30_000));
}

/// Damages the file and opens it: it is set aside as it is, and a new one works.
fn is_set_aside(damage: impl FnOnce(&Path)) {
    let (folder, path) = filled();
    damage(&path);
    let damaged = fs::read(&path).unwrap();
    let Opened {
        mut spool,
        set_aside,
    } = open(&path);
    let set_aside = set_aside.expect("the damage is found");
    let name = set_aside.path.file_name().unwrap().to_string_lossy();
    assert!(name.starts_with("eu.spool.corrupt-2"), "{name}");
    assert_eq!(set_aside.path.parent(), Some(folder.path()));
    assert!(!set_aside.why.is_empty());
    assert_eq!(fs::read(&set_aside.path).unwrap().len(), damaged.len());

    assert_eq!(spool.depth().records, 0);
    append(&mut spool, 0..5);
    drop(spool);
    let again = open(&path);
    assert_eq!((again.spool.depth().records, again.set_aside), (5, None));
}

fn overwrite(path: &Path, at: usize, with: &[u8]) {
    let mut content = fs::read(path).unwrap();
    content[at..at + with.len()].copy_from_slice(with);
    fs::write(path, content).unwrap();
}

#[test]
fn a_file_that_is_something_else_is_set_aside() {
    is_set_aside(|path| fs::write(path, "2026-01-05T10:00:00.000Z").unwrap());
    is_set_aside(|path| overwrite(path, 0, b"SQLite format 3"));
}

#[test]
fn a_file_that_ends_too_early_is_set_aside() {
    let truncate = |path: &Path, length| {
        let content = fs::read(path).unwrap();
        fs::write(path, &content[..length]).unwrap();
    };
    is_set_aside(|path| truncate(path, 100));
    is_set_aside(|path| truncate(path, 300_000));
}

#[test]
fn a_flipped_byte_among_the_records_is_found() {
    is_set_aside(|path| {
        let content = fs::read(path).unwrap();
        let run = content.windows(64).position(|bytes| bytes == [7; 64]);
        overwrite(path, run.unwrap() + 10, &[8]);
    });
}

#[test]
fn a_flipped_bit_anywhere_is_found_or_changes_nothing() {
    let (_folder, path) = filled();
    let original = fs::read(&path).unwrap();
    let mut random = fastrand::Rng::with_seed(7);
    let anywhere: Vec<_> = (0..60).map(|_| random.usize(..original.len())).collect();
    for at in (0..320).step_by(8).chain(anywhere) {
        let mut damaged = original.clone();
        damaged[at] ^= 1 << random.u8(..8);
        fs::write(&path, damaged).unwrap();
        let Opened {
            mut spool,
            set_aside,
        } = open(&path);
        let left = if set_aside.is_some() { 0 } else { 1000 };
        let read = spool.read(0, EVERYTHING).unwrap();
        assert!(
            read == records(0..left),
            "byte {at}: {} left, {set_aside:?}",
            read.len()
        );
        append(&mut spool, 1000..1010);
    }
}

#[test]
fn damage_that_is_met_while_reading_sets_the_file_aside_too() {
    let (_folder, path) = filled();
    let mut spool = open(&path).spool;
    // Under its feet, and more than it keeps in memory could matter.
    let length = fs::metadata(&path).unwrap().len();
    fs::write(&path, vec![0xa5; usize::try_from(length).unwrap()]).unwrap();
    let mut outcome = Ok(());
    for sequence in 1000..1100 {
        let changes = Changes {
            append: &records(sequence..sequence + 1),
            delete: &[sequence - 1000, sequence - 500],
            watermark: None,
        };
        outcome = outcome.and(spool.commit(&changes).map(drop));
        outcome = outcome.and(spool.read(0, EVERYTHING).map(drop));
    }
    let told = outcome.err();
    drop(spool);
    // Whether it was met at once or only now, the next open begins anew.
    let opened = open(&path);
    match (&told, &opened.set_aside) {
        (Some(error), _) => assert!(matches!(error, SpoolError::Corrupt { .. }), "{error}"),
        (None, set_aside) => assert!(set_aside.is_some()),
    }
    assert_eq!(opened.spool.depth().records, 0);
}

#[test]
fn few_damaged_files_are_kept() {
    let (folder, path) = filled();
    for _ in 0..8 {
        fs::write(&path, "nonsense").unwrap();
        assert!(open(&path).set_aside.is_some());
    }
    let names = fs::read_dir(folder.path()).unwrap();
    let corrupt = names.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains("corrupt")
    });
    assert_eq!(corrupt.count(), 5);
}

#[test]
fn a_folder_that_cannot_be_written_is_told_and_nothing_is_set_aside() {
    let error = Spool::open(Path::new("/proc/nowhere/spool"), NO_LIMITS).unwrap_err();
    assert!(matches!(error, SpoolError::Unusable { .. }), "{error}");
    assert!(error.to_string().contains("/proc/nowhere/spool"), "{error}");
}

#[test]
fn after_an_error_the_spool_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let mut spool = open(&folder.path().join("spool")).spool;
    let unordered = [records(5..6), records(3..4)].concat();
    let changes = Changes {
        append: &unordered,
        ..Changes::default()
    };
    assert!(matches!(
        spool.commit(&changes),
        Err(SpoolError::Unusable { .. })
    ));
    assert!(matches!(
        spool.commit(&changes),
        Err(SpoolError::Closed { .. })
    ));
    assert_eq!(open(&folder.path().join("spool")).spool.depth().records, 0);
}
