//! The durable state in words, so that a living broker and one that was rebuilt from records can
//! be compared, and a difference can be read.

use crate::broker::Broker;
use crate::broker::place::Place;
use crate::ids::SubscriptionId;

impl Broker {
    /// One line for each destination, durable subscription and durable message, in a fixed order.
    pub fn durable_digest(&self) -> Vec<String> {
        let mut lines = vec![format!("run {}", self.run)];
        for (id, subscription) in &self.subscriptions {
            let selector = subscription.selector.as_ref().map_or("", |selector| selector.text());
            lines.push(format!(
                "subscription {} {}/{} to {} where {selector:?}",
                id.0, subscription.client, subscription.name, subscription.pattern
            ));
        }
        for place in self.places.values() {
            lines.push(format!("destination {} {}", place.id.0, place.name));
            for (subscription, backlog) in &place.backlogs {
                let up_to = backlog.dispatched_up_to;
                lines.push(format!("  backlog {} dispatched up to {up_to:x}", subscription.0));
            }
            digest_messages(place, &mut lines);
        }
        lines
    }
}

fn digest_messages(place: &Place, lines: &mut Vec<String>) {
    for (seq, entry) in place.log.iter().filter(|(_, entry)| entry.look.recorded()) {
        let holds = |(subscription, backlog): (&SubscriptionId, &super::backlog::Backlog)| {
            let lane = backlog.occupied().find(|(p, _)| *p == entry.look.priority())?.1;
            let attempts = backlog.recorded_attempts(seq);
            let (deliveries, failures) = (attempts.deliveries, attempts.failures);
            let mark = format!("{}:{deliveries}/{failures}", subscription.0);
            lane.pending.contains(seq).then_some(mark)
        };
        let waiting: Vec<String> = place.backlogs.iter().filter_map(holds).collect();
        if waiting.is_empty() {
            continue;
        }
        // What is only in the store has been compared while it was in memory.
        let content = entry.body.map(|body| body.message.content());
        let sum = content.map_or(0, |content| checksum(content));
        lines.push(format!(
            "  message {seq:x} waits in [{}] expires {} bytes {} sum {sum:08x} from {:?}",
            waiting.join(" "),
            entry.look.expires_ms(),
            entry.look.bytes(),
            entry.look.provenance().map(|p| (p.first_id, p.reason)),
        ));
    }
}

/// FNV-1a: enough to tell contents apart in a comparison, and in no need to be more.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
