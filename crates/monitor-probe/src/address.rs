//! Which addresses must not be checked, so that a site cannot make the checker look into the
//! network that it stands in.
//!
//! The lists are those of the IANA special-purpose address registries (RFC 6890), less what is
//! globally reachable.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Networks of IPv4 that are not the public Internet: address and prefix length.
const DENIED_V4: [(Ipv4Addr, u32); 16] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    (Ipv4Addr::BROADCAST, 32),
];

/// The same of IPv6. `::/96` holds the unspecified address, loopback and the compatible ones.
const DENIED_V6: [(Ipv6Addr, u32); 14] = [
    (Ipv6Addr::UNSPECIFIED, 96),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
    (Ipv6Addr::new(0x100, 0, 0, 1, 0, 0, 0, 0), 64),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
    (Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, 0, 0), 96),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
];

/// Which addresses may be checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    /// All of them, also those that are not public.
    pub(crate) private: bool,
    /// Those in these networks, besides the public ones.
    pub(crate) networks: Vec<IpNet>,
}

impl Allowed {
    /// Whether an address may be connected to. One that leads to an IPv4 address is looked at as that.
    pub(crate) fn allows(&self, address: IpAddr) -> bool {
        let target = match address {
            IpAddr::V6(v6) => embedded_v4(v6).map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        };
        let listed = |network: &IpNet| network.contains(&target);
        self.private || is_public(address) || self.networks.iter().any(listed)
    }
}

/// Whether an address belongs to the public Internet, so that any site may resolve to it.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(embedded) => is_public_v4(embedded),
            None => !DENIED_V6.iter().any(|(network, length)| {
                same_prefix(u128::from(*network), u128::from(address), 128 - length)
            }),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    !DENIED_V4.iter().any(|(network, length)| {
        same_prefix(
            u128::from(u32::from(*network)),
            u128::from(u32::from(address)),
            32 - length,
        )
    })
}

fn same_prefix(a: u128, b: u128, host_bits: u32) -> bool {
    a.checked_shr(host_bits) == b.checked_shr(host_bits)
}

/// The IPv4 address that packets to this one end up at, through mapping (`::ffff:0:0/96`) or
/// NAT64 (`64:ff9b::/96`).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let nat64 = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);
    let low = u32::try_from(u128::from(address) & u128::from(u32::MAX)).ok();
    let translated = same_prefix(u128::from(nat64), u128::from(address), 32);
    address
        .to_ipv4_mapped()
        .or_else(|| low.filter(|_| translated).map(Ipv4Addr::from))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn public_addresses_pass() {
        for address in [
            "1.1.1.1",
            "93.184.215.14",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn what_is_inside_does_not_pass() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.1.2.3",
            "169.254.169.254",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.19.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:0:0",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "fc00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "100::1",
            "3fff::1",
            "5f00::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn listed_networks_are_allowed_and_their_neighbours_are_not() {
        let allowed = Allowed {
            private: false,
            networks: vec![
                "10.1.0.0/16".parse().unwrap(),
                "fd00:1::/32".parse().unwrap(),
            ],
        };
        for (address, expected) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("10.2.0.1", false),
            ("fd00:1::7", true),
            ("fd00:2::7", false),
            ("127.0.0.1", false),
            ("1.1.1.1", true),
        ] {
            assert_eq!(
                allowed.allows(address.parse().unwrap()),
                expected,
                "{address}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_ipv6_address_smuggles_in_a_denied_ipv4_address(low: u32, network in 0..DENIED_V4.len()) {
            let (network, length) = DENIED_V4[network];
            let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
            let inside = Ipv4Addr::from((u32::from(network) & mask) | (low & !mask));
            prop_assert!(!is_public(IpAddr::V4(inside)));
            prop_assert!(!is_public(IpAddr::V6(inside.to_ipv6_mapped())));
            let [a, b, c, d] = inside.octets().map(u16::from);
            let (high, low) = ((a << 8) | b, (c << 8) | d);
            for address in [
                Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
                Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
                Ipv6Addr::new(0, 0, 0, 0, 0xffff, 0, high, low),
            ] {
                prop_assert!(!is_public(IpAddr::V6(address)), "{address}");
            }
        }
    }
}
