//! How much memory each endpoint may take, and how much may be read for that reason.
//!
//! New ground and old ground are read only as far as there is room for what they may bring, so
//! that a deep backlog is read once and not again and again. While one endpoint stands still with
//! its share used up, reading goes on for the others; what it brings for the one is withheld, and
//! walked over again when a good part of its share is free.

use std::sync::Arc;

use super::Pump;
use super::withheld::{Cause, View};
use crate::request::RequestId;

impl Pump {
    /// Whether one more request for an endpoint would take more memory than is its share. The
    /// share shrinks as memory fills, so that endpoints that stand still always leave some to the
    /// others.
    pub(super) fn is_share_used(&self, endpoint: &str, view: View) -> bool {
        let rows_free = self.room.resident_max.saturating_sub(self.rows.len());
        let bytes_free = self.room.resident_bytes_max.saturating_sub(self.bytes);
        // What was in memory before, and what follows it in its key, goes before what is new.
        let part = if matches!(view, View::Key(_) | View::Single) { 2 } else { 1 };
        self.stations
            .get(endpoint)
            .is_some_and(|it| it.rows >= part * rows_free || it.bytes >= part * bytes_free)
    }

    /// Whether a request that comes into sight must wait for want of memory, or behind those that
    /// have waited for it longer. What is seen without its content was seen because others wait.
    pub(super) fn is_kept_out(&self, endpoint: &Arc<str>, view: View, has_content: bool) -> bool {
        let has_come_last = view == View::Forward || !has_content;
        self.is_share_used(endpoint, view) || (has_come_last && self.is_overfull(endpoint))
    }

    /// Whether some of an endpoint's requests are withheld for want of memory.
    pub(super) fn is_overfull(&self, endpoint: &Arc<str>) -> bool {
        self.withheld.knows(&Cause::EndpointFull(endpoint.clone()))
    }

    /// Ends what is withheld only for lack of memory, where there is a good part of it again.
    pub(super) fn use_memory(&mut self) {
        if self.full.is_empty() && !self.is_blocked_full {
            return;
        }
        let rows_free = self.room.resident_max.saturating_sub(self.rows.len());
        let bytes_free = self.room.resident_bytes_max.saturating_sub(self.bytes);
        let stations = &self.stations;
        let has_room = |name: &Arc<str>| {
            let station = stations.get(name);
            station.is_none_or(|it| it.rows * 2 < rows_free && it.bytes * 2 < bytes_free)
        };
        let drained: Vec<Arc<str>> =
            self.full.iter().filter(|name| has_room(name)).cloned().collect();
        for name in drained {
            self.full.remove(&name);
            self.withheld.end(&Cause::EndpointFull(name));
        }
        if self.is_blocked_full && self.blocked.len() * 2 < self.room.blocked_max {
            self.is_blocked_full = false;
            self.withheld.end(&Cause::BlockedFull);
        }
    }

    /// How many rows of new ground may be read now; 0 if no endpoint has room for more than a few.
    pub(super) fn forward_rows(&self) -> u32 {
        self.rows_wanted(|pump, name| pump.is_overfull(name))
    }

    /// The same of old ground.
    pub(super) fn walk_rows(&self) -> u32 {
        self.rows_wanted(|pump, name| pump.full.contains(name))
    }

    /// Whether an endpoint has room for another lane's worth.
    pub(super) fn has_room_for_lane(&self, head: RequestId) -> bool {
        let name = self.rows.get(&head).and_then(|row| row.endpoint.as_ref());
        name.is_none_or(|name| self.room_at(name) >= self.room.lane_max.min(self.least_rows()))
    }

    /// What the endpoint with the most room can take, leaving out some.
    fn rows_wanted(&self, is_left_out: impl Fn(&Pump, &Arc<str>) -> bool) -> u32 {
        let page = self.room.read_rows_max as usize;
        let mut most = if self.rules.endpoints.is_empty() { page } else { 0 };
        for name in &self.rules.endpoints {
            if most < page && !is_left_out(self, name) {
                most = most.max(self.room_at(name));
            }
        }
        if most < self.least_rows() { 0 } else { u32::try_from(most.min(page)).unwrap_or(1) }
    }

    /// Fewer than so many are not worth a read.
    fn least_rows(&self) -> usize {
        (self.room.read_rows_max as usize).min(self.room.resident_max / 16).max(1)
    }

    /// How many more requests an endpoint may have in memory, if nothing else comes.
    fn room_at(&self, name: &Arc<str>) -> usize {
        let Some(station) = self.stations.get(name) else { return 0 };
        if station.bytes >= self.room.resident_bytes_max.saturating_sub(self.bytes) {
            return 0;
        }
        let free = self.room.resident_max.saturating_sub(self.rows.len());
        free.saturating_sub(station.rows).div_ceil(2)
    }
}
