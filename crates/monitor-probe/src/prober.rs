//! What checks are made with.

use std::net::SocketAddr;
use std::time::Instant;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use monitor_core::SiteConfig;
use monitor_core::site::SiteUrl;
use tokio::time::timeout_at;

use crate::address::Allowed;
use crate::attempt::attempt;
use crate::observation::{Observation, micros_since};
use crate::report::Report;
use crate::resolver::Resolver;
use crate::revocation::RevocationLists;
use crate::tls::Trust;

/// How checks are made, whatever the site.
#[derive(Clone, Debug, Default)]
pub struct ProberSettings {
    /// Whether a site may resolve to addresses that are not public.
    pub allow_private_targets: bool,
    /// Networks that sites may be in although they are not public.
    pub allowed_networks: Vec<IpNet>,
    /// Name servers to ask; those of the system when empty.
    pub name_servers: Vec<SocketAddr>,
    /// What certificates are revoked, besides those of which their servers say so.
    pub revocation_lists: RevocationLists,
}

/// Why no checks can be made.
#[derive(Debug, thiserror::Error)]
pub enum ProberError {
    /// The resolver could not be set up.
    #[error("cannot set up name resolution: {0}")]
    Resolver(String),
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(String),
}

/// Makes checks. Holds what they share: the resolver and the trusted authorities.
pub struct Prober {
    resolver: Resolver,
    trust: Trust,
    allowed: Allowed,
}

impl Prober {
    /// Sets up name resolution and trust as the system is configured.
    pub fn new(settings: &ProberSettings) -> Result<Self, ProberError> {
        let resolver = Resolver::new(&settings.name_servers)
            .map_err(|error| ProberError::Resolver(error.to_string()))?;
        let lists = settings.revocation_lists.clone();
        Ok(Self {
            resolver,
            trust: Trust::of_system(lists).map_err(|error| ProberError::Tls(error.to_string()))?,
            allowed: Allowed {
                private: settings.allow_private_targets,
                networks: settings.allowed_networks.clone(),
            },
        })
    }

    /// Checks a site now. `now` is what a certificate's end is compared with.
    ///
    /// The site's timeout bounds the whole check, all of its attempts together: a verdict comes in
    /// time however many retries the site has.
    pub async fn check(&self, site: &SiteConfig, now: DateTime<Utc>) -> Report {
        self.check_url(&site.url, site, now).await
    }

    /// The same for a URL of its own under the rules of a site: many sites may share them.
    pub async fn check_url(&self, url: &SiteUrl, site: &SiteConfig, now: DateTime<Utc>) -> Report {
        let url = url.as_url();
        let started = Instant::now();
        let deadline = tokio::time::Instant::now() + site.timeout;
        let mut attempts = 0;
        loop {
            attempts += 1;
            let mut seen = Observation::new(url);
            let ended = timeout_at(deadline, attempt(self, url, site, &mut seen)).await;
            let in_time = ended.is_ok();
            let verdict = ended.unwrap_or_else(|_| Err(seen.deadline(site.timeout)));
            let last = verdict.is_ok() || !in_time || attempts > u16::from(site.retries);
            if last {
                seen.timings.total = Some(micros_since(started));
                return Report::new(site, seen, verdict.err(), attempts, now);
            }
            tracing::debug!(url.host = url.host_str(), failure = ?verdict.err(), "trying again");
        }
    }

    pub(crate) fn resolver(&self) -> &Resolver {
        &self.resolver
    }

    pub(crate) fn trust(&self) -> &Trust {
        &self.trust
    }

    pub(crate) fn allowed(&self) -> &Allowed {
        &self.allowed
    }
}
