//! Which segments a checkpoint needs: those that messages which it keeps lie in.

use std::collections::BTreeSet;

use bytes::Bytes;
use posthouse_core::record::codec::decode_all;
use posthouse_core::record::{KeptPage, Record};

use super::spool::is_spool;
use crate::journal::layout::place::Place;

/// Adds the ids of the segments that a piece of a checkpoint refers to. What cannot be decoded is
/// told by whoever rebuilds the state from it.
pub(super) fn add_segments(piece: &[u8], segments: &mut BTreeSet<u64>) {
    let records = decode_all(&Bytes::copy_from_slice(piece)).unwrap_or_default();
    for record in &records {
        if let Record::Kept(page) = record {
            add_page(page, segments);
        }
    }
}

/// Messages that came together lie together, so that hardly any segment is looked up.
fn add_page(page: &KeptPage, segments: &mut BTreeSet<u64>) {
    let mut last = None;
    for message in &page.messages {
        let segment = Place::from_locator(message.locator).map(|place| place.segment);
        let Some(segment) = segment.filter(|segment| !is_spool(*segment)) else { continue };
        if last.replace(segment) != Some(segment) {
            segments.insert(segment);
        }
    }
}
