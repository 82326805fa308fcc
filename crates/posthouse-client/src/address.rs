//! Where the servers are: `stomp://` for one, `failover:(..)` for a list with ActiveMQ's options.
//!
//! Source of the names and their meaning: ActiveMQ Classic, "The Failover Transport".

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::backoff::Reconnect;
use crate::error::Error;
use crate::suggestion::nearest;

/// Servers that one address may list.
const SERVERS_MAX: usize = 256;
const STOMP_PORT: u16 = 61_613;
const SCHEMES: [&str; 2] = ["stomp", "tcp"];
const FAILOVER_OPTIONS: [&str; 7] = [
    "backOffMultiplier",
    "initialReconnectDelay",
    "maxReconnectAttempts",
    "maxReconnectDelay",
    "randomize",
    "startupMaxReconnectAttempts",
    "useExponentialBackOff",
];

/// One server, and the login to use there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Server {
    /// A name or an IP address; an IPv6 address without its brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// User name and password, if the address held them.
    pub login: Option<(String, String)>,
}

/// The address without its login, as in `stomp://host:61613`.
impl fmt::Display for Server {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, .. } = self;
        if host.contains(':') {
            write!(formatter, "stomp://[{host}]:{port}")
        } else {
            write!(formatter, "stomp://{host}:{port}")
        }
    }
}

/// A parsed address.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    /// The servers, at least one, in the order given.
    pub servers: Vec<Server>,
    /// Whether the list is tried in random order.
    pub is_random: bool,
    /// How a lost connection is made again.
    pub reconnect: Reconnect,
}

impl Address {
    /// Reads `stomp://[user:password@]host[:port]` or
    /// `failover:(server,server,..)[?option=value&..]`; servers may also begin with `tcp://`.
    ///
    /// A single server is tried once and a lost connection to it stays lost, as in ActiveMQ; write
    /// `failover:(stomp://host)` to try it again.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text.strip_prefix("failover:") {
            Some(rest) => parse_failover(rest.strip_prefix("//").unwrap_or(rest)),
            None => {
                let servers = vec![parse_server(text)?];
                Ok(Self { servers, is_random: false, reconnect: Reconnect::NEVER })
            }
        }
    }
}

fn wrong(text: &str, problem: impl Into<Box<str>>) -> Error {
    Error::Address { text: text.into(), problem: problem.into() }
}

fn parse_failover(text: &str) -> Result<Address, Error> {
    let (list, options) = match text.strip_prefix('(') {
        Some(rest) => rest
            .split_once(')')
            .ok_or_else(|| wrong(text, "the list of servers has no \")\" at its end"))?,
        None => match text.find('?') {
            Some(at) => text.split_at(at),
            None => (text, ""),
        },
    };
    if list.split(',').count() > SERVERS_MAX {
        return Err(wrong("failover:", format!("it lists more than {SERVERS_MAX} servers")));
    }
    let servers: Result<Vec<Server>, Error> = list.split(',').map(parse_server).collect();
    let mut address =
        Address { servers: servers?, is_random: true, reconnect: Reconnect::default() };
    let options = options.strip_prefix('?').unwrap_or(options);
    for option in options.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        set_option(&mut address, name, value)?;
    }
    Ok(address)
}

fn set_option(address: &mut Address, name: &str, value: &str) -> Result<(), Error> {
    let reconnect = &mut address.reconnect;
    let name_and_value = format!("{name}={value}");
    let text = name_and_value.as_str();
    match name {
        "randomize" => address.is_random = parse_truth(text, value)?,
        "useExponentialBackOff" => reconnect.is_exponential = parse_truth(text, value)?,
        "initialReconnectDelay" => reconnect.initial_delay_ms = parse_delay(text, value)?,
        "maxReconnectDelay" => reconnect.delay_ms_max = parse_delay(text, value)?,
        "maxReconnectAttempts" => reconnect.rounds_max = parse_count(text, value)?,
        "startupMaxReconnectAttempts" => reconnect.startup_rounds_max = parse_count(text, value)?,
        "backOffMultiplier" => reconnect.multiplier = parse_multiplier(text, value)?,
        _ => {
            let problem = match nearest(name, &FAILOVER_OPTIONS) {
                Some(meant) => format!("unknown option; did you mean {meant}?"),
                None => format!("unknown option; there are {}", FAILOVER_OPTIONS.join(", ")),
            };
            return Err(wrong(name, problem));
        }
    }
    Ok(())
}

fn parse_truth(text: &str, value: &str) -> Result<bool, Error> {
    value.parse().map_err(|_| wrong(text, "write true or false"))
}

fn parse_delay(text: &str, value: &str) -> Result<u32, Error> {
    value.parse().map_err(|_| wrong(text, "write a number of milliseconds"))
}

/// -1 stands for "without end".
fn parse_count(text: &str, value: &str) -> Result<Option<u32>, Error> {
    if value == "-1" {
        return Ok(None);
    }
    value.parse().map(Some).map_err(|_| wrong(text, "write a count, or -1 for without end"))
}

fn parse_multiplier(text: &str, value: &str) -> Result<f64, Error> {
    let multiplier = value.parse::<f64>().ok().filter(|number| (1.0..=1_000.0).contains(number));
    multiplier.ok_or_else(|| wrong(text, "write a number from 1 to 1000"))
}

fn parse_server(text: &str) -> Result<Server, Error> {
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(wrong(without_login(text), "write it as stomp://host:61613"));
    };
    if !SCHEMES.contains(&scheme) {
        let problem = "only stomp:// and tcp:// (both STOMP over TCP) are spoken here";
        return Err(wrong(without_login(text), problem));
    }
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(parse_login(login)?), place),
        None => (None, rest),
    };
    let (host, port) = parse_place(text, place.strip_suffix('/').unwrap_or(place))?;
    Ok(Server { host, port, login })
}

fn parse_login(text: &str) -> Result<(String, String), Error> {
    // The password must not get into a message.
    let unreadable = || wrong("..@", "the login is not UTF-8; write it percent-encoded");
    let decode = |part: &str| match percent_decode_str(part).decode_utf8() {
        Ok(part) => Ok(part.into_owned()),
        Err(_) => Err(unreadable()),
    };
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    Ok((decode(user)?, decode(password)?))
}

/// What of an address may be shown.
fn without_login(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, place)| place)
}

fn parse_place(text: &str, place: &str) -> Result<(String, u16), Error> {
    let text = without_login(text);
    let bracketed = place.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (host, port) = match bracketed {
        Some((host, port)) => (host, port.strip_prefix(':')),
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    if host.is_empty() || host.contains(['/', '?', '(', ')', ' ']) {
        return Err(wrong(text, "write it as stomp://host:61613, without a path or options"));
    }
    let port = match port {
        None => STOMP_PORT,
        Some(port) => {
            let port = port.parse().ok().filter(|port| *port != 0);
            port.ok_or_else(|| wrong(text, "the port is a number from 1 to 65535"))?
        }
    };
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn check(text: &str, expected: &str) {
        let shown = match Address::parse(text) {
            Ok(address) => {
                let servers = address.servers.iter().map(|server| match &server.login {
                    Some((user, password)) => format!("{server} as {user}/{password}"),
                    None => server.to_string(),
                });
                servers.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        };
        assert_eq!(shown, expected, "{text}");
    }

    #[test]
    fn servers_are_read() {
        check("stomp://127.0.0.1:61613", "stomp://127.0.0.1:61613");
        check("stomp://host", "stomp://host:61613");
        check("tcp://host:1/", "stomp://host:1");
        check("stomp://[::1]:7", "stomp://[::1]:7");
        check("stomp://[::1]", "stomp://[::1]:61613");
        check("stomp://ann:a%40b%3Ac@host", "stomp://host:61613 as ann/a@b:c");
        check("stomp://ann@host", "stomp://host:61613 as ann/");
        check("failover:(tcp://a:1,tcp://b:2)", "stomp://a:1 stomp://b:2");
        check("failover://(stomp://a:1)?randomize=false", "stomp://a:1");
        check("failover:stomp://a:1,stomp://b", "stomp://a:1 stomp://b:61613");
        check("failover:stomp://a:1?randomize=false", "stomp://a:1");
    }

    #[test]
    fn mistakes_are_told_without_the_password() {
        let form = "write it as stomp://host:61613";
        check("host:61613", &format!("address \"host:61613\": {form}"));
        check("", &format!("address \"\": {form}"));
        check(
            "ssl://ann:secret@host:1",
            "address \"host:1\": \
             only stomp:// and tcp:// (both STOMP over TCP) are spoken here",
        );
        check(
            "stomp://ann:secret@host:x",
            "address \"host:x\": the port is a number from 1 to 65535",
        );
        check("stomp://h:0", "address \"stomp://h:0\": the port is a number from 1 to 65535");
        check(
            "stomp://h/queue",
            &format!("address \"stomp://h/queue\": {form}, without a path or options"),
        );
        check("failover:()", &format!("address \"\": {form}"));
        check(
            "failover:(stomp://a",
            "address \"(stomp://a\": the list of servers has no \")\" at its end",
        );
    }

    #[test]
    fn options_are_read_and_mistakes_corrected() {
        let list = "failover:(stomp://a)?";
        check(&format!("{list}maxReconnectDelay=5&backOffMultiplier=1.5"), "stomp://a:61613");
        check(
            &format!("{list}randomise=false"),
            "address \"randomise\": unknown option; did you mean randomize?",
        );
        check(&format!("{list}randomize=no"), "address \"randomize=no\": write true or false");
        check(
            &format!("{list}maxReconnectAttempts=-2"),
            "address \"maxReconnectAttempts=-2\": write a count, or -1 for without end",
        );
        check(
            &format!("{list}backOffMultiplier=0"),
            "address \"backOffMultiplier=0\": write a number from 1 to 1000",
        );
        let text = "failover:(stomp://a)?maxReconnectAttempts=7&startupMaxReconnectAttempts=-1\
                    &initialReconnectDelay=100&useExponentialBackOff=false&randomize=false";
        let address = Address::parse(text).expect("it is right");
        assert_eq!(address.reconnect.rounds_max, Some(7));
        assert_eq!(address.reconnect.startup_rounds_max, None);
        assert_eq!(address.reconnect.initial_delay_ms, 100);
        assert!(!address.reconnect.is_exponential && !address.is_random);
    }
}
