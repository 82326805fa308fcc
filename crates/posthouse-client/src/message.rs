//! A message on its way out.
//!
//! Everything that a server would refuse as a broken frame is refused here, before it is sent: a
//! broken frame costs the whole connection, and would cost it again at every resend.

use bytes::Bytes;
use posthouse_wire::stomp::{FrameLimits, FrameWriter};

use crate::error::Error;

/// What a program may ask to be sent.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) destination: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
    pub(crate) is_persistent: bool,
}

/// Headers that have another place in the API, or that the client itself has to set.
const RESERVED: [&str; 6] =
    ["destination", "persistent", "posthouse-producer", "posthouse-seq", "receipt", "transaction"];
/// Headers that a program may add; the rest is left to the client's own.
const HEADER_COUNT_MAX: usize = FrameLimits::AFTER_LOGIN.header_count_max - 16;
/// Bytes that the client's own headers take at most, but for destinations and selectors.
const OWN_HEADER_BYTES: usize = 512;

impl Message {
    /// An empty message to a destination such as `/queue/orders` or `/topic/prices.eur`. It is
    /// persistent: it outlives the server once it is confirmed.
    pub fn to(destination: impl Into<String>) -> Self {
        Self {
            destination: destination.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            is_persistent: true,
        }
    }

    /// The body, of any bytes. JMS programs receive a `BytesMessage`.
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// The body as text. JMS programs receive a `TextMessage`.
    pub fn text(self, text: impl Into<String>) -> Self {
        self.body(text.into()).header("amq-msg-type", "text")
    }

    /// Whether the message is to outlive the server. One that is not is never sent twice, and
    /// may be lost when the connection breaks.
    pub fn persistent(mut self, is_persistent: bool) -> Self {
        self.is_persistent = is_persistent;
        self
    }

    /// Adds a header; of a name given twice the first counts.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// From 0 to 9, which is the most urgent; 4 when it is not said.
    pub fn priority(self, priority: u8) -> Self {
        self.header("priority", priority.to_string())
    }

    /// When the message is to be dropped, in milliseconds since 1970.
    pub fn expires_at_ms(self, time_ms: u64) -> Self {
        self.header("expires", time_ms.to_string())
    }

    /// Checks what a server would refuse.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let limits = FrameLimits::AFTER_LOGIN;
        let fixed_bytes = check_header("destination", &self.destination)?;
        let header_bytes = check_headers(fixed_bytes, &self.headers, &RESERVED)?;
        if header_bytes + self.body.len() >= limits.frame_bytes_max {
            let most = limits.frame_bytes_max;
            return Err(Error::invalid(format!("the message is over {most} bytes; split it")));
        }
        Ok(())
    }

    /// Bytes of memory that the message takes, about.
    pub(crate) fn size_bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        OWN_HEADER_BYTES + self.destination.len() + headers.sum::<usize>() + self.body.len()
    }

    /// Completes a SEND frame whose own headers the caller has written.
    pub(crate) fn write(&self, mut frame: FrameWriter<'_>) -> Result<(), Error> {
        frame.header("destination", &self.destination)?;
        if self.is_persistent {
            frame.header("persistent", "true")?;
        }
        for (name, value) in &self.headers {
            frame.header(name, value)?;
        }
        Ok(frame.body(&self.body)?)
    }
}

/// Checks a program's own headers; answers with the bytes of a header block that holds them, the
/// client's, and `fixed_bytes` of others.
pub(crate) fn check_headers(
    fixed_bytes: usize,
    headers: &[(String, String)],
    reserved: &[&str],
) -> Result<usize, Error> {
    let limits = FrameLimits::AFTER_LOGIN;
    if headers.len() > HEADER_COUNT_MAX {
        return Err(Error::invalid(format!("more than {HEADER_COUNT_MAX} headers; send fewer")));
    }
    let mut bytes = OWN_HEADER_BYTES + fixed_bytes;
    for (name, value) in headers {
        if reserved.contains(&name.as_str()) || name == "content-length" {
            let problem = "is set by the client; use the method of that name";
            return Err(Error::invalid(format!("the header \"{name}\" {problem}")));
        }
        bytes += check_header(name, value)?;
    }
    if bytes > limits.header_block_bytes_max {
        return Err(Error::invalid("the headers are too long; move them into the body"));
    }
    Ok(bytes)
}

/// Checks one header; answers with the length of its line.
pub(crate) fn check_header(name: &str, value: &str) -> Result<usize, Error> {
    let limits = FrameLimits::AFTER_LOGIN;
    if name.is_empty() {
        return Err(Error::invalid("a header has no name; give it one or leave it out"));
    }
    if name.contains('\0') || value.contains('\0') {
        let name = name.escape_debug();
        return Err(Error::invalid(format!("the header \"{name}\" holds a NUL; leave it out")));
    }
    let (name_bytes, value_bytes) = (wire_bytes(name), wire_bytes(value));
    if name_bytes > limits.header_name_bytes_max || value_bytes > limits.header_value_bytes_max {
        let name: String = name.chars().take(64).collect();
        let problem = "is too long; move it into the body";
        return Err(Error::invalid(format!("the header \"{name}\" {problem}")));
    }
    Ok(name_bytes + value_bytes + 2)
}

/// The length of a text with its escapes.
fn wire_bytes(text: &str) -> usize {
    let is_escaped = |byte: &u8| matches!(byte, b'\n' | b'\r' | b':' | b'\\');
    text.len() + text.as_bytes().iter().filter(|byte| is_escaped(byte)).count()
}

#[cfg(test)]
mod tests {
    use posthouse_wire::stomp::FrameLimits;

    use super::Message;

    fn check(message: &Message, expected: Result<(), &str>) {
        let found = message.check().map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn what_a_server_would_refuse_is_refused_here() {
        let message = || Message::to("/queue/x");
        check(&message().text("ü").priority(9).expires_at_ms(1), Ok(()));
        check(&message().header("a:b", "c\nd\r\\"), Ok(()));
        check(&message().header("", "x"), Err("a header has no name; give it one or leave it out"));
        check(&message().header("a", "\0"), Err("the header \"a\" holds a NUL; leave it out"));
        check(
            &Message::to("/queue/\0"),
            Err("the header \"destination\" holds a NUL; leave it out"),
        );
        check(
            &message().header("receipt", "1"),
            Err("the header \"receipt\" is set by the client; use the method of that name"),
        );
    }

    #[test]
    fn lengths_are_bounded() {
        let limits = FrameLimits::AFTER_LOGIN;
        let message = || Message::to("/queue/x");
        let long = "the header \"a\" is too long; move it into the body";
        check(&message().header("a", "x".repeat(limits.header_value_bytes_max)), Ok(()));
        check(&message().header("a", "x".repeat(limits.header_value_bytes_max + 1)), Err(long));
        check(&message().header("a", ":".repeat(limits.header_value_bytes_max)), Err(long));
        let many = |count: usize| (0..count).fold(message(), |m, n| m.header(n.to_string(), ""));
        check(&many(112), Ok(()));
        check(&many(113), Err("more than 112 headers; send fewer"));
        let bulky = (0..4).fold(message(), |m, n| m.header(n.to_string(), "x".repeat(8_100)));
        check(&bulky.clone(), Err("the headers are too long; move them into the body"));
        let body = |bytes: usize| message().body(vec![0; bytes]);
        check(&body(limits.frame_bytes_max - 1_024), Ok(()));
        check(&body(limits.frame_bytes_max), Err("the message is over 16777216 bytes; split it"));
    }
}
