//! What the records that only checkpoints have do to the state.

use crate::broker::Broker;
use crate::broker::log::{Facts, PAGE_LEN};
use crate::message::SIZE_UNIT_BYTES;
use crate::record::{KeptMessage, KeptPage, WaitingPages};

impl Broker {
    pub(in crate::broker) fn restore_page(&mut self, page: &KeptPage) {
        let place = self.places.get_mut(&page.destination).expect("pages name what is there");
        for message in &page.messages {
            self.messages += 1;
            self.bytes += u64::from(message.units) * SIZE_UNIT_BYTES as u64;
            if message.expires_ms != 0 {
                let seq = page.number * PAGE_LEN + u64::from(message.index);
                self.expiring.insert((message.expires_ms, page.destination, seq));
            }
        }
        let messages = page.messages.iter().map(|message| (message.index, facts_of(message)));
        place.log.insert_page(page.number, messages);
    }

    pub(in crate::broker) fn restore_waiting(&mut self, waiting: &WaitingPages) {
        let key = waiting.backlog;
        let backlog = self.backlog_mut(key).expect("checkpoints define what waits");
        backlog.add_pages(waiting.priority, &waiting.pages);
    }
}

fn facts_of(message: &KeptMessage) -> Facts {
    Facts {
        bytes: message.units * SIZE_UNIT_BYTES as u32,
        priority: message.priority,
        persistent: message.persistent,
        recorded: true,
        expires_ms: message.expires_ms,
        waiting: message.waiting,
        locator: message.locator,
        provenance: message.provenance.clone(),
    }
}
