//! A decoded frame, borrowed from the bytes that it came in.

use std::borrow::Cow;
use std::slice;

use super::command::Command;
use super::escape::{Escaping, unescape};

/// Where one header stands, in bytes from the start of the frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct HeaderSpan {
    pub(super) start: usize,
    pub(super) colon: usize,
    pub(super) end: usize,
}

/// One frame, valid until its decoder is used again.
#[derive(Clone, Copy, Debug)]
pub struct FrameRef<'d> {
    pub(super) command: Command,
    /// [`Escaping::Off`] also when the frame holds no escape at all.
    pub(super) escaping: Escaping,
    /// Whether white space around a value is dropped.
    pub(super) trims_values: bool,
    pub(super) block: &'d str,
    pub(super) spans: &'d [HeaderSpan],
    pub(super) body: &'d [u8],
    pub(super) content_length: Option<usize>,
}

impl<'d> FrameRef<'d> {
    /// What the frame asks for or tells.
    pub fn command(&self) -> Command {
        self.command
    }

    /// The value of the first header of that name, unescaped; later ones do not count (STOMP 1.2,
    /// section "Repeated Header Entries"). Names are case-sensitive.
    pub fn header(&self, name: &str) -> Option<Cow<'d, str>> {
        let mut spans = self.spans.iter();
        let span = match self.escaping {
            Escaping::Off => spans.find(|span| self.is_named(span, name)),
            _ => spans.find(|span| self.at(span).name() == name),
        };
        span.map(|span| self.at(span).value())
    }

    /// Whether the name stands on the wire like this: most lookups end at the lengths.
    fn is_named(&self, span: &HeaderSpan, name: &str) -> bool {
        let raw_name = self.block.as_bytes().get(span.start..span.colon);
        raw_name == Some(name.as_bytes())
    }

    /// Spans begin and end beside ASCII bytes of the block that they were found in, so that the
    /// fallbacks are never taken.
    fn at(&self, span: &HeaderSpan) -> Header<'d> {
        let raw_value = self.block.get(span.colon + 1..span.end).unwrap_or_default();
        Header {
            raw_name: self.block.get(span.start..span.colon).unwrap_or_default(),
            raw_value: if self.trims_values { raw_value.trim_ascii() } else { raw_value },
            escaping: self.escaping,
        }
    }

    /// All headers in the order of the wire, repeated ones too.
    pub fn headers(&self) -> Headers<'d> {
        Headers { spans: self.spans.iter(), frame: *self }
    }

    /// The body, without the NUL that ends it.
    pub fn body(&self) -> &'d [u8] {
        self.body
    }

    /// What the frame said about the length of its body, in bytes. ActiveMQ takes a message
    /// without it for text and one with it for bytes.
    pub fn content_length(&self) -> Option<usize> {
        self.content_length
    }
}

/// One header of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Header<'d> {
    /// The name as it stands on the wire.
    pub raw_name: &'d str,
    /// The value as it stands on the wire.
    pub raw_value: &'d str,
    escaping: Escaping,
}

impl<'d> Header<'d> {
    /// The name, unescaped.
    pub fn name(&self) -> Cow<'d, str> {
        unescape(self.raw_name, self.escaping)
    }

    /// The value, unescaped.
    pub fn value(&self) -> Cow<'d, str> {
        unescape(self.raw_value, self.escaping)
    }
}

/// The headers of a frame, in the order of the wire.
#[derive(Clone, Debug)]
pub struct Headers<'d> {
    spans: slice::Iter<'d, HeaderSpan>,
    frame: FrameRef<'d>,
}

impl<'d> Iterator for Headers<'d> {
    type Item = Header<'d>;

    fn next(&mut self) -> Option<Self::Item> {
        self.spans.next().map(|span| self.frame.at(span))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl ExactSizeIterator for Headers<'_> {}
