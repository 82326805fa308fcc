//! What those do who only consume: watchers, who stay on topics to the end, and drainers, who come
//! when all is over.

use crate::client::{Client, Role};
use crate::history::{Durable, Mode, Subscribe, Target, Verdict, Wants};
use crate::workload::subscribe::{begin, durable_wish, plain};
use crate::workload::{Intent, Scene, settle};

/// What a watcher does: it subscribes once and acknowledges what comes.
pub fn watch(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    if client.consumers.is_empty() {
        let choices = [Target::topic("news.>"), Target::topic("news.home")];
        let to = scene.random.pick(&choices)?.clone();
        let mode = if scene.random.chance(50) { Mode::Auto } else { Mode::Individual };
        let wish = Subscribe { mode, prefetch: 50, ..plain(scene, to) };
        return Some(begin(client, scene, wish));
    }
    settle::settle(client, scene, Verdict::Ack)
}

/// What a drainer or a sitter does next: its errands first. A drainer acknowledges then, and at
/// first turns a little down; a sitter sits.
pub fn next_errand(client: &mut Client, scene: &mut Scene<'_>, is_late: bool) -> Option<Intent> {
    if let Some(wish) = client.errands.pop() {
        return Some(begin(client, scene, wish));
    }
    if client.role == Role::Sitter {
        return None;
    }
    let verdict = match scene.random.below(40) {
        0 if !is_late => Verdict::Reject,
        1 if !is_late => Verdict::Requeue,
        _ => Verdict::Ack,
    };
    settle::settle(client, scene, verdict)
}

/// What it takes to empty everything: all queues, either by one consumer or by selective ones
/// that only together want everything; or one durable subscription.
pub fn errand(scene: &mut Scene<'_>, durable: Option<&Durable>) -> Vec<Subscribe> {
    if let Some(durable) = durable {
        return durable_wish(scene, durable).into_iter().collect();
    }
    let everything = Target::queue(">");
    let shares = if scene.random.chance(50) {
        vec![Wants::All]
    } else {
        vec![Wants::Label(0), Wants::Not(0), Wants::Label(99)]
    };
    let wish = |wants| Subscribe { wants, prefetch: 10, ..plain(scene, everything.clone()) };
    shares.into_iter().map(wish).collect()
}
