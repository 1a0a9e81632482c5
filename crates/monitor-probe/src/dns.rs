//! Resolving the host.

use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::RecordType;
use monitor_core::site::IpFamily;
use monitor_core::{FailureKind, Phase, SiteConfig};
use tokio::time::{sleep, timeout};
use url::{Host, Url};

use crate::address::Allowed;
use crate::failure::{Failed, kind_of_io};
use crate::resolver::Resolver;

/// Most addresses of one name that are tried.
const MAX_ADDRESSES: usize = 8;

/// How long one family's addresses are waited for once the other's are there (RFC 8305, section 3):
/// some name servers never say that there are none.
const RESOLUTION_DELAY: Duration = Duration::from_millis(100);
/// When a name server that has not answered is asked something else, to find out whether it is alive.
/// At most this long after the first question, and well before the check's deadline.
const DOUBT: Duration = Duration::from_secs(1);

/// Whether a name server that does not answer for a name answers for anything.
#[derive(Debug, Default)]
pub(crate) struct Silence(bool);

impl Silence {
    /// Whether no name server answers anything, so that nothing is known about the name.
    pub(crate) fn is_total(&self) -> bool {
        self.0
    }
}

/// The addresses of a URL's host. An address in the URL itself needs no resolving.
pub(crate) async fn resolve(
    resolver: &Resolver,
    url: &Url,
    site: &SiteConfig,
    silence: &mut Silence,
) -> Result<Vec<IpAddr>, Failed> {
    match url.host() {
        Some(Host::Ipv4(address)) => Ok(vec![address.into()]),
        Some(Host::Ipv6(address)) => Ok(vec![address.into()]),
        Some(Host::Domain(name)) => {
            // On the heap, so that the rest of a check has no room for it.
            let looking = Box::pin(lookup(resolver, name, site.ip_family));
            let doubting = Box::pin(doubt(resolver, DOUBT.min(site.timeout / 4), silence));
            let found = match select(looking, doubting).await {
                Either::Left((found, _)) => found,
                Either::Right(((), looking)) => looking.await,
            };
            found.map_err(|error| failed(name, &error, silence))
        }
        None => {
            let detail = "the URL has no host";
            Err(Failed::new(FailureKind::Configuration, Phase::Dns, detail))
        }
    }
}

/// Asks the name servers for something that they know, once they have taken long to answer.
async fn doubt(resolver: &Resolver, after: Duration, silence: &mut Silence) {
    sleep(after).await;
    silence.0 = true;
    silence.0 = !resolver.is_alive().await;
}

async fn lookup(
    resolver: &Resolver,
    name: &str,
    family: IpFamily,
) -> Result<Vec<IpAddr>, NetError> {
    let records = |kind| resolver.addresses(name, kind);
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

fn failed(name: &str, error: &NetError, silence: &Silence) -> Failed {
    let kind = match kind_of(error) {
        FailureKind::DnsTimeout if silence.is_total() => FailureKind::CheckerNetwork,
        kind => kind,
    };
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

    use futures_util::future::join_all;
    use hickory_resolver::net::NoRecords;
    use hickory_resolver::proto::op::Query;
    use proptest::prelude::*;
    use test_servers::{Answer, DnsServer, Zone};
    use tokio::runtime::Builder;

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

    /// Addresses of all kinds: many are not public, many embed another one.
    fn any_address() -> impl Strategy<Value = IpAddr> {
        let near = prop::sample::select(vec![
            "1.1.1.1",
            "10.0.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "::",
            "::1",
            "fe80::1",
            "64:ff9b::7f00:1",
            "::ffff:10.0.0.1",
            "2002:7f00:1::",
            "2606:4700::1111",
        ]);
        prop_oneof![any::<IpAddr>(), near.prop_map(|text| text.parse().unwrap())]
    }

    proptest! {
        #[test]
        fn whatever_addresses_a_name_has_few_and_only_allowed_ones_are_tried(
            addresses in prop::collection::vec(any_address(), 0..30),
            family in prop::sample::select(vec![IpFamily::Any, IpFamily::V4, IpFamily::V6]),
        ) {
            let allowed = Allowed::default();
            let of_family = |address: &&IpAddr| match family {
                IpFamily::Any => true,
                IpFamily::V4 => address.is_ipv4(),
                IpFamily::V6 => address.is_ipv6(),
            };
            let wanted: Vec<_> = addresses.iter().filter(of_family).collect();
            let good = wanted.iter().filter(|address| allowed.allows(***address)).count();
            match candidates(&addresses, 443, family, &allowed) {
                Ok(found) => {
                    prop_assert_eq!(found.len(), good.min(MAX_ADDRESSES));
                    for address in found {
                        prop_assert!(allowed.allows(address.ip()));
                        prop_assert!(wanted.contains(&&address.ip()) && address.port() == 443);
                    }
                }
                Err(failed) if wanted.is_empty() => {
                    prop_assert_eq!(failed.kind, FailureKind::DnsNotFound);
                }
                Err(failed) => {
                    prop_assert_eq!((failed.kind, good), (FailureKind::AddressNotAllowed, 0));
                }
            }
        }
    }

    /// Where an answer is damaged; not in its number, without which nobody reads it.
    fn damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
        prop::collection::vec((2..100_usize, any::<u8>()), 1..6)
    }

    /// What names come to whose answers are damaged in these ways, all asked at once.
    async fn resolved(damages: Vec<Vec<(usize, u8)>>) -> Vec<Result<usize, FailureKind>> {
        let mut zone = Zone::new().addresses("good.test", &addresses(&["1.1.1.1"]));
        for (number, damage) in damages.iter().enumerate() {
            let answer = Answer::Damaged(addresses(&["1.1.1.1", "::1"]), damage.clone());
            zone = zone.name(&format!("n{number}.test"), answer);
        }
        let server = DnsServer::start(zone).await.unwrap();
        let resolver = Resolver::new(&[server.address()]).unwrap();
        let names = (0..damages.len()).map(|number| format!("n{number}.test"));
        let names = names.chain(["good.test".to_owned()]);
        let looking = names.map(async |name| {
            let looking = lookup(&resolver, &name, IpFamily::Any);
            let found = timeout(Duration::from_millis(300), looking).await;
            let found = found.unwrap_or(Err(NetError::Timeout));
            found.map(|all| all.len()).map_err(|error| kind_of(&error))
        });
        join_all(looking).await
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]

        #[test]
        fn whatever_answers_are_made_of_other_names_are_resolved(
            damages in prop::collection::vec(damage(), 100),
        ) {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let mut found = runtime.block_on(resolved(damages));
            prop_assert_eq!(found.pop(), Some(Ok(1)));
            for failed in found.into_iter().filter_map(Result::err) {
                prop_assert!(matches!(
                    failed,
                    FailureKind::DnsNotFound | FailureKind::DnsServfail
                        | FailureKind::DnsTimeout | FailureKind::DnsError
                ), "{}", failed);
            }
        }
    }
}
