//! Wrong tokens, limited by where they come from.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

/// How many wrong tokens an address may send at once; afterwards, one each [`PAUSE`].
const BURST: NonZeroU32 = NonZeroU32::new(10).unwrap();
const PAUSE: Duration = Duration::from_secs(6);
/// From so many addresses on, those that have been quiet are forgotten.
const MANY: usize = 10_000;

/// How many wrong tokens came from where lately.
pub(super) struct Failures {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
}

impl Default for Failures {
    fn default() -> Self {
        let quota = Quota::with_period(PAUSE).unwrap_or(Quota::per_minute(BURST));
        Self {
            limiter: RateLimiter::keyed(quota.allow_burst(BURST)),
            clock: DefaultClock::default(),
        }
    }
}

impl Failures {
    /// Notes a wrong token; how long to wait when there were too many.
    pub(super) fn note(&self, peer: IpAddr) -> Option<Duration> {
        if self.limiter.len() >= MANY {
            self.limiter.retain_recent();
        }
        let refused = self.limiter.check_key(&network(peer)).err()?;
        Some(refused.wait_time_from(self.clock.now()))
    }
}

/// Whoever has one IPv6 address has the 2^64 around it.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_too_many_come_from_has_to_wait() {
        let failures = Failures::default();
        let [one, other]: [IpAddr; 2] = ["192.0.2.1", "192.0.2.2"].map(|ip| ip.parse().unwrap());
        for _ in 0..BURST.get() {
            assert_eq!(failures.note(one), None);
        }
        assert!(failures.note(one).is_some_and(|wait| wait <= PAUSE));
        assert_eq!(failures.note(other), None);
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
    }
}
