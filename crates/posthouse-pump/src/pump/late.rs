//! Requests that came into sight ahead of the walk that reads their bucket from the beginning.
//!
//! Only that walk admits what such a bucket has, because it alone meets the first of each key
//! first. A request that was committed after the walk's read, and below where that read came to,
//! would be passed over though: it is kept aside until the read is answered, and put in its place.

use super::Pump;
use super::reads::Aim;
use crate::request::{Request, RequestId};

impl Pump {
    /// Keeps a request aside if the walk may pass over it.
    pub(super) fn keep_late(&mut self, request: Request) {
        if !self.reads.has(|aim| matches!(aim, Aim::Walk(..))) {
            // The next read of the walk shows it.
            return;
        }
        if request.content.is_some() && self.late.len() < self.room.read_rows_max as usize {
            self.late.insert(request.id, request);
        } else {
            // The walk may have asked for the content, or there is no room: it reads once more.
            self.reads.forget(|aim| matches!(aim, Aim::Walk(..)));
        }
    }

    /// Adds to what a read of the walk has shown what it was too early to see, up to an id. What
    /// lies beyond is shown by the next read.
    pub(super) fn add_late(&mut self, rows: &mut Vec<Request>, scanned_to: RequestId) {
        let mut late = std::mem::take(&mut self.late);
        if late.is_empty() {
            return;
        }
        for row in rows.iter() {
            late.remove(&row.id);
        }
        rows.extend(late.into_values().filter(|row| row.id <= scanned_to));
        rows.sort_unstable_by_key(|row| row.id);
    }
}
