//! What kind of place an IP address is, from the registries of special-purpose addresses
//! (RFC 6890, IANA IPv4 and IPv6 special-purpose address registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use ipnet::IpNet;

/// What it takes to call an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// On the Internet: a rule that names the host is enough.
    Public,
    /// Inside an organisation, or reserved: a network rule must contain it.
    Inner,
    /// This machine, its link or its cloud's metadata: a network rule must name it or a part of
    /// this range, so that a wide rule never lets it in by accident.
    Explicit(IpNet),
    /// Not the address of one machine, or one whose packets go who knows where.
    Never,
}

/// How a range of the table is to be treated; [`Kind`] adds the range itself.
#[derive(Clone, Copy)]
enum Treatment {
    Inner,
    Explicit,
    Never,
}

/// The first range that contains an address decides.
const RANGES: [(&str, Treatment); 35] = [
    ("0.0.0.0/8", Treatment::Never),
    ("127.0.0.0/8", Treatment::Explicit),
    ("169.254.0.0/16", Treatment::Explicit),
    ("100.100.100.200/32", Treatment::Explicit),
    ("168.63.129.16/32", Treatment::Explicit),
    ("192.0.0.192/32", Treatment::Explicit),
    ("10.0.0.0/8", Treatment::Inner),
    ("100.64.0.0/10", Treatment::Inner),
    ("172.16.0.0/12", Treatment::Inner),
    ("192.0.0.0/24", Treatment::Inner),
    ("192.0.2.0/24", Treatment::Inner),
    ("192.31.196.0/24", Treatment::Inner),
    ("192.52.193.0/24", Treatment::Inner),
    ("192.88.99.0/24", Treatment::Inner),
    ("192.168.0.0/16", Treatment::Inner),
    ("192.175.48.0/24", Treatment::Inner),
    ("198.18.0.0/15", Treatment::Inner),
    ("198.51.100.0/24", Treatment::Inner),
    ("203.0.113.0/24", Treatment::Inner),
    ("224.0.0.0/4", Treatment::Never),
    ("240.0.0.0/4", Treatment::Never),
    ("::1/128", Treatment::Explicit),
    ("::/96", Treatment::Never),
    ("64:ff9b:1::/48", Treatment::Never),
    ("2001::/32", Treatment::Never),
    ("2001::/23", Treatment::Inner),
    ("2001:db8::/32", Treatment::Inner),
    ("2620:4f:8000::/48", Treatment::Inner),
    ("3fff::/20", Treatment::Inner),
    ("fd00:ec2::254/128", Treatment::Explicit),
    ("fd20:ce::254/128", Treatment::Explicit),
    ("fc00::/7", Treatment::Inner),
    ("fe80::/10", Treatment::Explicit),
    ("fec0::/10", Treatment::Inner),
    ("ff00::/8", Treatment::Never),
];

static TABLE: LazyLock<Vec<(IpNet, Treatment)>> = LazyLock::new(|| {
    let parse = |text: &str| text.parse().expect("the table holds networks");
    RANGES.iter().map(|(text, treatment)| (parse(text), *treatment)).collect()
});

/// Global unicast (RFC 4291, section 2.4) begins with these three bits; everything else in IPv6 is
/// special in some way.
const GLOBAL_UNICAST_PREFIX: u128 = 0b001;

/// What it takes to call `address`, which has been through [`destination`].
pub(crate) fn kind(address: IpAddr) -> Kind {
    match TABLE.iter().find(|(range, _)| range.contains(&address)) {
        Some((_, Treatment::Inner)) => Kind::Inner,
        Some((range, Treatment::Explicit)) => Kind::Explicit(*range),
        Some((_, Treatment::Never)) => Kind::Never,
        None if is_global(address) => Kind::Public,
        None => Kind::Inner,
    }
}

fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(_) => true,
        IpAddr::V6(address) => address.to_bits() >> 125 == GLOBAL_UNICAST_PREFIX,
    }
}

/// Where packets to `address` arrive: an IPv4 address that is written inside an IPv6 one, by
/// mapping, NAT64 (RFC 6052) or 6to4 (RFC 3056), is what counts.
pub(crate) fn destination(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(outer) => embedded(outer).map_or(address, IpAddr::V4),
    }
}

fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let from = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match (a, b, [c, d, e, f]) {
        (0, 0, [0, 0, 0, 0xffff]) => Some(from(g, h)),
        (0x64, 0xff9b, [0, 0, 0, 0]) => Some(from(g, h)),
        (0x2002, high, [low, ..]) => Some(from(high, low)),
        _ => None,
    }
}
