//! Requests in memory that a later read does not show any more: somebody else has finished them.

use super::Pump;
use super::buckets::Hand;
use super::reads::Asked;
use crate::request::{RequestId, Slot};
use crate::time::Now;

impl Pump {
    /// Lets go of what lies in a part (both ends included) that has been read, and is not among
    /// what was shown there.
    pub(super) fn let_go_absent(
        &mut self,
        now: Now,
        part: (RequestId, RequestId),
        shown: &[RequestId],
        asked: &Asked,
    ) {
        if part.0 > part.1 {
            return;
        }
        let is_absent = |id: &RequestId, slot: Slot, since: u64| {
            since < asked.since
                && shown.binary_search(id).is_err()
                && asked.slots.iter().any(|range| range.contains(slot))
        };
        let rows = self.rows.range(part.0..=part.1);
        let rows = rows.filter(|(id, row)| {
            row.is_idle()
                && is_absent(id, row.request.slot, row.since)
                && self.is_ours(row.request.slot, asked)
        });
        let rows: Vec<RequestId> = rows.map(|(id, _)| *id).collect();
        let blocked = self.blocked.range(part.0..=part.1);
        let blocked = blocked.filter(|(id, blocked)| {
            is_absent(id, blocked.slot, blocked.since) && self.is_ours(blocked.slot, asked)
        });
        let blocked: Vec<RequestId> = blocked.map(|(id, _)| *id).collect();
        self.forget_absent(part, shown, asked);
        for id in rows {
            if let Some(row) = self.take_out(id) {
                self.refresh(now, row.lane);
            }
        }
        for id in blocked {
            self.unblock(now, id);
        }
    }

    /// What is remembered to be counted, or because it cannot be read, is forgotten when it is not
    /// there any more.
    fn forget_absent(&mut self, part: (RequestId, RequestId), shown: &[RequestId], asked: &Asked) {
        let unreadable = self.unreadable.range(part.0..=part.1).map(|(id, slot)| (*id, *slot));
        let known = unreadable.chain(self.singles.part(part));
        let gone = known.filter(|(id, slot)| {
            shown.binary_search(id).is_err() && asked.slots.iter().any(|it| it.contains(*slot))
        });
        let gone: Vec<RequestId> = gone.map(|(id, _)| id).collect();
        for id in gone {
            self.unreadable.remove(&id);
            self.singles.remove(id);
        }
    }

    fn is_ours(&self, slot: Slot, asked: &Asked) -> bool {
        let bucket = self.buckets.held(slot).map(|(_, bucket)| bucket);
        bucket.is_some_and(|bucket| bucket.hand == Hand::Held && bucket.since < asked.since)
    }
}
