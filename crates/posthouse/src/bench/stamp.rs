//! What each body begins with: by whom, the how-manieth, and when it was meant to be sent.

/// Bytes that a stamp takes.
pub(super) const STAMP_BYTES: usize = 20;

/// See the module; numbers count from 0 for each producer, and times from the start of the run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Stamp {
    pub(super) producer: u32,
    pub(super) number: u64,
    pub(super) intended_ns: u64,
}

impl Stamp {
    /// Writes the stamp to the beginning of `body`, which is long enough.
    pub(super) fn write(self, body: &mut [u8]) {
        let mut bytes = [0; STAMP_BYTES];
        let (producer, rest) = bytes.split_at_mut(4);
        let (number, intended) = rest.split_at_mut(8);
        producer.copy_from_slice(&self.producer.to_le_bytes());
        number.copy_from_slice(&self.number.to_le_bytes());
        intended.copy_from_slice(&self.intended_ns.to_le_bytes());
        if let Some(place) = body.get_mut(..STAMP_BYTES) {
            place.copy_from_slice(&bytes);
        }
    }

    /// Reads the stamp of a body; `None` when that is too short.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let (producer, rest) = body.split_first_chunk::<4>()?;
        let (number, rest) = rest.split_first_chunk::<8>()?;
        let (intended, _) = rest.split_first_chunk::<8>()?;
        Some(Self {
            producer: u32::from_le_bytes(*producer),
            number: u64::from_le_bytes(*number),
            intended_ns: u64::from_le_bytes(*intended),
        })
    }
}
