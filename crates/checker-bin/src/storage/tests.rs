use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const EVERYTHING: Most = Most {
    records: usize::MAX,
    bytes: u64::MAX,
};

struct Fixture {
    folder: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A folder that a file is in the way of.
    fn blocked() -> Self {
        let fixture = Self::new();
        std::fs::write(fixture.spool_folder(), "").unwrap();
        fixture
    }

    fn unblock(&self) {
        std::fs::remove_file(self.spool_folder()).unwrap();
    }

    fn spool_folder(&self) -> PathBuf {
        self.folder.path().join("folder")
    }

    fn open(&self) -> Storage {
        let limits = Limits {
            bytes: u64::MAX,
            records: u64::MAX,
        };
        Storage::open(&self.spool_folder().join("eu.spool"), limits).unwrap()
    }
}

fn add(storage: &mut Storage, contents: &[&str]) {
    for content in contents {
        storage.add(1000, content.as_bytes().to_vec());
    }
}

fn contents(records: &[Record]) -> Vec<&str> {
    let content = |record| std::str::from_utf8(<&Record>::clone(&record).bytes.as_slice()).unwrap();
    records.iter().map(content).collect()
}

/// Commits until the disk is back.
fn regain(storage: &mut Storage) -> Committed {
    loop {
        let committed = storage.commit();
        if committed.regained {
            return committed;
        }
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

#[test]
fn the_next_run_has_what_was_committed_and_not_delivered() {
    let fixture = Fixture::new();
    let mut storage = fixture.open();
    assert_eq!((storage.last_reached(), storage.next()), (None, 0));
    add(&mut storage, &["a", "b", "c"]);
    storage.reached(at(7));
    assert_eq!(contents(&storage.commit().fresh), ["a", "b", "c"]);
    storage.remove(1);
    add(&mut storage, &["d"]);
    assert_eq!(contents(&storage.commit().fresh), ["d"]);
    // These are only told, and not committed.
    add(&mut storage, &["e"]);
    storage.remove(0);
    storage.reached(at(8));
    drop(storage);

    let mut storage = fixture.open();
    assert_eq!(storage.last_reached(), Some(at(7)));
    assert_eq!(contents(&storage.read(0, EVERYTHING)), ["a", "c", "d"]);
    assert_eq!((storage.next(), storage.depth().records), (4, 3));
}

#[test]
fn a_result_that_was_replaced_is_the_new_one_on_disk() {
    let fixture = Fixture::new();
    let mut storage = fixture.open();
    add(&mut storage, &["a", "large", "c"]);
    storage.commit();
    let record = storage.get(1).unwrap();
    storage.replace(Record {
        bytes: b"small".to_vec(),
        ..record
    });
    add(&mut storage, &["d"]);
    assert_eq!(contents(&storage.commit().fresh), ["d"]);
    let records = storage.read(0, EVERYTHING);
    assert_eq!(contents(&records), ["a", "small", "c", "d"]);
}

#[test]
fn while_the_disk_is_away_results_are_in_memory_and_then_on_disk() {
    let fixture = Fixture::blocked();
    let mut storage = fixture.open();
    assert!(storage.trouble().unwrap().contains("cannot be made"));
    add(&mut storage, &["a", "b", "c", "d"]);
    storage.reached(at(7));
    assert!(storage.commit().fresh.is_empty());
    let first = storage.next() - 4;
    assert_eq!(
        contents(&storage.read(first + 1, EVERYTHING)),
        ["b", "c", "d"]
    );
    storage.remove(first + 1);
    let record = storage.get(first + 2).unwrap();
    storage.replace(Record {
        bytes: b"C".to_vec(),
        ..record
    });
    assert_eq!((storage.in_memory(), storage.depth().records), (3, 3));

    fixture.unblock();
    assert_eq!(contents(&regain(&mut storage).fresh), ["a", "C", "d"]);
    assert_eq!((storage.in_memory(), storage.trouble()), (0, None));
    drop(storage);
    let mut storage = fixture.open();
    assert_eq!(contents(&storage.read(0, EVERYTHING)), ["a", "C", "d"]);
    assert_eq!(storage.last_reached(), Some(at(7)));
}

#[test]
fn a_spool_that_comes_back_late_keeps_what_was_in_it() {
    let fixture = Fixture::new();
    let mut storage = fixture.open();
    add(&mut storage, &["old"]);
    storage.commit();
    drop(storage);
    let (folder, hidden) = (fixture.spool_folder(), fixture.folder.path().join("hidden"));
    std::fs::rename(&folder, &hidden).unwrap();
    std::fs::write(&folder, "").unwrap();

    let mut storage = fixture.open();
    add(&mut storage, &["new"]);
    storage.commit();
    fixture.unblock();
    std::fs::rename(&hidden, &folder).unwrap();
    assert_eq!(contents(&regain(&mut storage).fresh), ["new"]);
    assert_eq!(contents(&storage.read(0, EVERYTHING)), ["old", "new"]);
}

#[test]
fn memory_is_bounded_and_the_oldest_go_first() {
    let fixture = Fixture::blocked();
    let mut storage = fixture.open();
    for number in 0..70_u8 {
        storage.add(1000, vec![number; 1 << 20]);
    }
    storage.commit();
    assert!(storage.depth().bytes <= MOST_IN_MEMORY);
    let records = storage.read(0, EVERYTHING);
    assert_eq!(records.len(), 63);
    assert_eq!(records[0].bytes[0], 7);
}

#[test]
fn a_second_process_is_told_that_the_spool_is_in_use() {
    let fixture = Fixture::new();
    let _first = fixture.open();
    let path = fixture.spool_folder().join("eu.spool");
    let limits = Limits {
        bytes: u64::MAX,
        records: u64::MAX,
    };
    let error = Storage::open(&path, limits).unwrap_err();
    assert!(matches!(error, SpoolError::Locked { .. }), "{error}");
}
