use super::*;

/// An assignment of partition 0, which is read from `offset` on; the ledger says the same.
fn reading_from(offset: i64) -> Assignment {
    let assignment = Assignment::default();
    assignment.assigned([0]);
    begin(&assignment, offset, Some(offset));
    assignment
}

fn begin(assignment: &Assignment, offset: i64, ledger: Option<i64>) {
    let (waiting, _) = assignment.waiting(Instant::now());
    for each in waiting {
        assignment.begun(each, offset, ledger);
    }
}

/// Messages of partition 0 up to `next_offset`, read just now.
fn read(assignment: &Assignment, next_offset: i64) -> Span {
    let span = Span {
        partition: 0,
        epoch: assignment.epoch(0).unwrap(),
        next_offset,
        oldest: Some(1000 + next_offset),
    };
    assignment.handed_over(&[span]);
    span
}

fn land(assignment: &Assignment, ticket: &Ticket) -> Vec<(i32, i64)> {
    let mut committed = Vec::new();
    assignment.land(ticket, &[], |done| committed = done.to_vec());
    committed
}

fn ledger(offset: i64) -> HashMap<i32, i64> {
    HashMap::from([(0, offset)])
}

#[test]
fn a_partition_is_read_only_once_it_was_told_from_where() {
    let assignment = Assignment::default();
    assignment.assigned([0, 1]);
    assert_eq!(assignment.epoch(0), None);
    let (waiting, _) = assignment.waiting(Instant::now());
    assert_eq!(waiting.len(), 2);
    begin(&assignment, 5, None);
    assert!(assignment.epoch(0).is_some());
    assert!(assignment.waiting(Instant::now()).0.is_empty());
}

#[test]
fn what_was_read_before_a_partition_left_is_not_ours_even_when_it_returns() {
    let assignment = reading_from(0);
    let before = read(&assignment, 10);
    assignment.lost(&[0]);
    assert!(!assignment.is_current(&assignment.take([&before])));
    assignment.assigned([0]);
    begin(&assignment, 0, None);
    assert!(!assignment.is_current(&assignment.take([&before])));
    let after = read(&assignment, 10);
    assert!(assignment.is_current(&assignment.take([&after])));
}

#[test]
fn a_partition_is_done_up_to_the_first_batch_that_is_not() {
    let assignment = reading_from(0);
    let [first, second, third] = [10, 20, 30].map(|next| read(&assignment, next));
    let [first, second, third] = [first, second, third].map(|span| assignment.take([&span]));
    assert_eq!(land(&assignment, &second), []);
    assert_eq!(land(&assignment, &first), [(0, 20)]);
    assert_eq!(land(&assignment, &third), [(0, 30)]);
}

#[test]
fn the_ledger_claims_only_what_follows_on_what_is_stored() {
    let assignment = reading_from(0);
    let [first, second] = [10, 20].map(|next| read(&assignment, next));
    let [first, second] = [first, second].map(|span| assignment.take([&span]));
    assert_eq!(assignment.claims(&first), ledger(10));
    assert_eq!(assignment.claims(&second), HashMap::new());
    land(&assignment, &first);
    assert_eq!(assignment.claims(&second), ledger(20));
}

#[test]
fn several_chunks_of_a_batch_are_one() {
    let assignment = reading_from(0);
    let [first, second] = [10, 20].map(|next| read(&assignment, next));
    let ticket = assignment.take([&first, &second]);
    assert_eq!(assignment.claims(&ticket), ledger(20));
    assert_eq!(land(&assignment, &ticket), [(0, 20)]);
    assert!(!assignment.is_unsettled());
}

#[test]
fn a_database_that_lacks_what_was_stored_is_read_for_again() {
    let assignment = reading_from(100);
    let ticket = assignment.take([&read(&assignment, 110)]);
    land(&assignment, &ticket);
    let under_way = assignment.take([&read(&assignment, 120)]);
    assert_eq!(assignment.reconcile(&ledger(110)), []);
    let rewound = Rewound {
        partition: 0,
        done: 110,
        ledger: Some(105),
    };
    assert_eq!(assignment.reconcile(&ledger(105)), [rewound]);
    assert!(!assignment.is_current(&under_way));
    assert_eq!(assignment.claims(&under_way), HashMap::new());
    assert_eq!(assignment.waiting(Instant::now()).0.len(), 1);
}

#[test]
fn what_was_stored_here_is_known_however_often_a_partition_begins_anew() {
    let assignment = reading_from(0);
    let tickets = [10, 20].map(|next| assignment.take([&read(&assignment, next)]));
    assert_eq!(assignment.stored(0, 100), None);
    land(&assignment, &tickets[0]);
    assert!(assignment.is_under_way());
    land(&assignment, &tickets[1]);
    assert!(!assignment.is_under_way());
    assignment.assigned([0]);
    assert_eq!(assignment.stored(0, 100), Some(20));
    begin(&assignment, 5, Some(5));
    let again = assignment.take([&read(&assignment, 15)]);
    land(&assignment, &again);
    assert_eq!(assignment.stored(0, 100), Some(20));
    // Until the database may have lost it, or the topic is another one.
    assert_eq!(assignment.reconcile(&ledger(20)), []);
    assert_eq!(assignment.stored(0, 100), Some(20));
    assert_eq!(assignment.reconcile(&ledger(15)), []);
    assert_eq!(assignment.stored(0, 100), None);
    let again = assignment.take([&read(&assignment, 25)]);
    land(&assignment, &again);
    assert_eq!(assignment.stored(0, 25), Some(25));
    assert_eq!(assignment.stored(0, 24), None);
    assert_eq!(assignment.stored(0, 100), None);
}

#[test]
fn a_loss_shows_even_when_nothing_was_stored_since_the_beginning() {
    assert_eq!(reading_from(100).reconcile(&ledger(100)), []);
    assert_eq!(reading_from(100).reconcile(&ledger(99)).len(), 1);
    assert_eq!(reading_from(100).reconcile(&HashMap::new()).len(), 1);
    // Of this one the ledger never knew anything.
    let assignment = Assignment::default();
    assignment.assigned([0]);
    begin(&assignment, 100, None);
    assert_eq!(assignment.reconcile(&HashMap::new()), []);
}

#[test]
fn a_partition_that_leaves_waits_for_what_is_under_way_and_takes_nothing_more() {
    let assignment = Assignment {
        patience: Duration::from_mins(1),
        ..reading_from(0)
    };
    let under_way = assignment.take([&read(&assignment, 10)]);
    let late = read(&assignment, 20);
    std::thread::scope(|scope| {
        let leaving = scope.spawn(|| assignment.leave(&[0]));
        while assignment
            .lock()
            .partitions
            .values()
            .any(|each| !each.leaving)
        {
            std::thread::yield_now();
        }
        assert_eq!(assignment.take([&late]).spans, []);
        land(&assignment, &under_way);
        assert_eq!(leaving.join().unwrap(), [(0, 10)]);
    });
}

#[test]
fn a_partition_that_leaves_untouched_commits_nothing() {
    assert_eq!(reading_from(50).leave(&[0]), []);
}

#[test]
fn a_partition_that_leaves_commits_only_what_is_not_committed_yet() {
    let assignment = reading_from(0);
    let ticket = assignment.take([&read(&assignment, 10)]);
    land(&assignment, &ticket);
    assignment.committed(0, 5);
    assert_eq!(assignment.leave(&[0]), [(0, 10)]);
    assignment.committed(0, 10);
    assert_eq!(assignment.leave(&[0]), []);
}

#[test]
fn what_is_given_up_is_never_skipped() {
    let assignment = reading_from(0);
    let [first, second] = [10, 20].map(|next| read(&assignment, next));
    let [first, second] = [first, second].map(|span| assignment.take([&span]));
    assignment.restart(&first, &[0], Instant::now());
    assert_eq!(land(&assignment, &second), []);
}

#[test]
fn the_lag_counts_from_the_oldest_message_that_is_not_done() {
    let assignment = reading_from(0);
    assignment.ends_at(0, 30);
    let tickets = [10, 20].map(|next| assignment.take([&read(&assignment, next)]));
    let lag = |events, since| Lag {
        partition: 0,
        events: Some(events),
        since,
    };
    assert_eq!(assignment.lags(), [lag(30, Some(1010))]);
    land(&assignment, &tickets[0]);
    assert_eq!(assignment.lags(), [lag(20, Some(1020))]);
    land(&assignment, &tickets[1]);
    assert_eq!(assignment.lags(), [lag(10, Some(1020))]);
    assignment.ends_at(0, 20);
    assert_eq!(assignment.lags(), [lag(0, None)]);
}
