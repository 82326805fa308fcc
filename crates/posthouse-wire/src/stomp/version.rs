//! The versions of STOMP, and how two sides agree on one.

use std::fmt;

use super::error::{DecodeError, DecodeErrorKind};

/// A version of the protocol; a later one is greater.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Version {
    /// STOMP 1.0: what every connection speaks until the versions are negotiated.
    #[default]
    V1_0,
    /// STOMP 1.1: escapes, heart-beats, NACK.
    V1_1,
    /// STOMP 1.2: CRLF line ends, the `ack` header.
    V1_2,
}

impl Version {
    /// Every version, oldest first.
    pub const ALL: [Self; 3] = [Self::V1_0, Self::V1_1, Self::V1_2];

    /// What our side puts into `accept-version`, and into `version` of the ERROR that refuses.
    pub const OFFER: &'static str = "1.0,1.1,1.2";

    /// The version as it stands in `version` and `accept-version`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::V1_0 => "1.0",
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
        }
    }

    /// Reads one version, with white space around it allowed; `None` for one not spoken here.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_ascii();
        Self::ALL.into_iter().find(|version| version.as_str() == text)
    }

    /// The highest version that the `accept-version` list of a CONNECT frame has in common with
    /// us; no header means 1.0 (STOMP 1.2, section "Protocol Negotiation").
    ///
    /// # Errors
    /// [`DecodeErrorKind::VersionUnknown`] when the list holds no version spoken here.
    pub fn negotiate(accept_version: Option<&str>) -> Result<Self, DecodeError> {
        let Some(list) = accept_version else {
            return Ok(Self::V1_0);
        };
        list.split(',')
            .filter_map(Self::parse)
            .max()
            .ok_or_else(|| DecodeError::quoting(DecodeErrorKind::VersionUnknown, list.as_bytes()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
