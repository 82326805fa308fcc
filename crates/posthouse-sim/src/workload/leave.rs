//! Going away in good order, just going away, and not reading for a while.

use crate::client::Client;
use crate::workload::{Intent, Scene};

/// How a client goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaving {
    /// It says goodbye and waits for the answer.
    Politely,
    /// It closes its end; what it has sent still arrives.
    Closing,
    /// It is gone, and what it has sent may be lost.
    Vanishing,
}

/// Longest time without reading, in milliseconds.
const STALL_MS_MAX: u64 = 3_000;

/// Draws a leave or a stall.
pub fn sample(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    if scene.plan.stalls && scene.random.chance(50) {
        return Some(Intent::Stall(scene.now_ms + scene.random.between(50, STALL_MS_MAX)));
    }
    if client.open_len() > 3 && scene.random.chance(50) {
        return None;
    }
    Some(Intent::Leave(how(scene)))
}

/// Draws how to go away.
pub fn how(scene: &mut Scene<'_>) -> Leaving {
    match scene.random.below(3) {
        0 => Leaving::Politely,
        1 => Leaving::Closing,
        _ => Leaving::Vanishing,
    }
}
