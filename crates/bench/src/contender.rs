//! Who is measured: our checker, the floor below it, and its peers.

mod aiohttp;
mod blackbox;
mod checker;
mod cloudprober;
mod gatus;
mod go;
mod peers;
mod wrk;

use std::fmt;

use anyhow::{Result, anyhow};
use local_stack::Process;
use serde::Serialize;

use crate::ground::{Ground, Sites};
use crate::histogram::Histogram;
use crate::nginx::Scheme;

pub(crate) use self::checker::Checker;
use self::cloudprober::Targets;
pub(crate) use self::peers::Peers;

/// One of those who are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Contender {
    /// Ours, whole: schedule, check, event, Kafka.
    Checker,
    /// The same as fast as it can, with as many checks at a time as the others have requests.
    #[serde(rename = "checker-full")]
    CheckerFull,
    /// The floor: a load generator in C, which does nothing but the requests, many at a time.
    Wrk,
    /// The same with one request at a time: the floor of who cannot wait until there is more to do.
    #[serde(rename = "wrk-single")]
    WrkSingle,
    /// The Prometheus project's checker, asked to probe by HTTP.
    Blackbox,
    /// A status page that checks endpoints by itself.
    Gatus,
    /// A prober for Prometheus that checks targets by itself.
    Cloudprober,
    /// What an engineer would write in an afternoon.
    Aiohttp,
}

/// A contender at work; it stops when dropped.
pub(crate) enum AtWork {
    /// Our checker.
    Ours(Checker),
    /// Somebody else: whose CPU time counts, and what makes it work if that is not its own doing.
    Other {
        client: Process,
        _driver: Option<Process>,
    },
}

/// What the contenders check, and what they need for it.
pub(crate) struct Means<'a> {
    pub(crate) ground: &'a Ground,
    /// Sites for our checker on its schedule.
    pub(crate) scheduled: BySchemes,
    /// More sites than it can check once within a window.
    pub(crate) plenty: BySchemes,
    pub(crate) peers: Peers,
}

impl Means<'_> {
    /// The same for a peer as the sites on a schedule are for our checker.
    fn targets(&self, scheme: Scheme) -> Targets {
        let count = self.scheduled.of(scheme).count;
        Targets { scheme, count }
    }
}

/// The same kind of sites over both schemes.
pub(crate) struct BySchemes {
    pub(crate) http: Sites,
    pub(crate) https: Sites,
}

impl BySchemes {
    fn of(&self, scheme: Scheme) -> &Sites {
        match scheme {
            Scheme::Http => &self.http,
            Scheme::Https => &self.https,
        }
    }
}

/// Requests before a window opens: pools have filled, and code has been compiled or read in.
const WARM_UP: u64 = 3_000;
/// How many requests those who work as fast as they can have open at a time.
const AT_A_TIME: u32 = 64;

impl Contender {
    /// Ours, in both ways of working.
    pub(crate) const OURS: [Self; 2] = [Self::Checker, Self::CheckerFull];
    /// The peers and the floor.
    pub(crate) const OTHERS: [Self; 6] = [
        Self::Wrk,
        Self::WrkSingle,
        Self::Blackbox,
        Self::Gatus,
        Self::Cloudprober,
        Self::Aiohttp,
    ];

    /// Why it cannot be measured here, if it cannot.
    pub(crate) fn missing(self, peers: &Peers) -> Option<String> {
        match self {
            Self::Checker | Self::CheckerFull => None,
            Self::Wrk | Self::WrkSingle => wrk::missing().map(str::to_owned),
            Self::Blackbox => wrk::missing().or_else(blackbox::missing).map(str::to_owned),
            Self::Gatus => peers.gatus.as_ref().err().cloned(),
            Self::Cloudprober => peers.cloudprober.as_ref().err().cloned(),
            Self::Aiohttp => peers.python.as_ref().err().cloned(),
        }
    }

    /// How many requests it makes before its window opens.
    pub(crate) fn warm_up(self, scheme: Scheme, means: &Means<'_>) -> u64 {
        match self {
            Self::Cloudprober => means.targets(scheme).warm_up(),
            _ => WARM_UP,
        }
    }

    /// Sets it to work against nginx.
    pub(crate) fn start(self, scheme: Scheme, means: &Means<'_>) -> Result<AtWork> {
        let ground = means.ground;
        match self {
            Self::Checker => Checker::start(ground, means.scheduled.of(scheme)).map(AtWork::Ours),
            Self::CheckerFull => {
                checker::check_once(ground, means.plenty.of(scheme), AT_A_TIME).map(AtWork::alone)
            }
            Self::Wrk => {
                wrk::start(ground, &ground.nginx.url(scheme), AT_A_TIME).map(AtWork::alone)
            }
            Self::WrkSingle => wrk::start(ground, &ground.nginx.url(scheme), 1).map(AtWork::alone),
            Self::Blackbox => blackbox::start(ground, scheme),
            Self::Gatus => gatus::start(ground, scheme, had(&means.peers.gatus)?),
            Self::Cloudprober => {
                let program = had(&means.peers.cloudprober)?;
                cloudprober::start(ground, means.targets(scheme), program)
            }
            Self::Aiohttp => aiohttp::start(ground, scheme, had(&means.peers.python)?),
        }
    }
}

fn had<T>(peer: &Result<T, String>) -> Result<&T> {
    peer.as_ref().map_err(|reason| anyhow!(reason.clone()))
}

impl AtWork {
    fn alone(client: Process) -> Self {
        Self::Other {
            client,
            _driver: None,
        }
    }

    /// The process whose CPU time counts, with all that it starts.
    pub(crate) fn id(&self) -> u32 {
        match self {
            Self::Ours(checker) => checker.id(),
            Self::Other { client, .. } => client.id(),
        }
    }

    /// How late its checks have started so far, if it can tell.
    pub(crate) fn lateness(&self) -> Result<Histogram> {
        match self {
            Self::Ours(checker) => checker.lateness(),
            Self::Other { .. } => Ok(Histogram::default()),
        }
    }
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Checker => "checker",
            Self::CheckerFull => "checker at full load",
            Self::Wrk => "wrk",
            Self::WrkSingle => "wrk with 1 connection",
            Self::Blackbox => "blackbox_exporter",
            Self::Gatus => "gatus",
            Self::Cloudprober => "cloudprober",
            Self::Aiohttp => "aiohttp",
        })
    }
}
