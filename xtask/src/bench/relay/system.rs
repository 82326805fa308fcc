//! Who is measured.

/// Which database the requests are in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Postgres,
    Mariadb,
    Sqlite,
}

/// Somebody who takes requests from a database and posts them.
#[derive(Debug)]
pub(super) struct System {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    /// The database of its own, in small letters.
    pub(super) database: &'static str,
    /// The directory of its files below `xtask/rivals`; ours has none.
    pub(super) rival: Option<&'static str>,
    /// The backlog: less for who is slow, so that a run takes about a minute at most. A shorter
    /// backlog makes none of them slower.
    pub(super) requests: u64,
    /// Whether 500 requests a second with a commit each are within its reach: SQLite has one
    /// writer, and who delivers fewer in order holds up even those who write.
    pub(super) keeps_pace: bool,
}

/// The first is the one that all others are compared with.
pub(super) const SYSTEMS: [System; 6] = [
    System {
        name: "Posthouse",
        kind: Kind::Postgres,
        database: "posthouse",
        rival: None,
        requests: 100_000,
        keeps_pace: true,
    },
    System {
        name: "outbox-pattern-processor 0.4.0",
        kind: Kind::Postgres,
        database: "outbox_pattern_processor",
        rival: Some("outbox-pattern-processor"),
        requests: 100_000,
        keeps_pace: true,
    },
    System {
        name: "graphile-worker 0.16.6",
        kind: Kind::Postgres,
        database: "graphile_worker",
        rival: Some("graphile-worker"),
        requests: 4_000,
        keeps_pace: false,
    },
    System {
        name: "procrastinate 3.10.0",
        kind: Kind::Postgres,
        database: "procrastinate",
        rival: Some("procrastinate"),
        requests: 4_000,
        keeps_pace: false,
    },
    System {
        name: "Posthouse on MariaDB",
        kind: Kind::Mariadb,
        database: "posthouse",
        rival: None,
        requests: 100_000,
        keeps_pace: true,
    },
    System {
        name: "Posthouse on SQLite",
        kind: Kind::Sqlite,
        database: "posthouse",
        rival: None,
        requests: 100_000,
        keeps_pace: false,
    },
];
