//! Sending: to queues and topics, persistent or not, with priorities, expiry, labels and numbers.

use posthouse_core::refusal::Code;

use crate::client::Client;
use crate::history::{Call, Send, Target};
use crate::workload::{Intent, Scene};

/// A full destination may refuse, at once or after a wait.
pub const REFUSALS: &[Code] = &[Code::DestinationFull, Code::BlockedTooLong];

/// Labels that selectors select by: 0 up to, not including, this.
pub const LABELS: u64 = 3;

/// The usual priority.
const PRIORITY: u8 = 4;

/// Draws a message.
pub fn sample(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    let to = destination(scene)?;
    let is_numbered = scene.plan.dedup && client.id.is_multiple_of(2);
    let send = Send {
        key: scene.key(),
        to,
        persistent: scene.random.chance(75),
        priority: priority(scene),
        expires_ms: expiry(scene),
        label: scene.random.below(LABELS) as u32,
        dedup: is_numbered.then_some((u64::from(client.id), client.next_number)),
        transaction: in_transaction(client, scene),
    };
    client.next_number += 1;
    if is_numbered {
        client.numbered.insert(send.key, send.clone());
    }
    if send.transaction.is_some()
        && let Some(transaction) = &mut client.transaction
    {
        transaction.keys.push(send.key);
        transaction.steps += 1;
    }
    let receipt = scene.random.chance(if is_numbered { 95 } else { 60 });
    Some(Intent::Ask { call: Call::Send(send), receipt, handle: 0 })
}

/// A numbered message that was not confirmed is sent again, in order, before anything else.
pub fn again(client: &mut Client) -> Option<Intent> {
    let (key, send) = client.unconfirmed.pop_first()?;
    let send = Send { transaction: None, ..send };
    client.numbered.insert(key, send.clone());
    Some(Intent::Ask { call: Call::Send(send), receipt: true, handle: 0 })
}

fn destination(scene: &mut Scene<'_>) -> Option<Target> {
    let mut choices = scene.plan.queues();
    choices.extend(scene.plan.topics());
    choices.push(scene.plan.lonely_queue());
    choices.push(scene.plan.automatic_queue());
    scene.random.pick(&choices).cloned()
}

fn priority(scene: &mut Scene<'_>) -> u8 {
    if scene.random.chance(80) { PRIORITY } else { scene.random.below(10) as u8 }
}

/// Mostly never; sometimes soon; and now and then long ago, as with a message that its producer
/// could not get rid of in time.
fn expiry(scene: &mut Scene<'_>) -> u64 {
    if !scene.plan.expiry || !scene.random.chance(25) {
        return 0;
    }
    if scene.random.chance(15) {
        return scene.now_ms.saturating_sub(scene.random.between(1, 30_000)).max(1);
    }
    scene.now_ms + scene.random.between(10, 3_000)
}

fn in_transaction(client: &Client, scene: &mut Scene<'_>) -> Option<u64> {
    let transaction = client.transaction.as_ref()?;
    scene.random.chance(80).then_some(transaction.id)
}
