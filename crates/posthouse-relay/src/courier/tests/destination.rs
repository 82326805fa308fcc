//! Attempts into a broker destination.

use std::sync::{Arc, Mutex};

use posthouse_pump::attempt::{Blame, Verdict};
use posthouse_pump::request::Request;

use super::attempts::{StandingClock, attempt, content, request};
use crate::courier::{
    DestinationCourier, DestinationTarget, Publication, PublishError, Published, Publisher,
};

/// Answers each publication with the same, or never.
struct Broker {
    answer: Option<Result<(), PublishError>>,
    seen: Mutex<Vec<Publication>>,
}

impl Broker {
    fn answering(answer: Option<Result<(), PublishError>>) -> Arc<Broker> {
        Arc::new(Broker { answer, seen: Mutex::default() })
    }
}

impl Publisher for Broker {
    fn publish(&self, publication: Publication) -> Published<'_> {
        self.seen.lock().unwrap().push(publication);
        Box::pin(async {
            match &self.answer {
                Some(answer) => answer.clone(),
                None => std::future::pending().await,
            }
        })
    }
}

async fn carry(broker: &Arc<Broker>, destination: &str, request: Request) -> Verdict {
    let mut target = DestinationTarget::new(broker.clone(), destination);
    target.headers = vec![("x-from".into(), "{region}".into())];
    let courier = DestinationCourier::new(target).unwrap();
    courier.carry(&attempt(request), &StandingClock::default()).await
}

#[tokio::test]
async fn a_request_becomes_a_message() {
    let broker = Broker::answering(Some(Ok(())));
    let mut content = content();
    content.headers.push(("destination".into(), "queue/evil".into()));
    for name in ["Posthouse-Code", "webhook-id", "Webhook-Signature", "Host", "connection", "TE"] {
        content.headers.push((name.into(), "evil".into()));
    }
    content.headers.push(("X-From".into(), "evil".into()));
    let verdict = carry(&broker, "queue/orders.{key}", request(content)).await;
    assert_eq!(verdict, Verdict::Done { status: None });
    let seen = broker.seen.lock().unwrap();
    let message = &seen[0];
    assert_eq!(message.destination, "queue/orders.A%2F7");
    assert!(message.is_persistent);
    assert_eq!(message.content_type.as_deref(), Some("application/json"));
    assert_eq!(message.body, r#"{"total":3}"#);
    let lines: Vec<String> =
        message.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let expected = [
        "X-Tenant: north",
        "x-from: east",
        "posthouse-request-id: req-1",
        "posthouse-code: order.paid",
        "posthouse-sequence: 42",
        "posthouse-fence: 9",
        "posthouse-attempt: 2",
        "posthouse-not-after: 1614265390000",
        "posthouse-key: A/7",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ];
    assert_eq!(lines, expected);
}

async fn check(answer: Option<Result<(), PublishError>>, expected: &str) {
    let broker = Broker::answering(answer);
    let verdict = carry(&broker, "topic/orders", request(content())).await;
    let shown = match verdict {
        Verdict::Done { .. } => "done".to_owned(),
        Verdict::Rejected { detail, .. } => format!("rejected: {detail}"),
        Verdict::Failed { detail, blame: Blame::Endpoint, .. } => format!("failed: {detail}"),
        verdict => format!("{verdict:?}"),
    };
    assert_eq!(shown, expected);
}

fn refused(code: Option<&str>) -> Option<Result<(), PublishError>> {
    let code = code.map(str::to_owned);
    Some(Err(PublishError::Refused { code, detail: "it said no".into() }))
}

#[tokio::test]
async fn refusals_count_by_their_code() {
    let never = "rejected: the broker refused the message";
    check(refused(Some("PH1201")), &format!("{never} (PH1201): it said no")).await;
    check(refused(Some("PH1206")), &format!("{never} (PH1206): it said no")).await;
    let later = "failed: the broker refused the message";
    check(refused(Some("PH1204")), &format!("{later} (PH1204): it said no")).await;
    check(refused(Some("PH1203")), &format!("{later} (PH1203): it said no")).await;
    check(refused(Some("PH1321")), &format!("{later} (PH1321): it said no")).await;
    check(refused(None), &format!("{later}: it said no")).await;
    let gone = PublishError::Unreachable { detail: "no route".into() };
    check(Some(Err(gone)), "failed: no message was sent: no route").await;
    let lost = PublishError::Unknown { detail: "reset".into() };
    let expected = "failed: nobody knows whether the broker has the message: reset";
    check(Some(Err(lost)), expected).await;
}

#[tokio::test(start_paused = true)]
async fn silence_is_given_up_at_the_deadline() {
    check(None, "failed: the broker did not confirm the message in time; it may have it").await;
}

#[tokio::test]
async fn rows_that_lack_something_are_rejected() {
    let broker = Broker::answering(Some(Ok(())));
    let keyless = Request { key: None, ..request(content()) };
    let verdict = carry(&broker, "queue/orders.{key}", keyless).await;
    assert!(matches!(verdict, Verdict::Rejected { .. }), "{verdict:?}");
    assert!(broker.seen.lock().unwrap().is_empty());
}

#[test]
fn destinations_are_checked_when_they_are_loaded() {
    let cases = [
        ("queue/orders", true),
        ("topic/orders.{region}.x-{key}", true),
        ("queue/{service}", true),
        ("orders", false),
        ("/queue/orders", false),
        ("queue/", false),
        ("queue/a..b", false),
        ("queue/a.*", false),
        ("queue/a.>", false),
        ("queue/a b", false),
        ("queue/a,topic/b", false),
        ("queue/{kye}", false),
        ("queue/{body}", false),
        ("queue/{}", false),
    ];
    for (destination, expected) in cases {
        let broker = Broker::answering(None);
        let built = DestinationCourier::new(DestinationTarget::new(broker, destination));
        assert_eq!(built.is_ok(), expected, "{destination}");
    }
}
