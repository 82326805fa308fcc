//! From bytes to frames.
//!
//! The decoder parses in place and keeps only positions. It remembers how far it has looked at an
//! unfinished frame, so that each byte is searched once however small the pieces are in which it
//! arrives. Everything is checked at the first byte that breaks a rule, so that the same bytes
//! give the same answer in whatever pieces they come, and nobody has to wait for the rest of a
//! frame that will be refused.

use std::str;

use memchr::memchr;
use posthouse_core::limits::STOMP_COMMAND_BYTES_MAX;

use super::command::Command;
use super::error::{DecodeError, DecodeErrorKind};
use super::escape::{Escaping, undefined_escape};
use super::frame::{FrameRef, HeaderSpan};
use super::limits::FrameLimits;
use super::scan::{Line, Lines, Stop, content_length, line_end_bytes};
use super::version::Version;

/// What stands at the beginning of the input.
#[derive(Clone, Copy, Debug)]
pub enum Decoded<'d> {
    /// A frame that takes `consumed` bytes.
    Frame {
        /// The frame, in place.
        frame: FrameRef<'d>,
        /// Its length on the wire.
        consumed: usize,
    },
    /// Line ends that take `consumed` bytes: heart-beats, or what some peers write after a frame.
    HeartBeat {
        /// How many bytes of line ends there are.
        consumed: usize,
    },
    /// The beginning of something: call again with the same bytes and more.
    Incomplete,
}

/// The same as [`Decoded`], but borrowing nothing, so that a loop can go on after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Step {
    Frame { consumed: usize },
    HeartBeat { consumed: usize },
    Incomplete,
}

/// How far the frame at hand is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stage {
    Command,
    Headers,
    Body,
    Done,
}

/// Finds frames at the beginning of byte slices.
#[derive(Debug)]
pub struct Decoder {
    version: Version,
    limits: FrameLimits,
    stage: Stage,
    lines: Lines,
    command: Command,
    escaping: Escaping,
    spans: Vec<HeaderSpan>,
    content_length: Option<usize>,
    body_start: usize,
    /// Up to here there is no NUL in a body of unknown length; the body's end once it is known.
    body_end: usize,
}

impl Decoder {
    /// A decoder at the border between two frames.
    pub fn new(limits: FrameLimits, version: Version) -> Self {
        Self {
            version,
            limits,
            stage: Stage::Command,
            lines: Lines::default(),
            command: Command::Error,
            escaping: Escaping::Off,
            spans: Vec::new(),
            content_length: None,
            body_start: 0,
            body_end: 0,
        }
    }

    /// Changes the version; meant for between two frames, after the handshake.
    pub fn set_version(&mut self, version: Version) {
        self.version = version;
    }

    /// Changes the limits; meant for between two frames, after the login.
    pub fn set_limits(&mut self, limits: FrameLimits) {
        self.limits = limits;
    }

    /// Decodes what stands at the beginning of `input`, which is never consumed here: the caller
    /// goes on after the `consumed` bytes. After [`Decoded::Incomplete`] the next input must begin
    /// with the same bytes.
    ///
    /// # Errors
    /// Any violation of the protocol or the limits. It is fatal for the connection.
    pub fn decode<'d>(&'d mut self, input: &'d [u8]) -> Result<Decoded<'d>, DecodeError> {
        Ok(match self.advance(input)? {
            Step::Frame { consumed } => Decoded::Frame { frame: self.frame(input)?, consumed },
            Step::HeartBeat { consumed } => Decoded::HeartBeat { consumed },
            Step::Incomplete => Decoded::Incomplete,
        })
    }

    /// The first half of [`Decoder::decode`]: finds the end of the frame.
    pub(super) fn advance(&mut self, input: &[u8]) -> Result<Step, DecodeError> {
        if self.stage == Stage::Done {
            self.start_over();
        }
        let step = self.step(input);
        if step.is_err() {
            self.stage = Stage::Done;
        }
        step
    }

    /// The second half of [`Decoder::decode`]: the frame that [`Decoder::advance`] has found at
    /// the beginning of `input`. Here the headers are checked to be UTF-8, all at once.
    pub(super) fn frame<'d>(&'d self, input: &'d [u8]) -> Result<FrameRef<'d>, DecodeError> {
        let block = input.get(..self.body_start).unwrap_or_default();
        let block = str::from_utf8(block).map_err(|error| {
            let wrong = block.get(error.valid_up_to()..).unwrap_or_default();
            DecodeError::quoting(DecodeErrorKind::HeaderNotUtf8, wrong)
        })?;
        Ok(FrameRef {
            command: self.command,
            escaping: self.escaping,
            trims_values: self.version == Version::V1_0,
            block,
            spans: &self.spans,
            body: input.get(self.body_start..self.body_end).unwrap_or_default(),
            content_length: self.content_length,
        })
    }

    /// How many of the bytes in `more`, which come after `held` bytes of an unfinished frame,
    /// bring the frame one step further without going beyond it.
    pub(super) fn wanted(&self, held: usize, more: &[u8]) -> usize {
        let end = match (self.stage, self.content_length) {
            (Stage::Body, Some(_)) => Some(self.bytes_expected().saturating_sub(held)),
            (Stage::Body, None) => memchr(0, more).map(|at| at + 1),
            _ => memchr(b'\n', more).map(|at| at + 1),
        };
        end.map_or(more.len(), |end| end.min(more.len()))
    }

    /// How long the unfinished frame is going to be, or at most is allowed to be.
    pub(super) fn bytes_expected(&self) -> usize {
        match (self.stage, self.content_length) {
            (Stage::Body, Some(length)) => self.body_start + length + 1,
            _ => self.limits.frame_bytes_max,
        }
    }

    /// Gives back memory that only an unusually large frame has needed.
    pub(super) fn shrink(&mut self, header_count_max: usize) {
        if self.stage == Stage::Done && self.spans.capacity() > header_count_max {
            self.spans = Vec::new();
        }
    }

    fn start_over(&mut self) {
        self.stage = Stage::Command;
        self.lines = Lines::default();
        self.spans.clear();
        self.content_length = None;
    }

    fn step(&mut self, input: &[u8]) -> Result<Step, DecodeError> {
        let block = input.get(..self.limits.block_bytes_max()).unwrap_or(input);
        if self.stage == Stage::Command {
            match self.lines.is_at_start().then(|| line_end_bytes(input)) {
                None | Some(0) => {}
                Some(consumed) => return Ok(Step::HeartBeat { consumed }),
            }
            // A carriage return alone may be the first half of a heart-beat.
            if matches!(input, [] | b"\r") || !self.read_command(block)? {
                return Ok(Step::Incomplete);
            }
        }
        if self.stage == Stage::Headers && !self.read_headers(block)? {
            return Ok(Step::Incomplete);
        }
        self.read_body(input)
    }

    /// Answers false while the line is not complete.
    fn read_command(&mut self, input: &[u8]) -> Result<bool, DecodeError> {
        let line = self.lines.next(input);
        let text = line.text(input);
        let name = text.strip_suffix(b"\r").unwrap_or(text);
        if name.len() > STOMP_COMMAND_BYTES_MAX {
            let head = name.get(..=STOMP_COMMAND_BYTES_MAX).unwrap_or(name);
            return Err(DecodeError::quoting(DecodeErrorKind::CommandTooLong, head));
        }
        line.check_stop(input, &self.limits)?;
        if line.stop == Stop::Nothing {
            return Ok(false);
        }
        self.command = Command::parse(name)
            .filter(|&command| name.len() == text.len() || self.allows_return(command))
            .ok_or_else(|| line.error(input, DecodeErrorKind::CommandUnknown))?;
        self.stage = Stage::Headers;
        Ok(true)
    }

    /// Whether lines may end in CRLF.
    fn allows_return(&self, command: Command) -> bool {
        self.version != Version::V1_1 || command.is_handshake()
    }

    /// Answers false while the blank line has not come.
    fn read_headers(&mut self, input: &[u8]) -> Result<bool, DecodeError> {
        let allows_return = self.allows_return(self.command);
        let mut lines = self.lines;
        loop {
            let mut line = lines.next(input);
            if allows_return {
                line.drop_return(input);
            }
            if line.stop != Stop::LineFeed {
                self.lines = lines;
                line.check_lengths(input, &self.limits)?;
                line.check_stop(input, &self.limits)?;
                return Ok(false);
            }
            if line.start == line.end {
                self.lines = lines;
                self.end_headers(input)?;
                return Ok(true);
            }
            self.push_header(input, &line)?;
        }
    }

    fn push_header(&mut self, input: &[u8], line: &Line) -> Result<(), DecodeError> {
        line.check_lengths(input, &self.limits)?;
        let Some(colon) = line.colon else {
            return Err(line.error(input, DecodeErrorKind::HeaderWithoutColon));
        };
        if colon == line.start {
            return Err(line.error(input, DecodeErrorKind::HeaderNameEmpty));
        }
        if self.spans.len() >= self.limits.header_count_max {
            let kind = DecodeErrorKind::HeaderCountTooHigh;
            return Err(DecodeError::over(kind, self.limits.header_count_max, "headers"));
        }
        if input.get(line.start..colon) == Some(b"content-length") {
            let value = input.get(colon + 1..line.end).unwrap_or_default();
            self.content_length = Some(content_length(value, self.content_length)?);
        }
        self.spans.push(HeaderSpan { start: line.start, colon, end: line.end });
        Ok(())
    }

    fn end_headers(&mut self, input: &[u8]) -> Result<(), DecodeError> {
        self.body_start = self.lines.position();
        self.body_end = self.body_start;
        self.stage = Stage::Body;
        let block = input.get(..self.body_start).unwrap_or_default();
        self.escaping = self.check_escapes(block)?;
        let Some(length) = self.content_length else {
            return Ok(());
        };
        if length > 0 && !self.command.allows_body() {
            return Err(self.body_error());
        }
        let room = self.limits.frame_bytes_max.saturating_sub(self.body_start);
        if length >= room { Err(self.frame_error()) } else { Ok(()) }
    }

    /// Checks the escapes of the whole header block in one pass, and answers with those that the
    /// frame uses: most frames use none, and their values can be borrowed without another look.
    fn check_escapes(&self, block: &[u8]) -> Result<Escaping, DecodeError> {
        let escaping = Escaping::of(self.version, self.command);
        if escaping == Escaping::Off || memchr(b'\\', block).is_none() {
            return Ok(Escaping::Off);
        }
        match undefined_escape(block, escaping) {
            None => Ok(escaping),
            Some(at) => {
                let pair = block.get(at..at + 2).unwrap_or_default();
                Err(DecodeError::quoting(DecodeErrorKind::EscapeUndefined, pair))
            }
        }
    }

    fn read_body(&mut self, input: &[u8]) -> Result<Step, DecodeError> {
        let is_complete = match self.content_length {
            Some(length) => self.read_sized_body(input, length)?,
            None => self.read_open_body(input)?,
        };
        if !is_complete {
            return Ok(Step::Incomplete);
        }
        self.stage = Stage::Done;
        Ok(Step::Frame { consumed: self.body_end + 1 })
    }

    fn read_sized_body(&mut self, input: &[u8], length: usize) -> Result<bool, DecodeError> {
        self.body_end = self.body_start + length;
        match input.get(self.body_end) {
            None => Ok(false),
            Some(0) => Ok(true),
            Some(&byte) => Err(DecodeError::quoting(DecodeErrorKind::BodyNotTerminated, &[byte])),
        }
    }

    /// Searches for the NUL that ends a body of unknown length.
    fn read_open_body(&mut self, input: &[u8]) -> Result<bool, DecodeError> {
        if !self.command.allows_body() && input.get(self.body_start).is_some_and(|&byte| byte != 0)
        {
            return Err(self.body_error());
        }
        let fresh = input.get(self.body_end..).unwrap_or_default();
        let nul = memchr(0, fresh);
        self.body_end += nul.unwrap_or(fresh.len());
        if self.body_end >= self.limits.frame_bytes_max {
            return Err(self.frame_error());
        }
        Ok(nul.is_some())
    }

    fn body_error(&self) -> DecodeError {
        let command = self.command.as_str().as_bytes();
        DecodeError::quoting(DecodeErrorKind::BodyNotAllowed, command)
    }

    fn frame_error(&self) -> DecodeError {
        let limit = self.limits.frame_bytes_max;
        DecodeError::over(DecodeErrorKind::FrameTooLong, limit, "bytes")
    }
}
