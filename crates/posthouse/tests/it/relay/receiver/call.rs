//! What the receiver writes down of each call.

use super::deed::Deed;
use super::wire::Head;

/// One call.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::relay) struct Call {
    /// When its head had been read, in microseconds of the test's clock.
    pub(in crate::relay) began_us: i64,
    /// When its answer was about to be written; `None` if there was none.
    pub(in crate::relay) ended_us: Option<i64>,
    /// The status that was answered.
    pub(in crate::relay) status: Option<u16>,
    /// Whether the receiver has done what the request asks for.
    pub(in crate::relay) took: bool,
    /// Why it did not even begin.
    pub(in crate::relay) refusal: Option<Refusal>,
    /// What it says of itself.
    pub(in crate::relay) sender: Sender,
}

/// Why a receiver does not begin with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) enum Refusal {
    /// A higher fence has been seen for the business id.
    Fence,
    /// It came after the instant up to which it should have begun.
    Late,
}

/// What a call says of itself in its headers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::relay) struct Sender {
    pub(in crate::relay) request_id: String,
    pub(in crate::relay) code: String,
    pub(in crate::relay) key: Option<String>,
    pub(in crate::relay) sequence: i64,
    pub(in crate::relay) fence: i64,
    pub(in crate::relay) attempt: u32,
    pub(in crate::relay) not_after_ms: i64,
}

impl Sender {
    /// Reads the headers; `None` if they are not those of a relay.
    pub(super) fn read(head: &Head) -> Option<Sender> {
        Some(Sender {
            request_id: head.get("posthouse-request-id")?.to_owned(),
            code: head.get("posthouse-code")?.to_owned(),
            key: head.get("posthouse-key").map(ToOwned::to_owned),
            sequence: head.get("posthouse-sequence")?.parse().ok()?,
            fence: head.get("posthouse-fence")?.parse().ok()?,
            attempt: head.get("posthouse-attempt")?.parse().ok()?,
            not_after_ms: head.get("posthouse-not-after")?.parse().ok()?,
        })
    }
}

impl Call {
    /// A call that has just begun.
    pub(super) fn begin(sender: Sender, began_us: i64) -> Call {
        Call { began_us, ended_us: None, status: None, took: false, refusal: None, sender }
    }

    /// What is done about it, unless it is refused.
    pub(super) fn decide(&mut self, deed: Deed, highest_fence: i64) -> Deed {
        self.refusal = match () {
            () if self.sender.fence < highest_fence => Some(Refusal::Fence),
            () if self.began_us > self.sender.not_after_ms.saturating_mul(1_000) => {
                Some(Refusal::Late)
            }
            () => None,
        };
        let deed = if self.refusal.is_some() { Deed::Refuse } else { deed };
        self.took = deed.takes();
        deed
    }
}
