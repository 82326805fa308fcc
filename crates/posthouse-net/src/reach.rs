//! The guard: which hosts and networks may be called. What is not named may not.
//!
//! A host rule (`api.example.com`, `*.example.com`) vouches for whom one asks, not for where the
//! answer of the name service leads: alone it opens public addresses only. Inner addresses need
//! a network rule (`10.0.0.0/8`), and this machine, its link and cloud metadata need one that
//! lies within their own range, so that even `0.0.0.0/0` does not let them in. Any rule may end
//! in a port.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::address::{Kind, destination, kind};
use crate::limits::{ADDRESSES_MAX, REACH_RULES_MAX};

/// The hosts and networks that may be called. The default is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    rules: Vec<Rule>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    place: Place,
    port: Option<u16>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Host(String),
    /// Ends in this, which begins with a dot.
    Suffix(String),
    Network(IpNet),
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachFault {
    /// The rule as it was given, but for what may be a password in it.
    pub rule: String,
    /// What is wrong with it, and what to write.
    pub problem: String,
}

/// Why a call was not let out. Its text is one sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No rule names the host or its network.
    NotNamed {
        /// The host.
        host: String,
        /// The port.
        port: u16,
    },
    /// One of the host's addresses may not be called.
    Address {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The address, as it was resolved.
        address: IpAddr,
        /// Whether a network rule could open it.
        can_be_named: bool,
    },
    /// The name has more addresses than are looked at.
    TooManyAddresses {
        /// The host.
        host: String,
    },
}

impl Reach {
    /// Reads rules such as `api.example.com`, `*.example.com:443`, `10.0.0.0/8`, `[fd00::/8]:80`.
    ///
    /// # Errors
    /// Every rule that cannot be read.
    pub fn parse<S: AsRef<str>>(rules: &[S]) -> Result<Reach, Vec<ReachFault>> {
        let mut reach = Reach::default();
        let mut faults = Vec::new();
        for rule in rules {
            match parse_rule(rule.as_ref()) {
                _ if reach.rules.len() >= REACH_RULES_MAX => {
                    let problem = format!("there are more than {REACH_RULES_MAX} rules");
                    faults.push(ReachFault { rule: shown(rule.as_ref()), problem });
                    break;
                }
                Ok(rule) => reach.rules.push(rule),
                Err(problem) => faults.push(ReachFault { rule: shown(rule.as_ref()), problem }),
            }
        }
        if faults.is_empty() { Ok(reach) } else { Err(faults) }
    }

    /// Whether it makes sense to resolve `host`: a name that no rule can open is not even asked
    /// for, so that nothing leaks through the name service.
    ///
    /// # Errors
    /// [`Refusal::NotNamed`].
    pub fn check_name(&self, host: &str, port: u16) -> Result<(), Refusal> {
        let may_match = |rule: &Rule| matches!(rule.place, Place::Network(_)) && rule.opens(port);
        if self.names(host, port) || self.rules.iter().any(may_match) {
            return Ok(());
        }
        Err(Refusal::NotNamed { host: host.into(), port })
    }

    /// Whether every one of `addresses`, to which `host` was resolved, may be called. One that
    /// may not spoils the others: a mixed answer is a trick or a mistake.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn check(&self, host: &str, port: u16, addresses: &[IpAddr]) -> Result<(), Refusal> {
        if addresses.len() > ADDRESSES_MAX {
            return Err(Refusal::TooManyAddresses { host: host.into() });
        }
        let is_named = self.names(host, port);
        for address in addresses {
            self.check_address(*address, port, is_named).map_err(|can_be_named| {
                let address = *address;
                Refusal::Address { host: host.into(), port, address, can_be_named }
            })?;
        }
        Ok(())
    }

    /// Otherwise says whether a rule could open the address.
    fn check_address(&self, address: IpAddr, port: u16, is_named: bool) -> Result<(), bool> {
        let target = destination(address);
        let is_open = match kind(target) {
            Kind::Never => return Err(false),
            Kind::Public => is_named || self.networks(port).any(|net| net.contains(&target)),
            Kind::Inner => self.networks(port).any(|net| net.contains(&target)),
            Kind::Explicit(range) => {
                self.networks(port).any(|net| range.contains(net) && net.contains(&target))
            }
        };
        if is_open { Ok(()) } else { Err(true) }
    }

    fn networks(&self, port: u16) -> impl Iterator<Item = &IpNet> {
        self.rules.iter().filter(move |rule| rule.opens(port)).filter_map(|rule| {
            match &rule.place {
                Place::Network(network) => Some(network),
                _ => None,
            }
        })
    }

    fn names(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.');
        self.rules.iter().filter(|rule| rule.opens(port)).any(|rule| match &rule.place {
            Place::Host(name) => name == host,
            Place::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
            Place::Network(_) => false,
        })
    }
}

impl Rule {
    fn opens(&self, port: u16) -> bool {
        self.port.is_none_or(|own| own == port)
    }
}

/// A rule as it may be shown: what stands before an @ may be a password.
fn shown(rule: &str) -> String {
    match rule.rsplit_once('@') {
        Some((_, host)) => format!("***@{host}"),
        None => rule.into(),
    }
}

fn parse_rule(text: &str) -> Result<Rule, String> {
    if text.contains('@') {
        return Err("it holds a user name or password; write the host alone".into());
    }
    let (place, port) = split_port(text.trim())?;
    Ok(Rule { place: parse_place(place)?, port })
}

/// The place and the port; a colon in a bare IPv6 address does not begin a port.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    if let Some(rest) = text.strip_prefix('[') {
        let (place, rest) = rest.split_once(']').ok_or("the bracket is not closed")?;
        let port = match rest.strip_prefix(':') {
            Some(port) => Some(parse_port(port)?),
            None if rest.is_empty() => None,
            None => return Err(format!("\"{rest}\" follows the bracket; \":\" and a port may")),
        };
        return Ok((place, port));
    }
    match text.split_once(':') {
        Some((place, port)) if !port.contains(':') => Ok((place, Some(parse_port(port)?))),
        _ => Ok((text, None)),
    }
}

fn parse_port(text: &str) -> Result<u16, String> {
    let wrong = || format!("\"{text}\" is not a port; write a number from 1 to 65535");
    text.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)
}

fn parse_place(text: &str) -> Result<Place, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return check_network(IpNet::from(address));
    }
    if text.contains('/') {
        let network = text.parse::<IpNet>();
        return check_network(network.map_err(|_| format!("\"{text}\" is not a network"))?);
    }
    let name = text.to_ascii_lowercase();
    let name = name.trim_end_matches('.');
    match name.strip_prefix("*.") {
        Some(domain) if is_name(domain) => Ok(Place::Suffix(format!(".{domain}"))),
        None if is_name(name) => Ok(Place::Host(name.into())),
        _ => Err(format!(
            "\"{text}\" is neither a host, nor \"*.\" and a domain, nor a network such as \
             10.0.0.0/8"
        )),
    }
}

fn check_network(network: IpNet) -> Result<Place, String> {
    if network.addr() != network.network() {
        let better = network.trunc();
        return Err(format!("\"{network}\" has bits beyond its prefix; write \"{better}\""));
    }
    if destination(network.addr()) != network.addr() {
        return Err(format!("\"{network}\" stands for IPv4 addresses; write those"));
    }
    Ok(Place::Network(network))
}

/// What ends in a number is meant as an address (WHATWG URL, section 3.5), and a wrong one here.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !label.is_empty() && label.len() <= 63 && label.chars().all(is_letter)
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit());
    name.len() <= 253 && !is_number && name.split('.').all(is_label)
}

impl fmt::Display for ReachFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rule \"{}\": {}", self.rule, self.problem)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::NotNamed { host, port } => write!(
                f,
                "{host}:{port} is not among the hosts and networks that may be called; add it to \
                 the allow-list if it should be"
            ),
            Refusal::Address { host, port, address, can_be_named: true } => write!(
                f,
                "{host}:{port} leads to {address}, which no network of the allow-list contains; \
                 add its network if it should be called"
            ),
            Refusal::Address { host, port, address, can_be_named: false } => {
                write!(f, "{host}:{port} leads to {address}, which is never called")
            }
            Refusal::TooManyAddresses { host } => {
                write!(f, "{host} has more than {ADDRESSES_MAX} addresses")
            }
        }
    }
}
