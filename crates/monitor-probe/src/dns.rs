//! Resolving the host.

use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use monitor_core::site::IpFamily;
use monitor_core::{FailureKind, Phase};
use url::{Host, Url};

use crate::address::is_public;
use crate::failure::Failed;

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// A resolver as the system is configured. Without a configuration, names of the hosts file and
/// addresses can still be checked.
pub(crate) fn resolver() -> Result<TokioResolver, NetError> {
    let builder = TokioResolver::builder_tokio().unwrap_or_else(|error| {
        tracing::warn!(%error, "no name servers: only hosts-file names and addresses resolve");
        TokioResolver::builder_with_config(
            ResolverConfig::from_parts(None, Vec::new(), Vec::new()),
            TokioRuntimeProvider::default(),
        )
    });
    builder.build()
}

/// The addresses of a URL's host. An address in the URL itself needs no resolving.
pub(crate) async fn resolve(resolver: &TokioResolver, url: &Url) -> Result<Vec<IpAddr>, Failed> {
    let failed = |kind, detail: String| Failed::new(kind, Phase::Dns, detail);
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
        Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
        Some(Host::Domain(name)) => match resolver.lookup_ip(name).await {
            Ok(found) => Ok(found.iter().collect()),
            Err(error) => Err(failed(
                kind_of(&error),
                format!("cannot resolve {name}: {error}"),
            )),
        },
        None => Err(failed(
            FailureKind::Configuration,
            "the URL has no host".to_owned(),
        )),
    }
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
        _ => FailureKind::DnsError,
    }
}

/// Of the addresses of a host, those that may be connected to, IPv6 and IPv4 in turn (RFC 8305,
/// section 4).
pub(crate) fn candidates(
    addresses: &[IpAddr],
    port: u16,
    family: IpFamily,
    allow_private: bool,
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
    let allowed = wanted
        .iter()
        .filter(|address| allow_private || is_public(***address));
    let (v6, v4): (Vec<IpAddr>, Vec<IpAddr>) =
        allowed.map(|address| **address).partition(IpAddr::is_ipv6);
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
    use super::*;

    fn addresses(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn families_take_turns_and_are_filtered() {
        let all = addresses(&["1.1.1.1", "1.0.0.1", "2606:4700::1111"]);
        let order = |family| {
            let found = candidates(&all, 443, family, false).unwrap();
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
        let mixed = addresses(&["10.0.0.1", "1.1.1.1"]);
        assert_eq!(
            candidates(&mixed, 80, IpFamily::Any, false).unwrap().len(),
            1
        );
        assert_eq!(
            candidates(&mixed, 80, IpFamily::Any, true).unwrap().len(),
            2
        );
        let inside = addresses(&["10.0.0.1"]);
        let refused = candidates(&inside, 80, IpFamily::Any, false).unwrap_err();
        assert_eq!(refused.kind, FailureKind::AddressNotAllowed);
        let none = candidates(&inside, 80, IpFamily::V6, true).unwrap_err();
        assert_eq!(none.kind, FailureKind::DnsNotFound);
    }
}
