//! Sessions fed with broken conversations: whatever comes, nothing panics, no other session is
//! harmed, and nothing of the broken one stays behind.

use std::sync::Arc;

use posthouse_core::driver::Driver;
use posthouse_core::policy::Policies;
use posthouse_core::time::Now;
use posthouse_store::memory::MemoryStore;

use crate::fuzz::xorshift;
use crate::stomp::session::{Session, SessionConfig};

/// Conversations to start from: together they use every command and most headers.
const CORPUS: [&str; 4] = [
    "CONNECT\naccept-version:1.2\nclient-id:c\nheart-beat:5,5\n\n\0SUBSCRIBE\nid:1\n\
     destination:/queue/q\nack:client\nprefetch-count:2\n\n\0SEND\ndestination:/queue/q\n\
     receipt:1\npersistent:true\n\none\0SEND\ndestination:/queue/q\n\ntwo\0ACK\nid:1-1\n\n\0\
     NACK\nid:1-2\nrequeue:true\n\n\0DISCONNECT\nreceipt:2\n\n\0",
    "CONNECT\naccept-version:1.1\nclient-id:d\n\n\0SUBSCRIBE\nid:1\ndestination:/topic/t.>\n\
     activemq.subscriptionName:d\nselector:n > 5 AND colour = 'red'\n\n\0SEND\n\
     destination:/topic/t.x\nn:7\ncolour:red\npriority:9\nexpires:9999999999999\n\none\0\
     UNSUBSCRIBE\nid:1\nactivemq.subscriptionName:d\n\n\0",
    "CONNECT\n\n\0BEGIN\ntransaction:t\n\n\0SUBSCRIBE\ndestination:/queue/a.*\nack:client\n\n\0\
     SEND\ndestination:/queue/a.b\ntransaction:t\n\none\0COMMIT\ntransaction:t\n\n\0ACK\n\
     message-id:posthouse-0-1-100000000000\n\n\0BEGIN\ntransaction:t\n\n\0ABORT\n\
     transaction:t\n\n\0",
    "STOMP\naccept-version:1.2\n\n\0SEND\ndestination:/queue/q\ncontent-length:3\n\na\0b\0\
     SUBSCRIBE\nid:b\ndestination:/queue/q\nbrowser:true\n\n\0SEND\ndestination:/queue/q\n\
     posthouse-producer:ff\nposthouse-seq:1\n\nx\0SUBSCRIBE\nid:c\ndestination:/queue/DLQ.q\n\
     durable:true\n\n\0",
];

/// Feeds `data` to one session in pieces, beside another one that must go on working.
fn fuzz_one(data: &[u8]) {
    let now = Now::at(1_000_000);
    let store = Box::new(MemoryStore::default());
    let mut driver = Driver::new(Policies::default(), store, now).expect("an empty store");
    let config = Arc::new(SessionConfig::default());
    let mut witness = Session::new(config.clone(), now);
    witness.on_bytes(now, b"CONNECT\naccept-version:1.2\n\n\0", &mut driver);
    let mut session = Session::new(config, now);
    for piece in data.chunks(37) {
        session.on_bytes(now, piece, &mut driver);
        run(now, &mut driver, [&mut session, &mut witness]);
    }
    session.on_closed(now, &mut driver);
    witness.on_bytes(now, b"SEND\ndestination:/queue/w\nreceipt:w\n\nw\0", &mut driver);
    run(now, &mut driver, [&mut session, &mut witness]);
    let stats = driver.broker().stats();
    assert_eq!((stats.holders, stats.consumers, stats.transactions), (1, 0, 0));
    assert!(!witness.is_closing(), "one connection's fault ends no other");
}

/// Runs turns until nothing is left to do, with peers that read everything.
fn run(now: Now, driver: &mut Driver, mut sessions: [&mut Session; 2]) {
    loop {
        driver.turn(now);
        let mut is_quiet = !driver.has_work(now);
        while let Some((holder, effect)) = driver.next_effect() {
            is_quiet = false;
            let found = sessions.iter_mut().find(|session| session.holder() == Some(holder));
            if let Some(session) = found {
                session.on_effect(now, effect, driver);
            }
        }
        for session in &mut sessions {
            let bytes = session.output().len();
            is_quiet &= bytes == 0;
            session.on_written(now, bytes, driver);
        }
        if is_quiet {
            return;
        }
    }
}

#[test]
fn broken_conversations_harm_nobody() {
    let mut state = 0x5eed;
    let mut random = || xorshift(&mut state);
    for round in 0..50_000 {
        let seed = CORPUS[round % CORPUS.len()].as_bytes();
        let mut data = seed.to_vec();
        for _ in 0..random() % 4 {
            mutate(&mut data, &mut random);
        }
        fuzz_one(&data);
    }
}

fn mutate(data: &mut Vec<u8>, random: &mut impl FnMut() -> u64) {
    if data.is_empty() {
        return;
    }
    let at = random() as usize % data.len();
    let other = random() as usize % data.len();
    match random() % 6 {
        0 => data[at] = random() as u8,
        1 => drop(data.remove(at)),
        2 => data.insert(at, b"\n:\0-0/"[random() as usize % 6]),
        3 => data.truncate(at),
        4 => data.extend_from_within(at.min(other)..at.max(other)),
        _ => drop(data.drain(at.min(other)..at.max(other))),
    }
}
