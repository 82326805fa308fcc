//! What one turn may do is bounded, and shared out.

use std::sync::Arc;

use crate::broker::Broker;
use crate::command::{AckMode, Applied, Command, Send, Subscribe};
use crate::destination::{Kind, Pattern};
use crate::effect::Effect;
use crate::ids::{DestinationId, HolderId};
use crate::limits::BACKLOGS_MAX;
use crate::message::{Envelope, EnvelopeHead};
use crate::property::PropertyWriter;
use crate::refusal::Code;
use crate::selector::{Selector, Strings};
use crate::time::Now;

const NOW: Now = Now { wall_ms: 1_000, mono_ms: 1_000 };

struct Crowd {
    broker: Broker,
    holder: HolderId,
    queue: DestinationId,
}

impl Crowd {
    /// A queue with `messages`, none of which has any property.
    fn before(messages: usize) -> Crowd {
        let mut broker = Broker::default();
        let Ok(Applied::Holder(holder)) = broker.apply(NOW, Command::Attach { client: None })
        else {
            panic!("nobody can attach")
        };
        let resolve = Command::Resolve { kind: Kind::Queue, path: "q".into() };
        let Ok(Applied::Destination(queue)) = broker.apply(NOW, resolve) else {
            panic!("there is no queue")
        };
        let mut crowd = Crowd { broker, holder, queue };
        (0..messages).for_each(|_| crowd.send(queue, b""));
        crowd
    }

    fn send(&mut self, destination: DestinationId, body: &[u8]) {
        let head = EnvelopeHead::default();
        let message = Arc::new(Envelope::new(head, PropertyWriter::default(), body));
        let (holder, transaction, receipt) = (self.holder, None, None);
        let send = Send { holder, destination, message, transaction, receipt };
        self.broker.apply(NOW, Command::Send(send)).expect("there is room");
    }

    fn subscribe(&mut self, selector: Option<&str>, browse: bool) {
        self.subscribe_to(Kind::Queue, selector, browse);
    }

    fn subscribe_to(&mut self, kind: Kind, selector: Option<&str>, browse: bool) {
        let parse = |text| Selector::parse(text, Strings::Strict).expect("a selector");
        let wish = Subscribe {
            holder: self.holder,
            target: Pattern::new(kind, "q").expect("a pattern"),
            ack: AckMode::Individual,
            selector: selector.map(parse),
            prefetch: 1_000,
            browse,
            durable: None,
            no_local: false,
            receipt: None,
        };
        self.broker.apply(NOW, Command::Subscribe(Box::new(wish))).expect("a subscription");
    }

    /// How many messages and ends of browsing one turn hands out.
    fn turn(&mut self) -> (usize, usize) {
        self.broker.dispatch(NOW);
        let effects: Vec<Effect> = self.broker.take_emissions().map(|e| e.effect).collect();
        let count = |wanted: fn(&Effect) -> bool| effects.iter().filter(|e| wanted(e)).count();
        let delivered = count(|effect| matches!(effect, Effect::Deliver(_)));
        (delivered, count(|effect| matches!(effect, Effect::BrowseEnd { .. })))
    }
}

#[test]
fn a_selector_that_takes_nothing_holds_nobody_up() {
    let mut crowd = Crowd::before(10_000);
    crowd.subscribe(Some("n = 1"), false);
    crowd.subscribe(None, false);
    let (delivered, _) = crowd.turn();
    assert!(delivered >= 10, "{delivered} messages in the first turn");
    while crowd.broker.has_work(NOW) {
        crowd.turn();
    }
    let stats = crowd.broker.destinations(None, usize::MAX);
    let found = stats.iter().find(|stats| stats.id == crowd.queue).expect("the queue");
    assert_eq!(found.unacknowledged, 1_000);
}

#[test]
fn browsers_share_the_work_of_a_turn_and_keep_no_queue_waiting() {
    let mut crowd = Crowd::before(1_000);
    for _ in 0..100 {
        crowd.subscribe(Some("n = 1"), true);
    }
    crowd.subscribe(None, false);
    let (delivered, mut ended) = crowd.turn();
    assert_eq!(delivered, 1_000, "the queue has a turn of its own");
    assert!(ended < 10, "{ended} browsers had read everything in one turn");
    while crowd.broker.has_work(NOW) {
        ended += crowd.turn().1;
    }
    assert_eq!(ended, 100);
}

#[test]
fn many_subscriptions_of_one_holder_are_not_handed_everything_at_once() {
    let mut crowd = Crowd::before(0);
    (0..100).for_each(|_| crowd.subscribe_to(Kind::Topic, None, false));
    let resolve = Command::Resolve { kind: Kind::Topic, path: "q".into() };
    let Ok(Applied::Destination(topic)) = crowd.broker.apply(NOW, resolve) else {
        panic!("there is no topic")
    };
    crowd.send(topic, &vec![b'x'; 1 << 20]);
    let (mut delivered, _) = crowd.turn();
    assert!(delivered <= 8, "{delivered} messages before the front could say that it is enough");
    while crowd.broker.has_work(NOW) {
        delivered += crowd.turn().0;
    }
    assert_eq!(delivered, 100);
    assert_eq!(crowd.broker.stats().messages, 0);
}

#[test]
fn a_browser_does_not_follow_those_who_send() {
    let mut crowd = Crowd::before(1);
    crowd.subscribe(None, true);
    (0..5_000).for_each(|_| crowd.send(crowd.queue, b""));
    assert_eq!(crowd.turn(), (1, 1), "what it was to see, and the end");
}

#[test]
fn durable_subscriptions_to_patterns_do_not_multiply_without_end() {
    const SIDE: usize = 500;
    assert_eq!(SIDE * SIDE, BACKLOGS_MAX);
    let mut broker = Broker::default();
    let attach = Command::Attach { client: Some("c".into()) };
    let Ok(Applied::Holder(holder)) = broker.apply(NOW, attach) else {
        panic!("nobody can attach")
    };
    let topic =
        |number: usize| Command::Resolve { kind: Kind::Topic, path: format!("t.{number}").into() };
    let durable = |number: usize| Subscribe {
        holder,
        target: Pattern::new(Kind::Topic, "t.*").expect("a pattern"),
        ack: AckMode::Auto,
        selector: None,
        prefetch: 1,
        browse: false,
        durable: Some(format!("d{number}").into()),
        no_local: false,
        receipt: None,
    };
    for number in 0..SIDE {
        broker.apply(NOW, topic(number)).expect("a topic");
    }
    for number in 0..SIDE {
        let subscribe = Command::Subscribe(Box::new(durable(number)));
        broker.apply(NOW, subscribe).expect("a subscription");
    }
    for beyond in [topic(SIDE), Command::Subscribe(Box::new(durable(SIDE)))] {
        let refusal = broker.apply(NOW, beyond).expect_err("one is too many");
        assert_eq!(refusal.code, Code::LimitReached);
    }
}
