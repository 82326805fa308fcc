//! Transactions: what is sent and settled while one is open may be part of it.

use crate::client::{Client, Transacting};
use crate::history::{Call, Transacted};
use crate::workload::{Intent, Scene};

/// Steps after which a transaction ends for certain.
const STEPS_MAX: u32 = 12;

/// Draws a beginning.
pub fn sample_begin(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    if !scene.plan.transactions || client.transaction.is_some() {
        return None;
    }
    let id = scene.transaction();
    client.transaction = Some(Transacting { id, ..Transacting::default() });
    let receipt = scene.random.chance(20);
    Some(Intent::Ask { call: Call::Transact(id, Transacted::Begin), receipt, handle: 0 })
}

/// Draws an end: mostly a commit.
pub fn sample_end(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    let transaction = client.transaction.as_ref()?;
    let is_ripe = transaction.steps >= STEPS_MAX || scene.random.chance(60);
    is_ripe.then(|| end(client, scene))?
}

/// Ends the open transaction.
pub fn end(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    let transaction = client.transaction.clone()?;
    let is_commit = scene.random.chance(70);
    client.end_transaction(is_commit);
    if !is_commit {
        transaction.keys.iter().for_each(|key| drop(client.numbered.remove(key)));
    }
    let step = if is_commit { Transacted::Commit } else { Transacted::Abort };
    let receipt = scene.random.chance(70);
    Some(Intent::Ask { call: Call::Transact(transaction.id, step), receipt, handle: 0 })
}
