//! What of an IP address tells one visitor from others.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// An address, an IPv4 one that was written as IPv6 made IPv4 again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Address(IpAddr);

/// IPv4 networks without a visitor of their own, first address and length: this network, private, shared (RFC 6598),
/// loopback, link-local, private, protocols, documentation, private, benchmarks, documentation twice, multicast, reserved.
const OF_NOBODY: [(Ipv4Addr, u32); 14] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// The only IPv6 addresses given to anybody so far: global unicast, RFC 4291. Outside are unspecified, loopback,
/// link-local, unique local and multicast ones.
const GLOBAL: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Inside, but for documentation: RFC 3849 and RFC 9637.
const DOCUMENTATION: [(Ipv6Addr, u32); 2] =
    [(Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32), (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20)];

/// What a token is made of. The lengths tell them, and a /56, apart.
pub(super) enum Identity {
    V4([u8; 4]),
    V6([u8; 8]),
}

impl Identity {
    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }
}

impl Address {
    /// `None` unless `text` is one address, perhaps with the name of an interface behind it (`fe80::1%eth0`).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        let address = match text.split_once('%') {
            Some((address, _)) => IpAddr::V6(address.parse().ok()?),
            None => text.parse().ok()?,
        };
        let IpAddr::V6(long) = address else { return Some(Self(address)) };
        Some(Self(long.to_ipv4_mapped().map_or(address, IpAddr::V4)))
    }

    /// All of IPv4, the /64 of IPv6; `None` of what is nobody's in particular.
    pub(super) fn identity(self) -> Option<Identity> {
        match self.0 {
            IpAddr::V4(ip) if OF_NOBODY.iter().any(|network| is_in_v4(ip, *network)) => None,
            IpAddr::V4(ip) => Some(Identity::V4(ip.octets())),
            IpAddr::V6(ip) if !is_somebodys(ip) => None,
            IpAddr::V6(ip) => ip.octets().first_chunk().copied().map(Identity::V6),
        }
    }

    /// The /56 of IPv6: what a provider gives to one household at most.
    pub(super) fn wide(self) -> Option<[u8; 7]> {
        match self.0 {
            IpAddr::V6(ip) if is_somebodys(ip) => ip.octets().first_chunk().copied(),
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        }
    }
}

fn is_somebodys(ip: Ipv6Addr) -> bool {
    is_in_v6(ip, GLOBAL) && !DOCUMENTATION.iter().any(|network| is_in_v6(ip, *network))
}

fn is_in_v4(ip: Ipv4Addr, (first, len): (Ipv4Addr, u32)) -> bool {
    (ip.to_bits() ^ first.to_bits()).leading_zeros() >= len
}

fn is_in_v6(ip: Ipv6Addr, (first, len): (Ipv6Addr, u32)) -> bool {
    (ip.to_bits() ^ first.to_bits()).leading_zeros() >= len
}
