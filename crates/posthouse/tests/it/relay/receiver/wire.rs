//! As much of HTTP/1.1 as a receiver needs that must be able to break it.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;

/// The headers of a call, by lower-case name.
#[derive(Debug, Default)]
pub(super) struct Head {
    headers: BTreeMap<String, String>,
}

impl Head {
    /// Reads the next head. `None`: the caller has closed.
    pub(super) fn read(stream: &mut BufReader<TcpStream>) -> io::Result<Option<Head>> {
        let mut head = Head::default();
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        loop {
            line.clear();
            if stream.read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end().split_once(':') {
                Some((name, text)) => head.add(name, text),
                None => return Ok(Some(head)),
            }
        }
    }

    fn add(&mut self, name: &str, text: &str) {
        self.headers.insert(name.to_ascii_lowercase(), text.trim().to_owned());
    }

    /// A header by its lower-case name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Reads the body that belongs to it.
    pub(super) fn read_body(&self, stream: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
        let length = self.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = Vec::new();
        stream.take(length).read_to_end(&mut body)?;
        match u64::try_from(body.len()) == Ok(length) {
            true => Ok(body),
            false => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// Writes an answer whose body is `ok`, and says that the body has `length` bytes.
pub(super) fn answer(
    stream: &mut TcpStream,
    status: u16,
    more: &str,
    length: u32,
) -> io::Result<()> {
    let text = format!("HTTP/1.1 {status} Answer\r\ncontent-length: {length}\r\n{more}\r\nok");
    stream.write_all(text.as_bytes())
}

/// Waits until the caller closes or the time-out of the stream has passed.
pub(super) fn await_end(stream: &mut BufReader<TcpStream>) {
    let mut rest = [0; 1_024];
    while stream.read(&mut rest).is_ok_and(|count| count > 0) {}
}
