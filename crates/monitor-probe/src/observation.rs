//! What an attempt has seen so far. Kept outside of the attempt's future, so that it is there also
//! when the deadline cuts the attempt short.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use monitor_core::event::{ContentMatch, Hop, HttpFacts, Timings, TlsFacts};
use monitor_core::{FailureKind, Phase};
use url::Url;

use crate::dns::Silence;
use crate::failure::Failed;

/// Longest URL that is shown, in bytes: where a redirect leads is up to the server.
const MAX_URL: usize = 2048;

/// Facts of one attempt; those of a hop are about the last one.
#[derive(Debug)]
pub(crate) struct Observation {
    /// The phase that is going on.
    pub(crate) phase: Phase,
    pub(crate) dns_silence: Silence,
    pub(crate) timings: Timings,
    pub(crate) status_code: Option<u16>,
    pub(crate) version: Option<&'static str>,
    pub(crate) remote_addr: Option<SocketAddr>,
    /// The redirects that led here.
    pub(crate) hops: Vec<Hop>,
    /// Where the request goes, as far as it may be shown.
    pub(crate) url: String,
    pub(crate) body_bytes: u64,
    pub(crate) content: ContentMatch,
    pub(crate) tls: crate::tls::Record,
}

impl Observation {
    pub(crate) fn new(url: &Url) -> Self {
        Self {
            phase: Phase::Dns,
            dns_silence: Silence::default(),
            timings: Timings::default(),
            status_code: None,
            version: None,
            remote_addr: None,
            hops: Vec::new(),
            url: without_query(url),
            body_bytes: 0,
            content: ContentMatch::NotChecked,
            tls: crate::tls::Record::default(),
        }
    }

    /// What it comes to that the deadline has passed.
    pub(crate) fn deadline(&self, after: Duration) -> Failed {
        if self.phase == Phase::Dns && self.dns_silence.is_total() {
            let detail = format!(
                "no name server has answered anything within {after:?}: neither for the host nor for the root"
            );
            return Failed::new(FailureKind::CheckerNetwork, self.phase, detail);
        }
        Failed::deadline(self.phase, after)
    }

    /// How many redirects were followed.
    pub(crate) fn redirects(&self) -> u8 {
        u8::try_from(self.hops.len()).unwrap_or(u8::MAX)
    }

    /// Turns what was seen on the way here into a hop: a redirect leads to `url`.
    pub(crate) fn follow(&mut self, url: &Url) {
        let mut hops = std::mem::take(&mut self.hops);
        hops.push(Hop {
            url: std::mem::take(&mut self.url),
            status_code: self.status_code.unwrap_or_default(),
            remote_addr: self.remote_addr.map(|address| address.to_string()),
            timings_us: self.timings,
        });
        // The status that led here stays known until the next one comes.
        let status_code = self.status_code;
        *self = Self {
            status_code,
            hops,
            ..Self::new(url)
        };
    }

    /// Facts about HTTP; `None` when it did not come to a connection.
    pub(crate) fn http(&mut self) -> Option<HttpFacts> {
        let remote_addr = self.remote_addr?;
        Some(HttpFacts {
            version: self.version.map(str::to_owned),
            remote_addr: Some(remote_addr.to_string()),
            redirects: self.redirects(),
            final_url: Some(std::mem::take(&mut self.url)),
            body_bytes: self.body_bytes,
            hops: std::mem::take(&mut self.hops),
        })
    }

    /// Facts about TLS; `None` when no certificate was seen.
    pub(crate) fn tls(&self) -> Option<TlsFacts> {
        self.tls.facts()
    }
}

/// What of a URL may be shown: its query can hold tokens. It has no credentials.
fn without_query(url: &Url) -> String {
    let mut shown = url[..url::Position::AfterPath].to_owned();
    shown.truncate(shown.floor_char_boundary(MAX_URL));
    shown
}

/// Microseconds since `start`, in the width of the event.
pub(crate) fn micros_since(start: Instant) -> u32 {
    micros(start.elapsed())
}

pub(crate) fn micros(duration: Duration) -> u32 {
    u32::try_from(duration.as_micros()).unwrap_or(u32::MAX)
}
