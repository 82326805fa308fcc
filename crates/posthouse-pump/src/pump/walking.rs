//! The walk over old ground, and the sweep, which is a slow walk over everything.

use super::Pump;
use super::reads::{Aim, Asked};
use super::withheld::View;
use crate::read::{Found, Span};
use crate::request::RequestId;
use crate::time::Now;

impl Pump {
    /// Begins a walk or a sweep, if one is wanted; whether one is under way.
    pub(super) fn is_walking(&mut self, now: Now) -> bool {
        if self.may_walk() && self.is_walk_idle() {
            self.withheld.begin_walk();
            self.reads.walk_at = now.mono_ms;
            self.take_ground();
        } else if self.withheld.walk.is_none() && now.mono_ms >= self.reads.sweep_at {
            let sight = self.withheld.begin_sweep(self.reads.sweep_from);
            if self.reads.sweep_from == RequestId::LOWEST {
                self.reads.sweep_sight = sight;
            }
            self.reads.walk_at = now.mono_ms;
        }
        self.withheld.walk.is_some()
    }

    /// Whether a walk is wanted, and there is room for what it brings, or it must be.
    pub(super) fn may_walk(&self) -> bool {
        self.withheld.is_walk_wanted() && (self.withheld.is_walk_needed() || self.walk_rows() > 0)
    }

    /// Whether no walk is under way. A sweep makes way, and goes on later from where it was.
    fn is_walk_idle(&mut self) -> bool {
        match &self.withheld.walk {
            Some(walk) if walk.is_sweep => {
                self.reads.sweep_from = walk.after;
                self.withheld.finish_walk();
                self.reads.forget(|aim| matches!(aim, Aim::Walk(..)));
                true
            }
            Some(_) => false,
            None => true,
        }
    }

    /// The walk that begins reads new buckets from the beginning.
    fn take_ground(&mut self) {
        let Some(walk) = self.withheld.walk.as_ref().filter(|walk| walk.start == RequestId::LOWEST)
        else {
            return;
        };
        let buckets = self.buckets.by_number.values_mut();
        for bucket in buckets.filter(|bucket| !bucket.is_caught_up) {
            bucket.walk = Some(walk.sight);
        }
    }

    /// Asks for the next part of the walk.
    pub(super) fn walk(&mut self, now: Now) {
        let Some(walk) = self.withheld.walk.clone() else { return };
        if walk.after >= self.high_water {
            return self.end_walk(now);
        }
        let rows_max = match self.walk_rows() {
            0 => self.room.read_rows_max,
            rows => rows,
        };
        let up_to = self.high_water;
        let span = Span::Again { after: walk.after, up_to };
        self.read(now, Aim::Walk(walk.sight, up_to), span, rows_max);
    }

    pub(super) fn found_again(
        &mut self,
        now: Now,
        mut found: Found,
        asked: &Asked,
        sight: u32,
        up_to: RequestId,
    ) {
        let Some(walk) = self.withheld.walk.as_ref().filter(|walk| walk.sight == sight) else {
            return;
        };
        let (after, is_sweep) = (walk.after, walk.is_sweep);
        let scanned_to = if found.has_more { found.scanned_to.max(after) } else { up_to };
        self.add_late(&mut found.rows, scanned_to);
        let shown: Vec<RequestId> = found.rows.iter().map(|row| row.id).collect();
        if is_sweep {
            // A source may have looked at many that it does not show.
            let rows = if found.has_more { self.room.read_rows_max as usize } else { shown.len() };
            let rows = rows.max(1) as u64;
            self.reads.walk_at = now.mono_ms + rows * 1_000 / self.pace.sweep_rows_per_s.max(1);
        }
        for row in found.rows {
            // Causes that end on the way must know what the walk has passed.
            self.withheld.pass(row.id);
            self.see(now, row, asked, View::Walk(sight));
        }
        self.let_go_absent(now, (after.first_after(), scanned_to), &shown, asked);
        if let Some(walk) = &mut self.withheld.walk {
            walk.after = scanned_to;
        }
        let must_rest = self.withheld.may_stop() && self.walk_rows() == 0;
        if scanned_to >= self.high_water || must_rest || self.withheld.is_walk_done() {
            self.end_walk(now);
        }
    }

    fn end_walk(&mut self, now: Now) {
        let Some(walk) = self.withheld.walk.as_ref() else { return };
        let is_complete = walk.after >= self.high_water;
        if walk.is_sweep {
            self.reads.sweep_from = RequestId::LOWEST;
            self.reads.sweep_at = now.mono_ms + self.pace.sweep_rest_ms;
        }
        let sight = walk.sight;
        // To look for them takes as long as there are keys, which a short walk is not worth.
        if is_complete && walk.until == RequestId(i64::MAX) {
            let (since, start) = match walk.is_sweep {
                true => (self.reads.sweep_sight, RequestId::LOWEST),
                false => (sight, walk.start),
            };
            self.withheld.drop_unseen(since, start);
        }
        self.withheld.finish_walk();
        if !is_complete {
            return;
        }
        let buckets = self.buckets.by_number.values_mut();
        for bucket in buckets.filter(|bucket| bucket.walk == Some(sight)) {
            bucket.is_caught_up = true;
        }
    }
}
