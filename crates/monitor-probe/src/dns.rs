//! Resolving the host.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::select;
use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use monitor_core::site::IpFamily;
use monitor_core::{FailureKind, Phase};
use tokio::time::timeout;
use url::{Host, Url};

use crate::address::Allowed;
use crate::failure::{Failed, kind_of_io};

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// How long a name server may take before it is asked again, or the next one is.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one family's addresses are waited for once the other's are there (RFC 8305, section 3):
/// some name servers never say that there are none.
const RESOLUTION_DELAY: Duration = Duration::from_millis(100);
/// How long an answer is kept at most, whatever its TTL: a site that moves is followed.
const LONGEST_TTL: Duration = Duration::from_mins(5);

/// A resolver that asks `name_servers`, or as the system is configured when there are none. Without
/// any, names of the hosts file and addresses can still be checked.
pub(crate) fn resolver(name_servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let provider = TokioRuntimeProvider::default;
    let mut builder = if name_servers.is_empty() {
        TokioResolver::builder_tokio().unwrap_or_else(|error| {
            tracing::warn!(%error, "no name servers: only hosts-file names and addresses resolve");
            let none = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
            TokioResolver::builder_with_config(none, provider())
        })
    } else {
        let servers = name_servers.iter().map(name_server).collect();
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        TokioResolver::builder_with_config(config, provider())
    };
    let options = builder.options_mut();
    options.timeout = PATIENCE;
    options.positive_max_ttl = Some(LONGEST_TTL);
    // A name that comes back is seen at the next check.
    options.negative_max_ttl = Some(Duration::ZERO);
    builder.build()
}

fn name_server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    for connection in &mut server.connections {
        connection.port = address.port();
    }
    server
}

/// The addresses of a URL's host. An address in the URL itself needs no resolving.
pub(crate) async fn resolve(
    resolver: &TokioResolver,
    url: &Url,
    family: IpFamily,
) -> Result<Vec<IpAddr>, Failed> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
        Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
        Some(Host::Domain(name)) => {
            let found = lookup(resolver, name, family).await;
            found.map_err(|error| failed(name, &error))
        }
        None => {
            let detail = "the URL has no host";
            Err(Failed::new(FailureKind::Configuration, Phase::Dns, detail))
        }
    }
}

async fn lookup(
    resolver: &TokioResolver,
    name: &str,
    family: IpFamily,
) -> Result<Vec<IpAddr>, NetError> {
    let records = async |kind| {
        let found = resolver.lookup(name, kind).await?;
        let addresses = found.answers().iter();
        let addresses = addresses.filter_map(|record| record.data.ip_addr());
        Ok(addresses.collect())
    };
    match family {
        IpFamily::V4 => records(RecordType::A).await,
        IpFamily::V6 => records(RecordType::AAAA).await,
        IpFamily::Any => both(records(RecordType::AAAA), records(RecordType::A)).await,
    }
}

/// What both lookups find, or the first of them if the other takes long.
async fn both(
    one: impl Future<Output = Result<Vec<IpAddr>, NetError>>,
    other: impl Future<Output = Result<Vec<IpAddr>, NetError>>,
) -> Result<Vec<IpAddr>, NetError> {
    let (one, other) = (pin!(one), pin!(other));
    let (first, rest) = select(one, other).await.factor_first();
    match first {
        Ok(addresses) if addresses.is_empty() => rest.await,
        Ok(mut addresses) => {
            let more = timeout(RESOLUTION_DELAY, rest).await;
            addresses.extend(more.into_iter().flatten().flatten());
            Ok(addresses)
        }
        // A name that does not exist has no other records either.
        Err(error) if error.is_nx_domain() => Err(error),
        // That one family has no records says less than why the other's are not known.
        Err(error) => match rest.await {
            Err(second) if second.is_no_records_found() && !second.is_nx_domain() => Err(error),
            second => second,
        },
    }
}

fn failed(name: &str, error: &NetError) -> Failed {
    let kind = kind_of(error);
    let detail = match kind {
        FailureKind::DnsNotFound => format!("{name} does not exist, or has no address"),
        FailureKind::DnsServfail => format!("the name server failed to resolve {name} (SERVFAIL)"),
        FailureKind::DnsTimeout => format!("no name server has answered for {name}"),
        FailureKind::CheckerNetwork => {
            format!("the checker can reach no name server to resolve {name}: {error}")
        }
        _ => format!("cannot resolve {name}: {error}"),
    };
    Failed::new(kind, Phase::Dns, detail)
}

/// Whether the host of a URL is a name, so that resolving it takes time.
pub(crate) fn is_name(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Domain(_)))
}

fn kind_of(error: &NetError) -> FailureKind {
    match error {
        error if error.is_nx_domain() || error.is_no_records_found() => FailureKind::DnsNotFound,
        NetError::Dns(DnsError::ResponseCode(ResponseCode::ServFail)) => FailureKind::DnsServfail,
        NetError::Timeout => FailureKind::DnsTimeout,
        NetError::NoConnections | NetError::Busy => FailureKind::CheckerNetwork,
        // What is wrong on the way to the name server is wrong here.
        NetError::Io(error) => match kind_of_io(error, FailureKind::CheckerNetwork) {
            FailureKind::CheckerResources => FailureKind::CheckerResources,
            _ => FailureKind::CheckerNetwork,
        },
        _ => FailureKind::DnsError,
    }
}

/// Of the addresses of a host, those that may be connected to, IPv6 and IPv4 in turn (RFC 8305,
/// section 4).
pub(crate) fn candidates(
    addresses: &[IpAddr],
    port: u16,
    family: IpFamily,
    allowed: &Allowed,
) -> Result<Vec<SocketAddr>, Failed> {
    let of_family = |address: &&IpAddr| match family {
        IpFamily::Any => true,
        IpFamily::V4 => address.is_ipv4(),
        IpFamily::V6 => address.is_ipv6(),
    };
    let wanted: Vec<_> = addresses.iter().filter(of_family).collect();
    if wanted.is_empty() {
        let detail = format!("the host has no address of the family {family}");
        return Err(Failed::new(FailureKind::DnsNotFound, Phase::Dns, detail));
    }
    let permitted = wanted.iter().filter(|address| allowed.allows(***address));
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) = permitted
        .map(|address| **address)
        .partition(IpAddr::is_ipv6);
    if v6.is_empty() && v4.is_empty() {
        let detail = format!("{} is not a public address", wanted[0]);
        return Err(Failed::new(
            FailureKind::AddressNotAllowed,
            Phase::Connect,
            detail,
        ));
    }
    let in_turn = interleave(v6, v4).into_iter().take(MAX_ADDRESSES);
    Ok(in_turn
        .map(|address| SocketAddr::new(address, port))
        .collect())
}

fn interleave(first: Vec<IpAddr>, second: Vec<IpAddr>) -> Vec<IpAddr> {
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut merged = Vec::new();
    loop {
        let pair = [first.next(), second.next()];
        if pair == [None, None] {
            return merged;
        }
        merged.extend(pair.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use hickory_resolver::net::NoRecords;
    use hickory_resolver::proto::op::Query;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_are_filtered() {
        let all = addresses(&["1.1.1.1", "1.0.0.1", "2606:4700::1111"]);
        let order = |family| {
            let found = candidates(&all, 443, family, &Allowed::default()).unwrap();
            found
                .into_iter()
                .map(|address| address.ip().to_string())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            order(IpFamily::Any),
            ["2606:4700::1111", "1.1.1.1", "1.0.0.1"]
        );
        assert_eq!(order(IpFamily::V4), ["1.1.1.1", "1.0.0.1"]);
        assert_eq!(order(IpFamily::V6), ["2606:4700::1111"]);
    }

    #[test]
    fn private_addresses_are_left_out_or_refused() {
        let (public, any) = (
            Allowed::default(),
            Allowed {
                private: true,
                ..Allowed::default()
            },
        );
        let mixed = addresses(&["10.0.0.1", "1.1.1.1"]);
        assert_eq!(
            candidates(&mixed, 80, IpFamily::Any, &public)
                .unwrap()
                .len(),
            1
        );
        assert_eq!(
            candidates(&mixed, 80, IpFamily::Any, &any).unwrap().len(),
            2
        );
        let inside = addresses(&["10.0.0.1"]);
        let refused = candidates(&inside, 80, IpFamily::Any, &public).unwrap_err();
        assert_eq!(refused.kind, FailureKind::AddressNotAllowed);
        let none = candidates(&inside, 80, IpFamily::V6, &any).unwrap_err();
        assert_eq!(none.kind, FailureKind::DnsNotFound);
    }

    type Found = Result<Vec<IpAddr>, NetError>;

    fn without_records(code: ResponseCode) -> NetError {
        NetError::from(NoRecords::new(Query::default(), code))
    }

    /// What comes of two answers, in this order and in the other one.
    async fn of_both(answers: [fn() -> Found; 2]) -> [Result<usize, FailureKind>; 2] {
        let [one, other] = answers;
        let summary = |found: Found| found.map(|all| all.len()).map_err(|error| kind_of(&error));
        [
            summary(both(ready(one()), ready(other())).await),
            summary(both(ready(other()), ready(one())).await),
        ]
    }

    #[tokio::test]
    async fn of_two_families_the_better_answer_counts() {
        use FailureKind::{DnsNotFound, DnsTimeout};
        let address: fn() -> Found = || Ok(addresses(&["1.1.1.1"]));
        let none: fn() -> Found = || Err(without_records(ResponseCode::NoError));
        let no_name: fn() -> Found = || Err(without_records(ResponseCode::NXDomain));
        let silence: fn() -> Found = || Err(NetError::Timeout);
        for (answers, expected) in [
            ([address, address], Ok(2)),
            ([address, none], Ok(1)),
            ([address, silence], Ok(1)),
            ([address, || Ok(Vec::new())], Ok(1)),
            ([none, none], Err(DnsNotFound)),
            ([none, silence], Err(DnsTimeout)),
            ([no_name, silence], Err(DnsNotFound)),
        ] {
            assert_eq!(of_both(answers).await, [expected; 2], "{expected:?}");
        }
    }
}
