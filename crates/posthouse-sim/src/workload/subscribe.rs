//! Subscribing in every mode, to queues, topics and patterns, durably and not; unsubscribing; and
//! deleting durable subscriptions.

use posthouse_core::refusal::Code;

use crate::client::{Client, Consuming};
use crate::history::{Call, Durable, Kind, Mode, Subscribe, Target, Wants};
use crate::random::Random;
use crate::workload::send::LABELS;
use crate::workload::{Intent, Scene};

/// The client's own earlier connection may still hold the durable subscription.
pub const REFUSALS: &[Code] = &[Code::SubscriptionInUse];

/// The subscription may be in use, or may be gone.
pub const FORGET_REFUSALS: &[Code] = &[Code::SubscriptionInUse, Code::SubscriptionUnknown];

/// Consumers of one client at most.
const CONSUMERS_MAX: usize = 4;

/// Credits that consumers ask for.
const PREFETCHES: [u32; 5] = [1, 2, 5, 20, 1_000];

/// Durable subscriptions: name, topics, and what is selected.
const DURABLES: [(&str, &str, Wants); 4] = [
    ("everything", "news.>", Wants::All),
    ("home", "news.home", Wants::Not(0)),
    ("one", "news.*", Wants::Label(1)),
    ("full", "slow.full", Wants::All),
];

/// Draws a consumer.
pub fn sample(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    if client.consumers.len() >= CONSUMERS_MAX {
        return None;
    }
    let wish = match scene.random.weighted(&[50, 15, 20]) {
        0 => queue(client, scene),
        1 => topic(scene),
        _ => durable(client, scene),
    }?;
    Some(begin(client, scene, wish))
}

/// Begins a consumer.
pub fn begin(client: &mut Client, scene: &mut Scene<'_>, wish: Subscribe) -> Intent {
    let consuming =
        Consuming { wish: wish.clone(), received: 0, open: Vec::new(), staged: Vec::new() };
    client.consumers.insert(wish.consumer, consuming);
    let receipt = scene.random.chance(80);
    Intent::Ask { call: Call::Subscribe(wish), receipt, handle: 0 }
}

fn queue(client: &Client, scene: &mut Scene<'_>) -> Option<Subscribe> {
    let mut choices = scene.plan.queues();
    choices.extend([Target::queue("a.*"), scene.plan.automatic_queue()]);
    if client.id == 1 {
        choices.push(scene.plan.lonely_queue());
    }
    let to = scene.random.pick(&choices)?.clone();
    let is_automatic = to == scene.plan.automatic_queue();
    let is_taken = client.consumers.values().any(|consumer| consumer.wish.to == to);
    let mode = if is_automatic { Mode::Auto } else { acknowledging(scene.random) };
    (!is_taken).then(|| Subscribe { mode, wants: wants(scene), ..plain(scene, to) })
}

fn topic(scene: &mut Scene<'_>) -> Option<Subscribe> {
    let mut choices = scene.plan.topics();
    choices.push(Target::topic("news.*"));
    let to = scene.random.pick(&choices)?.clone();
    let modes = [Mode::Auto, Mode::Cumulative, Mode::Individual];
    let mode = *scene.random.pick(&modes)?;
    let no_local = scene.random.chance(20);
    let wish = Subscribe { mode, no_local, wants: wants(scene), ..plain(scene, to) };
    scene.plan.topics.then_some(wish)
}

fn durable(client: &Client, scene: &mut Scene<'_>) -> Option<Subscribe> {
    let name = client.name.clone().filter(|_| scene.plan.topics)?;
    let (subscription, path, wants) = *scene.random.pick(&DURABLES)?;
    let durable = Some(Durable { client: name, name: subscription.to_owned() });
    let is_taken = client.consumers.values().any(|consumer| consumer.wish.durable == durable);
    let mode = acknowledging(scene.random);
    (!is_taken).then(|| Subscribe { mode, wants, durable, ..plain(scene, Target::topic(path)) })
}

/// The wish of everybody who asks for nothing in particular.
pub fn plain(scene: &mut Scene<'_>, to: Target) -> Subscribe {
    Subscribe {
        consumer: scene.consumer(),
        to,
        mode: Mode::Individual,
        prefetch: scene.random.pick(&PREFETCHES).copied().unwrap_or(1),
        wants: Wants::All,
        browse: false,
        durable: None,
        no_local: false,
    }
}

fn acknowledging(random: &mut Random) -> Mode {
    if random.chance(50) { Mode::Individual } else { Mode::Cumulative }
}

fn wants(scene: &mut Scene<'_>) -> Wants {
    if !scene.plan.selectors || !scene.random.chance(50) {
        return Wants::All;
    }
    let label = scene.random.below(LABELS) as u32;
    if scene.random.chance(50) { Wants::Label(label) } else { Wants::Not(label) }
}

/// Draws the end of a consumer. What it has open goes back.
pub fn sample_end(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    let all: Vec<u64> = client.consumers.keys().copied().collect();
    let consumer = *scene.random.pick(&all)?;
    client.consumers.remove(&consumer);
    let receipt = scene.random.chance(60);
    Some(Intent::Ask { call: Call::Unsubscribe(consumer), receipt, handle: 0 })
}

/// Draws the deletion of a durable subscription that the client does not consume from.
pub fn sample_forget(client: &mut Client, scene: &mut Scene<'_>) -> Option<Intent> {
    let name = client.name.clone().filter(|_| scene.plan.topics)?;
    let (subscription, ..) = *scene.random.pick(&DURABLES)?;
    let durable = Durable { client: name, name: subscription.to_owned() };
    let mut consumers = client.consumers.values();
    let is_taken = consumers.any(|consumer| consumer.wish.durable.as_ref() == Some(&durable));
    let call = Call::Forget(durable);
    (!is_taken).then_some(Intent::Ask { call, receipt: true, handle: 0 })
}

/// What a drainer asks for to empty a durable subscription, if there is one of that name.
pub fn durable_wish(scene: &mut Scene<'_>, durable: &Durable) -> Option<Subscribe> {
    let found = DURABLES.iter().find(|(name, ..)| *name == durable.name);
    let (_, path, wants) = *found?;
    let to = Target { kind: Kind::Topic, path: path.into() };
    Some(Subscribe { wants, prefetch: 50, durable: Some(durable.clone()), ..plain(scene, to) })
}
