//! What a program may choose about its client.

use std::time::Duration;

use posthouse_wire::stomp::HeartBeat;

use crate::error::Error;

/// The most unconfirmed messages of one client. A server remembers the last 4,096 numbers of a
/// producer, so a resend within this window is always recognised.
pub const WINDOW_MESSAGES_MAX: usize = 1_024;
/// Bytes of messages that the client holds until they are confirmed, or written if they need no
/// confirmation.
pub(crate) const WINDOW_BYTES_MAX: usize = 64 << 20;
/// The most unacknowledged messages that a subscription may ask for.
pub const PREFETCH_MESSAGES_MAX: u32 = 100_000;

/// Choices that a program makes for its client; what is not chosen is sensible.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) client_id: Option<String>,
    pub(crate) login: Option<(String, String)>,
    pub(crate) heart_beat: HeartBeat,
    pub(crate) prefetch: u32,
    pub(crate) window: usize,
    pub(crate) connect_timeout: Duration,
    pub(crate) close_timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            client_id: None,
            login: None,
            heart_beat: HeartBeat { send_ms: 10_000, want_ms: 10_000 },
            prefetch: 100,
            window: WINDOW_MESSAGES_MAX,
            connect_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(10),
        }
    }
}

impl Options {
    /// The sensible choices.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name under which durable subscriptions are kept. One connection at a time may use it.
    pub fn client_id(mut self, name: impl Into<String>) -> Self {
        self.client_id = Some(name.into());
        self
    }

    /// The login for servers whose address holds none.
    pub fn login(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.login = Some((user.into(), password.into()));
        self
    }

    /// How often both sides say that they are alive: at least every `send` from here, and every
    /// `want` from the server. A connection on which nothing came for twice that long counts as
    /// lost. Zero is "never"; the server may ask for slower beats.
    pub fn heart_beat(mut self, send: Duration, want: Duration) -> Self {
        self.heart_beat = HeartBeat { send_ms: whole_ms(send), want_ms: whole_ms(want) };
        self
    }

    /// How many unacknowledged messages a subscription may hold that does not say, from 1 to
    /// [`PREFETCH_MESSAGES_MAX`]; 100 by default.
    pub fn prefetch(mut self, messages: u32) -> Self {
        self.prefetch = messages;
        self
    }

    /// How many sends may be unconfirmed before the next has to wait, from 1 to
    /// [`WINDOW_MESSAGES_MAX`], which is the default.
    pub fn window(mut self, messages: usize) -> Self {
        self.window = messages;
        self
    }

    /// How long to wait for one server's answer to the login; 10 seconds by default.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How long [`Client::close`](crate::Client::close) waits for what is unconfirmed; 10 seconds
    /// by default.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.close_timeout = timeout;
        self
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        if !(1..=WINDOW_MESSAGES_MAX).contains(&self.window) {
            return Err(Error::invalid(format!(
                "the window is {}; choose from 1 to {WINDOW_MESSAGES_MAX} messages",
                self.window
            )));
        }
        check_prefetch(self.prefetch)
    }
}

pub(crate) fn check_prefetch(messages: u32) -> Result<(), Error> {
    if (1..=PREFETCH_MESSAGES_MAX).contains(&messages) {
        return Ok(());
    }
    Err(Error::invalid(format!(
        "the prefetch is {messages}; choose from 1 to {PREFETCH_MESSAGES_MAX} messages"
    )))
}

fn whole_ms(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}
