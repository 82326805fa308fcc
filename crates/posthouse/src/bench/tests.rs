//! The generator against its own bare loop, and its frames against the decoder.

use std::time::Duration;

use posthouse_wire::stomp::{Command, Decoded, Decoder, FrameLimits, Version};
use serde_json::Value;

use super::plan::{Ack, Plan, Shape};
use super::run::measure_bare;
use super::stamp::Stamp;
use super::template::{Form, Template, read_receipt};

fn plan(shape: Shape, consumers: usize) -> Plan {
    Plan {
        shape,
        producers: 1,
        consumers,
        destinations: 1,
        body_bytes: 64,
        is_persistent: false,
        window: None,
        rate: None,
        outstanding: 1_000,
        ack: Ack::Auto,
        prefetch: None,
        warmup: Duration::from_millis(10),
        duration: Duration::from_millis(100),
    }
}

fn check_bare(plan: &Plan) {
    let report = measure_bare(plan).expect("the loop works");
    let figure = |name: &str| report.get(name).and_then(Value::as_u64);
    assert!(figure("received_per_s").is_some_and(|rate| rate > 0), "{report:?}");
    for name in ["lost", "duplicated", "misordered", "redelivered"] {
        assert_eq!(figure(name), Some(0), "{name}");
    }
    assert_eq!(report.get("latency_us.p50").is_some(), plan.rate.is_some());
    assert_eq!(report.get("generator_lag_us.p99").is_some(), plan.rate.is_some());
}

#[test]
fn what_the_bare_loop_passes_on_is_complete() {
    check_bare(&plan(Shape::Queue, 1));
    check_bare(&plan(Shape::Topic, 5));
    check_bare(&Plan { rate: Some(2_000), ..plan(Shape::Queue, 1) });
    check_bare(&Plan { outstanding: 1, body_bytes: 0, ..plan(Shape::Queue, 1) });
}

#[test]
fn frames_carry_their_numbers() {
    let form =
        Form { destination: "/queue/a:b", body_bytes: 100, is_persistent: true, has_receipt: true };
    let template = Template::send(&form).expect("it can be written");
    let stamp = Stamp { producer: 7, number: 123_456, intended_ns: u64::MAX };
    let mut bytes = b"before".to_vec();
    template.append(&mut bytes, stamp);
    let mut decoder = Decoder::new(FrameLimits::AFTER_LOGIN, Version::V1_2);
    let Ok(Decoded::Frame { frame, consumed }) = decoder.decode(&bytes[6..]) else {
        panic!("{} is not a frame", bytes.escape_ascii());
    };
    assert_eq!((frame.command(), consumed), (Command::Send, template.len()));
    assert_eq!(frame.header("receipt").as_deref().and_then(read_receipt), Some(123_456));
    assert_eq!(frame.header("destination").as_deref(), Some("/queue/a:b"));
    assert_eq!(frame.header("persistent").as_deref(), Some("true"));
    assert_eq!((frame.body().len(), Stamp::read(frame.body())), (100, Some(stamp)));
}
