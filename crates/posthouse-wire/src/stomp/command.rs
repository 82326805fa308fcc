//! The closed set of STOMP commands.

/// What a frame asks for or tells; the commands of all three versions, of both sides.
///
/// Source: STOMP 1.2, sections "Connecting", "Client Frames" and "Server Frames".
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Command {
    /// Opens a connection.
    Connect,
    /// Opens a connection, since 1.1; the same as [`Command::Connect`].
    Stomp,
    /// Sends a message to a destination.
    Send,
    /// Starts a subscription.
    Subscribe,
    /// Ends a subscription.
    Unsubscribe,
    /// Acknowledges one message or several.
    Ack,
    /// Refuses one message or several.
    Nack,
    /// Begins a transaction.
    Begin,
    /// Commits a transaction.
    Commit,
    /// Rolls a transaction back.
    Abort,
    /// Announces the end of the connection.
    Disconnect,
    /// The server accepts the connection.
    Connected,
    /// The server delivers a message.
    Message,
    /// The server confirms that it has processed a frame.
    Receipt,
    /// The server tells of an error, and closes.
    Error,
}

impl Command {
    /// Every command, in the order of the specification.
    pub const ALL: [Self; 15] = [
        Self::Connect,
        Self::Stomp,
        Self::Send,
        Self::Subscribe,
        Self::Unsubscribe,
        Self::Ack,
        Self::Nack,
        Self::Begin,
        Self::Commit,
        Self::Abort,
        Self::Disconnect,
        Self::Connected,
        Self::Message,
        Self::Receipt,
        Self::Error,
    ];

    /// The command as it stands on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "CONNECT",
            Self::Stomp => "STOMP",
            Self::Send => "SEND",
            Self::Subscribe => "SUBSCRIBE",
            Self::Unsubscribe => "UNSUBSCRIBE",
            Self::Ack => "ACK",
            Self::Nack => "NACK",
            Self::Begin => "BEGIN",
            Self::Commit => "COMMIT",
            Self::Abort => "ABORT",
            Self::Disconnect => "DISCONNECT",
            Self::Connected => "CONNECTED",
            Self::Message => "MESSAGE",
            Self::Receipt => "RECEIPT",
            Self::Error => "ERROR",
        }
    }

    /// Reads a command line without its line end. Commands are case-sensitive.
    ///
    /// Any name that starts with `SUB` or `UNSUB` counts as the long form, because ActiveMQ takes
    /// it so and old clients send the short one.
    pub fn parse(line: &[u8]) -> Option<Self> {
        match line {
            b"SEND" => Some(Self::Send),
            b"ACK" => Some(Self::Ack),
            b"MESSAGE" => Some(Self::Message),
            b"RECEIPT" => Some(Self::Receipt),
            b"NACK" => Some(Self::Nack),
            b"BEGIN" => Some(Self::Begin),
            b"COMMIT" => Some(Self::Commit),
            b"ABORT" => Some(Self::Abort),
            b"CONNECT" => Some(Self::Connect),
            b"STOMP" => Some(Self::Stomp),
            b"CONNECTED" => Some(Self::Connected),
            b"DISCONNECT" => Some(Self::Disconnect),
            b"ERROR" => Some(Self::Error),
            _ if line.starts_with(b"SUB") => Some(Self::Subscribe),
            _ if line.starts_with(b"UNSUB") => Some(Self::Unsubscribe),
            _ => None,
        }
    }

    /// Whether a frame of this command may have a body (STOMP 1.2, section "Body").
    pub const fn allows_body(self) -> bool {
        matches!(self, Self::Send | Self::Message | Self::Error)
    }

    /// Whether the frame belongs to the exchange that settles the version, so that none of the
    /// negotiated rules hold for it yet.
    pub const fn is_handshake(self) -> bool {
        matches!(self, Self::Connect | Self::Stomp | Self::Connected)
    }
}
