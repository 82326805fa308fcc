//! Looking into queues without taking anything.

use crate::client::Client;
use crate::history::{Mode, Subscribe};
use crate::workload::subscribe::{begin, plain};
use crate::workload::{Intent, Scene};

/// Draws a look into a queue.
pub fn sample(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    if client.consumers.values().any(|consumer| consumer.wish.browse) {
        return None;
    }
    let queues = scene.plan.queues();
    let to = scene.random.pick(&queues)?.clone();
    let wish = Subscribe { browse: true, mode: Mode::Auto, ..plain(scene, to) };
    Some(begin(client, scene, wish))
}
