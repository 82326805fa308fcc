//! Settling: acknowledging one or all so far, and turning down.

use crate::client::{Client, Consuming, Open};
use crate::history::{Call, Mode, Settle, Verdict};
use crate::random::Random;
use crate::workload::{Intent, Scene};

/// Draws a word about a delivery that is open.
pub fn sample(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    let verdict = verdict(scene.random);
    settle(client, scene, verdict)
}

/// Says `verdict` about a random open delivery.
pub fn settle(client: &mut Client, scene: &mut Scene<'_>, verdict: Verdict) -> Option<Intent> {
    let holding = client.consumers.iter().filter(|(_, consumer)| !consumer.open.is_empty());
    let holding: Vec<u64> = holding.map(|(id, _)| *id).collect();
    let id = *scene.random.pick(&holding)?;
    let in_transaction = scene.random.chance(60);
    let transaction = client.transaction.as_mut().filter(|_| in_transaction);
    let consumer = client.consumers.get_mut(&id)?;
    let named = *scene.random.pick(&consumer.open)?;
    let settled = take(consumer, named, verdict);
    let transaction = transaction.map(|transaction| {
        consumer.staged.extend(settled);
        transaction.steps += 1;
        transaction.id
    });
    let settle = Settle { consumer: id, number: named.number, verdict, transaction };
    let receipt = scene.random.chance(60);
    Some(Intent::Ask { call: Call::Settle(settle), receipt, handle: named.handle })
}

/// Takes out of the open deliveries what a word about one of them settles.
fn take(consumer: &mut Consuming, named: Open, verdict: Verdict) -> Vec<Open> {
    let is_cumulative = consumer.wish.mode == Mode::Cumulative && verdict == Verdict::Ack;
    let is_meant =
        |open: &Open| open.number == named.number || is_cumulative && open.number < named.number;
    let settled: Vec<Open> = consumer.open.iter().copied().filter(is_meant).collect();
    consumer.open.retain(|open| !is_meant(open));
    settled
}

fn verdict(random: &mut Random) -> Verdict {
    const VERDICTS: [Verdict; 4] =
        [Verdict::Ack, Verdict::Reject, Verdict::Requeue, Verdict::DeadLetter];
    let index = random.weighted(&[85, 5, 7, 3]);
    VERDICTS.get(index).copied().unwrap_or(Verdict::Ack)
}
