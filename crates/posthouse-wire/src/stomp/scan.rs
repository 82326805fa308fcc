//! The lines of a header block, found one by one in bytes that may end anywhere.

use super::error::{DecodeError, DecodeErrorKind};
use super::find::{find_colon_or_control, find_control};
use super::limits::FrameLimits;

/// Where a decoder stands among the lines of a frame.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Lines {
    line_start: usize,
    /// Up to here the line at hand is known not to end.
    searched: usize,
    colon: Option<usize>,
}

/// A line, or as much of it as there is; positions count from the start of the frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) start: usize,
    /// The first colon, once it has come.
    pub(super) colon: Option<usize>,
    /// Where the text of the line ends.
    pub(super) end: usize,
    pub(super) stop: Stop,
}

/// What stands behind the text of a line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stop {
    LineFeed,
    Nul,
    Nothing,
}

impl Lines {
    /// Whether nothing of the frame has been looked at yet.
    pub(super) fn is_at_start(&self) -> bool {
        self.searched == 0
    }

    /// Where the next line starts.
    pub(super) fn position(&self) -> usize {
        self.line_start
    }

    /// The line at hand; when it is whole, the next call gives the one after it.
    #[inline(always)]
    pub(super) fn next(&mut self, input: &[u8]) -> Line {
        let stop = self.find_stop(input);
        let line = Line { start: self.line_start, colon: self.colon, end: self.searched, stop };
        if stop == Stop::LineFeed {
            self.searched += 1;
            self.line_start = self.searched;
            self.colon = None;
        }
        line
    }

    /// Moves on to the end of the line, or of the input.
    #[inline(always)]
    fn find_stop(&mut self, input: &[u8]) -> Stop {
        loop {
            let fresh = input.get(self.searched..).unwrap_or_default();
            let found = match self.colon {
                None => find_colon_or_control(fresh),
                Some(_) => find_control(fresh),
            };
            self.searched += found.unwrap_or(fresh.len());
            match found.and_then(|at| fresh.get(at)) {
                None => return Stop::Nothing,
                Some(b'\n') => return Stop::LineFeed,
                Some(0) => return Stop::Nul,
                Some(b':') => self.colon = Some(self.searched),
                Some(_) => {}
            }
            self.searched += 1;
        }
    }
}

impl Line {
    /// The bytes of the line.
    pub(super) fn text<'i>(&self, input: &'i [u8]) -> &'i [u8] {
        input.get(self.start..self.end).unwrap_or_default()
    }

    /// Counts a carriage return at the end to the line end.
    pub(super) fn drop_return(&mut self, input: &[u8]) {
        if self.text(input).ends_with(b"\r") {
            self.end -= 1;
        }
    }

    /// Checks what there is of a header line against the limits of its two parts. An error shows
    /// the line up to the first byte over its limit.
    pub(super) fn check_lengths(
        &self,
        input: &[u8],
        limits: &FrameLimits,
    ) -> Result<(), DecodeError> {
        let name_end = self.colon.unwrap_or(self.end);
        if name_end - self.start > limits.header_name_bytes_max {
            let cut = Self { end: self.start + limits.header_name_bytes_max + 1, ..*self };
            return Err(cut.error(input, DecodeErrorKind::HeaderNameTooLong));
        }
        let value_end_max =
            name_end.saturating_add(limits.header_value_bytes_max).saturating_add(1);
        if self.end > value_end_max {
            let cut = Self { end: value_end_max + 1, ..*self };
            return Err(cut.error(input, DecodeErrorKind::HeaderValueTooLong));
        }
        Ok(())
    }

    /// Refuses a line that cannot come to a good end any more: there is a NUL in it, or it has
    /// filled the space of the header block. To be asked after the lengths of its parts were
    /// checked, for those are met first.
    pub(super) fn check_stop(&self, input: &[u8], limits: &FrameLimits) -> Result<(), DecodeError> {
        let block_bytes_max = limits.block_bytes_max();
        match self.stop {
            Stop::Nul => Err(self.error(input, DecodeErrorKind::HeaderNul)),
            Stop::Nothing if input.len() >= block_bytes_max => {
                Err(DecodeError::over(limits.block_error_kind(), block_bytes_max, "bytes"))
            }
            _ => Ok(()),
        }
    }

    /// An error that shows the line.
    #[cold]
    pub(super) fn error(&self, input: &[u8], kind: DecodeErrorKind) -> DecodeError {
        DecodeError::quoting(kind, self.text(input))
    }
}

/// Reads a `content-length` value; an earlier one must say the same. White space around the digits
/// is allowed in every version, as in ActiveMQ; a sign is not.
pub(super) fn content_length(value: &[u8], earlier: Option<usize>) -> Result<usize, DecodeError> {
    let length = parse_digits(value.trim_ascii())
        .ok_or_else(|| DecodeError::quoting(DecodeErrorKind::ContentLengthInvalid, value))?;
    match earlier {
        Some(earlier) if earlier != length => {
            Err(DecodeError::quoting(DecodeErrorKind::ContentLengthConflict, value))
        }
        _ => Ok(length),
    }
}

/// `None` when there is anything but digits, or more than fits.
fn parse_digits(digits: &[u8]) -> Option<usize> {
    let (first, rest) = digits.split_first()?;
    rest.iter().try_fold(parse_digit(*first)?, |number, digit| {
        number.checked_mul(10)?.checked_add(parse_digit(*digit)?)
    })
}

fn parse_digit(digit: u8) -> Option<usize> {
    digit.is_ascii_digit().then(|| usize::from(digit - b'0'))
}

/// How many bytes of line ends, LF or CRLF, stand at the beginning of `input`.
pub(super) fn line_end_bytes(input: &[u8]) -> usize {
    let mut count = 0;
    loop {
        match input.get(count..) {
            Some([b'\n', ..]) => count += 1,
            Some([b'\r', b'\n', ..]) => count += 2,
            _ => return count,
        }
    }
}
