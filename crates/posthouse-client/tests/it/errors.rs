//! ERROR frames that name no request, and servers that break the protocol.

use posthouse_client::{Client, Message};

use crate::fake::{Fake, failover, soon};

/// What `answer` to a message does to the connection: the message is resent over the next one.
async fn check_resent(answer: &str) {
    let script = format!(
        "accept
         < SEND receipt:s1 | a
         {answer}
         eof
         accept
         < SEND receipt:s1 posthouse-seq:1 | a
         > RECEIPT receipt-id:s1"
    );
    let server = Fake::play(&script).await;
    let client = soon(Client::connect(&failover(&[&server]))).await.expect("it connects");
    let message = Message::to("/queue/x").body("a");
    soon(client.send(message)).await.expect("it is resent and confirmed");
    server.end().await;
}

#[tokio::test]
async fn a_connection_that_goes_wrong_is_made_again() {
    check_resent("> ERROR message:PH1106 | stopping").await;
    check_resent("> ERROR message:PH1003 receipt-id:unknown").await;
    check_resent("> CONNECTED version:1.2").await;
    check_resent("raw NONSENSE\\n\\n\\0").await;
    check_resent("raw RECEIPT\\nreceipt-id\\n\\n\\0").await;
    check_resent("raw MESSAGE\\ncontent-length:99999999\\n\\n").await;
}

#[tokio::test]
async fn receipts_that_nobody_waits_for_do_no_harm() {
    let server = Fake::play(
        "accept
         < SEND receipt:- | begin
         > RECEIPT receipt-id:s99
         > RECEIPT receipt-id:r99
         > RECEIPT receipt-id:nonsense
         > MESSAGE subscription:9 message-id:m ack:1 destination:/queue/x | a
         < SEND receipt:s1 | a
         > RECEIPT receipt-id:s1
         > RECEIPT receipt-id:s1
         < SEND receipt:s2 | b
         > RECEIPT receipt-id:s2",
    )
    .await;
    let client = soon(Client::connect(&server.url())).await.expect("it connects");
    let begin = Message::to("/queue/x").body("begin").persistent(false);
    soon(client.send_nowait(begin)).await.expect("it is on its way");
    for body in ["a", "b"] {
        let message = Message::to("/queue/x").body(body);
        soon(client.send(message)).await.expect("it is confirmed");
    }
    server.end().await;
}
