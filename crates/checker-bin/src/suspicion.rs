//! When most sites begin to fail at once, the checker's own network is the likelier cause. Pure.

use std::collections::{HashMap, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use monitor_core::{CheckEvent, FailureKind, SiteId};

/// How close together failures have to begin to count as "at once".
const AT_ONCE: TimeDelta = TimeDelta::minutes(2);
/// Fewer sites than these prove nothing.
const FEWEST: usize = 5;
/// Longest suspicion: what fails for longer than this is taken at its word, so that a real outage of
/// most sites is never doubted for good.
const LONGEST: TimeDelta = TimeDelta::minutes(15);

/// What is known of every site's network, and whether it looks like our own is broken.
#[derive(Debug, Default)]
pub(crate) struct Suspicion {
    /// Whether a site's network failed when it was last checked.
    fails: HashMap<SiteId, bool>,
    working: usize,
    /// Sites that have begun to fail at once, and when each did.
    fresh: HashMap<SiteId, DateTime<Utc>>,
    /// The same in order, with some that are fresh no more.
    begun: VecDeque<(DateTime<Utc>, SiteId)>,
    since: Option<DateTime<Utc>>,
}

impl Suspicion {
    /// Takes note of a result, and says whether it is to be doubted.
    pub(crate) fn doubts(&mut self, result: &CheckEvent, now: DateTime<Utc>) -> bool {
        if !result.outcome.is_verdict() {
            return false;
        }
        let fails = is_of_the_network(result);
        self.note(result.site_id, fails, now);
        self.judge(now);
        fails && self.since.is_some()
    }

    /// Since when there is a suspicion.
    pub(crate) fn since(&self) -> Option<DateTime<Utc>> {
        self.since
    }

    /// Forgets the sites that are not checked any more.
    pub(crate) fn retain(&mut self, is_checked: impl Fn(SiteId) -> bool) {
        self.fails.retain(|id, _| is_checked(*id));
        self.fresh.retain(|id, _| is_checked(*id));
        self.working = self.fails.values().filter(|fails| !**fails).count();
    }

    fn note(&mut self, site: SiteId, fails: bool, now: DateTime<Utc>) {
        let before = self.fails.insert(site, fails);
        self.working -= usize::from(before == Some(false));
        self.working += usize::from(!fails);
        if !fails {
            self.fresh.remove(&site);
        } else if before == Some(false) {
            // A site that has never been seen to work says nothing about a change.
            self.fresh.insert(site, now);
            self.begun.push_back((now, site));
        }
    }

    fn judge(&mut self, now: DateTime<Utc>) {
        let over = self.since.is_some_and(|since| now - since >= LONGEST);
        if over {
            self.fresh.clear();
            self.begun.clear();
        }
        if self.since.is_none() {
            self.forget_before(now - AT_ONCE);
        }
        let most = self.fresh.len() >= FEWEST && self.fresh.len() > self.working;
        self.since = most.then(|| self.since.unwrap_or(now));
    }

    fn forget_before(&mut self, instant: DateTime<Utc>) {
        while let Some(&(begun, site)) = self.begun.front() {
            if begun > instant {
                break;
            }
            self.begun.pop_front();
            if self.fresh.get(&site) == Some(&begun) {
                self.fresh.remove(&site);
            }
        }
    }
}

/// Failures that a broken network of our own would look like.
fn is_of_the_network(result: &CheckEvent) -> bool {
    use FailureKind::{
        ConnectTimeout, ConnectionReset, DnsError, DnsServfail, DnsTimeout, FirstByteTimeout,
        HostUnreachable, NetworkUnreachable, TlsTimeout,
    };
    let network = [
        DnsServfail,
        DnsTimeout,
        DnsError,
        ConnectionReset,
        HostUnreachable,
        NetworkUnreachable,
        ConnectTimeout,
        TlsTimeout,
        FirstByteTimeout,
    ];
    let failure = result.failure.as_ref();
    failure.is_some_and(|failure| network.contains(&failure.kind))
}

#[cfg(test)]
mod tests {
    use monitor_core::{Failure, Outcome, Slot};

    use super::*;

    /// A result of a site: `None` is up.
    fn result(site: i64, failure: Option<FailureKind>) -> CheckEvent {
        let slot = Slot {
            site_id: SiteId(site),
            region: "local".parse().unwrap(),
            scheduled_at: DateTime::UNIX_EPOCH,
        };
        let kind = failure.unwrap_or(FailureKind::Overloaded);
        let mut event = CheckEvent::missed(&slot, "checker", Failure::new(kind, None, ""));
        event.outcome = failure.map_or(Outcome::Up, |_| Outcome::Down);
        event.failure = event.failure.filter(|_| failure.is_some());
        event
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    const TIMEOUT: Option<FailureKind> = Some(FailureKind::ConnectTimeout);

    /// How many of the results of these sites at this time are doubted.
    fn doubted(
        suspicion: &mut Suspicion,
        sites: std::ops::Range<i64>,
        failure: Option<FailureKind>,
        seconds: i64,
    ) -> usize {
        let results = sites.map(|site| result(site, failure));
        results
            .filter(|result| suspicion.doubts(result, at(seconds)))
            .count()
    }

    #[test]
    fn most_sites_that_begin_to_fail_at_once_are_doubted_until_they_recover() {
        let mut suspicion = Suspicion::default();
        assert_eq!(doubted(&mut suspicion, 0..20, None, 0), 0);
        // The first ten are not most yet.
        assert_eq!(doubted(&mut suspicion, 0..20, TIMEOUT, 60), 10);
        assert_eq!(suspicion.since(), Some(at(60)));
        assert_eq!(doubted(&mut suspicion, 0..20, TIMEOUT, 600), 20);
        assert_eq!(doubted(&mut suspicion, 0..20, None, 660), 0);
        assert_eq!(suspicion.since(), None);
    }

    #[test]
    fn an_outage_that_lasts_is_taken_at_its_word() {
        let mut suspicion = Suspicion::default();
        doubted(&mut suspicion, 0..20, None, 0);
        doubted(&mut suspicion, 0..20, TIMEOUT, 60);
        assert_eq!(doubted(&mut suspicion, 0..20, TIMEOUT, 60 + 15 * 60), 0);
        assert_eq!(doubted(&mut suspicion, 0..20, TIMEOUT, 60 + 20 * 60), 0);
    }

    #[test]
    fn few_sites_slow_decay_and_other_failures_are_no_reason() {
        let mut few = Suspicion::default();
        doubted(&mut few, 0..4, None, 0);
        assert_eq!(doubted(&mut few, 0..4, TIMEOUT, 60), 0);

        let mut slow = Suspicion::default();
        doubted(&mut slow, 0..20, None, 0);
        for site in 0..20 {
            let sites = site..site + 1;
            assert_eq!(doubted(&mut slow, sites, TIMEOUT, 60 + site * 60), 0);
        }

        let mut wrong = Suspicion::default();
        doubted(&mut wrong, 0..20, None, 0);
        let status = Some(FailureKind::UnexpectedStatus);
        assert_eq!(doubted(&mut wrong, 0..20, status, 60), 0);
    }

    #[test]
    fn sites_that_never_worked_or_are_gone_do_not_count() {
        let mut suspicion = Suspicion::default();
        assert_eq!(doubted(&mut suspicion, 0..20, TIMEOUT, 0), 0);

        doubted(&mut suspicion, 0..20, None, 60);
        suspicion.retain(|site| site.0 < 4);
        assert_eq!(doubted(&mut suspicion, 0..4, TIMEOUT, 120), 0);
    }
}
