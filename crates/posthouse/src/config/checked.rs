//! The configuration with its meaning: what the node is built from. Making one from the raw
//! settings is the only way to have one, so whoever holds it need not check again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use posthouse_core::policy::Policies;
use posthouse_store::journal::layout::{BLOCK_BYTES, SEGMENT_BYTES_MAX};
use tracing::level_filters::LevelFilter;

use super::raw::{Raw, Setting};
use super::reader::Reader;
use super::relay::{self, RelayConfig};
use super::report::{Mistake, Report};
use super::rules;
use crate::codes::Code;

/// Largest frame that may be configured, in bytes.
const FRAME_BYTES_MAX: u64 = 256 << 20;
/// Smallest frame that may be configured, in bytes: below it nobody could log in.
const FRAME_BYTES_MIN: u64 = 16 << 10;
/// Longest duration that may be configured, in milliseconds: a day.
const DURATION_MS_MAX: u64 = 86_400_000;
/// Connections that may be configured.
const CONNECTIONS_MAX: u64 = 1_000_000;
/// Least length of a segment, in bytes.
const SEGMENT_BYTES_MIN: u64 = 1 << 20;
/// Segments that may be kept back.
const SPARES_MAX: u64 = 64;
/// Least memory for messages, in bytes.
const MEMORY_BYTES_MIN: u64 = 1 << 20;
/// Bytes of a node's name.
const NODE_NAME_BYTES_MAX: usize = 64;

/// What the node is built from.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Where everything is kept; `None` leaves the choice to the environment.
    pub(crate) data_dir: Option<PathBuf>,
    /// The name that clients see.
    pub(crate) node_name: String,
    /// STOMP.
    pub(crate) stomp: StompConfig,
    /// Addresses of the HTTP listener.
    pub(crate) http_listen: Vec<SocketAddr>,
    /// Bounds that are chosen.
    pub(crate) limits: LimitsConfig,
    /// How messages are kept.
    pub(crate) journal: JournalConfig,
    /// How logs are written.
    pub(crate) log: LogConfig,
    /// Rules for destinations and the memory of the node.
    pub(crate) policies: Policies,
    /// The relay.
    pub(crate) relay: RelayConfig,
}

/// How STOMP is spoken.
#[derive(Clone, Debug)]
pub(crate) struct StompConfig {
    /// Addresses to listen on.
    pub(crate) listen: Vec<SocketAddr>,
    /// Longest pause between heart-beats to a client, in milliseconds; 0 offers none.
    pub(crate) heart_beat_send_ms: u64,
    /// Longest pause wanted between heart-beats of a client, in milliseconds; 0 wants none.
    pub(crate) heart_beat_want_ms: u64,
    /// Largest frame.
    pub(crate) frame_bytes_max: usize,
    /// Longest time from connection to login, in milliseconds.
    pub(crate) login_ms_max: u64,
    /// Longest time in which a client takes nothing, in milliseconds; 0 means for ever.
    pub(crate) write_stall_ms_max: u64,
}

/// Bounds that are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LimitsConfig {
    /// Messaging connections.
    pub(crate) connections_max: usize,
    /// Of these, from one address.
    pub(crate) connections_per_address_max: usize,
}

/// How messages are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JournalConfig {
    /// Whether they are kept on disk.
    pub(crate) enabled: bool,
    /// Length of a segment, a multiple of 4,096 bytes.
    pub(crate) segment_bytes: u64,
    /// Bytes after which a checkpoint is taken.
    pub(crate) checkpoint_bytes: u64,
    /// Segments that are kept back.
    pub(crate) spares: usize,
    /// Bytes of the spool.
    pub(crate) spool_bytes_max: u64,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogConfig {
    /// Whether as one JSON object a line.
    pub(crate) json: bool,
    /// What is written.
    pub(crate) level: LevelFilter,
}

impl Config {
    /// Reads the meaning of `raw`.
    ///
    /// # Errors
    /// Every mistake in it.
    pub(crate) fn new(raw: &Raw) -> Result<Config, Report> {
        let mut reader = Reader::new(raw);
        let config = Config {
            data_dir: data_dir(&mut reader),
            node_name: node_name(&mut reader),
            stomp: stomp(&mut reader),
            http_listen: addresses(&mut reader, "http.listen", Plaintext::Loopback),
            limits: limits(&mut reader),
            journal: journal(&mut reader),
            log: log(&mut reader),
            policies: policies(&mut reader, raw),
            relay: relay::read(&mut reader),
        };
        if reader.report.mistakes.is_empty() { Ok(config) } else { Err(reader.report) }
    }
}

/// How far plain text may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Plaintext {
    Loopback,
    BehindProxy,
}

fn data_dir(reader: &mut Reader<'_>) -> Option<PathBuf> {
    let text = reader.text("data_dir");
    (!text.is_empty()).then(|| text.into())
}

fn node_name(reader: &mut Reader<'_>) -> String {
    let name = reader.text("node.name");
    let is_fine = |name: &str| {
        let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        letters && !name.is_empty() && name.len() <= NODE_NAME_BYTES_MAX
    };
    if !is_fine(&name) {
        let help = format!("use 1 to {NODE_NAME_BYTES_MAX} of a-z, 0-9, -, _ and .");
        reader.refuse("node.name", "the node's name cannot be used", &help);
    }
    name
}

fn stomp(reader: &mut Reader<'_>) -> StompConfig {
    let words = [("loopback", Plaintext::Loopback), ("behind-proxy", Plaintext::BehindProxy)];
    let plaintext = reader.word("stomp.plaintext", &words).unwrap_or(Plaintext::Loopback);
    let frame_bytes = reader.size("stomp.frame_bytes_max", FRAME_BYTES_MIN..=FRAME_BYTES_MAX);
    StompConfig {
        listen: addresses(reader, "stomp.listen", plaintext),
        heart_beat_send_ms: reader.duration("stomp.heart_beat_send", 0..=DURATION_MS_MAX),
        heart_beat_want_ms: reader.duration("stomp.heart_beat_want", 0..=DURATION_MS_MAX),
        frame_bytes_max: usize::try_from(frame_bytes).unwrap_or(usize::MAX),
        login_ms_max: reader.duration("stomp.login_timeout", 1..=DURATION_MS_MAX),
        write_stall_ms_max: reader.duration("stomp.write_timeout", 0..=DURATION_MS_MAX),
    }
}

fn limits(reader: &mut Reader<'_>) -> LimitsConfig {
    let mut count = |path: &str| {
        usize::try_from(reader.integer(path, 1..=CONNECTIONS_MAX)).unwrap_or(usize::MAX)
    };
    LimitsConfig {
        connections_max: count("limits.connections"),
        connections_per_address_max: count("limits.connections_per_address"),
    }
}

fn journal(reader: &mut Reader<'_>) -> JournalConfig {
    let segment_bytes = reader.size("journal.segment", SEGMENT_BYTES_MIN..=SEGMENT_BYTES_MAX);
    let spares = reader.integer("journal.spares", 1..=SPARES_MAX);
    JournalConfig {
        enabled: reader.boolean("journal.enabled"),
        segment_bytes: segment_bytes.next_multiple_of(BLOCK_BYTES as u64),
        checkpoint_bytes: reader.size("journal.checkpoint", SEGMENT_BYTES_MIN..=u64::MAX),
        spares: usize::try_from(spares).unwrap_or(usize::MAX),
        spool_bytes_max: reader.size("journal.spool", 0..=u64::MAX),
    }
}

fn log(reader: &mut Reader<'_>) -> LogConfig {
    let levels = [
        ("error", LevelFilter::ERROR),
        ("warn", LevelFilter::WARN),
        ("info", LevelFilter::INFO),
        ("debug", LevelFilter::DEBUG),
        ("trace", LevelFilter::TRACE),
    ];
    LogConfig {
        json: reader.word("log.format", &[("text", false), ("json", true)]).unwrap_or(false),
        level: reader.word("log.level", &levels).unwrap_or(LevelFilter::INFO),
    }
}

fn policies(reader: &mut Reader<'_>, raw: &Raw) -> Policies {
    Policies {
        memory_bytes_max: reader.size("limits.memory", MEMORY_BYTES_MIN..=u64::MAX),
        resident_bytes_max: reader.size("journal.resident", MEMORY_BYTES_MIN..=u64::MAX),
        rules: rules::read(raw, &mut reader.report),
        ..Policies::default()
    }
}

fn addresses(reader: &mut Reader<'_>, path: &str, plaintext: Plaintext) -> Vec<SocketAddr> {
    let mut addresses = Vec::new();
    for (setting, text) in reader.texts(path) {
        let read = read_address(&text);
        if read.is_empty() {
            let message = format!("`{path}`: \"{text}\" is not an address");
            let help = "write it as 127.0.0.1:61613, [::1]:61613 or localhost:61613";
            reader.mistake(Code::ValueInvalid, &setting.place, message, help);
        }
        for address in &read {
            if !address.ip().is_loopback() {
                reader.report.mistakes.push(refused_address(path, &setting, *address, plaintext));
            }
        }
        addresses.extend(read);
    }
    addresses
}

fn read_address(text: &str) -> Vec<SocketAddr> {
    if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
        let both = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        return both.map(|ip| SocketAddr::new(ip, port)).into();
    }
    text.parse().into_iter().collect()
}

fn refused_address(
    path: &str,
    setting: &Setting,
    address: SocketAddr,
    plaintext: Plaintext,
) -> Mistake {
    let message = match plaintext {
        Plaintext::Loopback => {
            format!("`{path}`: {address} is open to others, which needs messaging users and TLS")
        }
        Plaintext::BehindProxy => format!(
            "`{path}`: {address} is open to others, which needs messaging users even behind a proxy"
        ),
    };
    let help = "this version has no messaging users yet: use 127.0.0.1 or [::1]".to_owned();
    Mistake::at(Code::AddressRefused, &setting.place, message, help)
}
