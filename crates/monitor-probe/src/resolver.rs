//! Asking name servers, and telling one that keeps silent about a name from one that keeps silent.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::system_conf::read_system_conf;

/// How long a name server may take before it is asked again, or the next one is.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long an answer is kept at most, whatever its TTL: a site that moves is followed.
const LONGEST_TTL: Duration = Duration::from_mins(5);

/// Asks name servers.
pub(crate) struct Resolver {
    names: TokioResolver,
    /// Keeps no answers: what it says is of now.
    health: TokioResolver,
}

impl Resolver {
    /// One that asks `name_servers`, or as the system is configured when there are none. Without
    /// any, names of the hosts file and addresses can still be checked.
    pub(crate) fn new(name_servers: &[SocketAddr]) -> Result<Self, NetError> {
        let (config, mut options) = configuration(name_servers);
        options.timeout = PATIENCE;
        options.positive_max_ttl = Some(LONGEST_TTL);
        // A name that comes back is seen at the next check.
        options.negative_max_ttl = Some(Duration::ZERO);
        let mut uncached = options.clone();
        uncached.cache_size = 0;
        Ok(Self {
            names: build(config.clone(), options)?,
            health: build(config, uncached)?,
        })
    }

    /// The addresses of one family that a name has.
    pub(crate) async fn addresses(
        &self,
        name: &str,
        family: RecordType,
    ) -> Result<Vec<IpAddr>, NetError> {
        let found = self.names.lookup(name, family).await?;
        let addresses = found.answers().iter();
        let addresses = addresses.filter_map(|record| record.data.ip_addr());
        Ok(addresses.collect())
    }

    /// Whether a name server answers at all: every one has something to say about the root, if only
    /// that it does not want to.
    pub(crate) async fn is_alive(&self) -> bool {
        match self.health.lookup(".", RecordType::NS).await {
            Ok(_) | Err(NetError::Dns(DnsError::ResponseCode(_))) => true,
            Err(error) => error.is_no_records_found() || error.is_nx_domain(),
        }
    }
}

fn build(config: ResolverConfig, options: ResolverOpts) -> Result<TokioResolver, NetError> {
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        .with_options(options)
        .build()
}

fn configuration(name_servers: &[SocketAddr]) -> (ResolverConfig, ResolverOpts) {
    if !name_servers.is_empty() {
        let servers = name_servers.iter().map(name_server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        return (config, ResolverOpts::default());
    }
    read_system_conf().unwrap_or_else(|error| {
        tracing::warn!(%error, "no name servers: only hosts-file names and addresses resolve");
        let none = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        (none, ResolverOpts::default())
    })
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}
