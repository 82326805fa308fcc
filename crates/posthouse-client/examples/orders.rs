//! Sends an order and works on orders until there is none left: `orders [ADDRESS]`.

use posthouse_client::{Ack, Client, Error, Message, Subscribe};

const QUEUE: &str = "/queue/orders";

#[tokio::main]
async fn main() -> Result<(), Error> {
    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "failover:(stomp://127.0.0.1:61613)".to_owned());
    let client = Client::connect(&address).await?;
    client.send(Message::to(QUEUE).text("42 stamps").header("customer", "ann")).await?;

    let mut look = client.browse(Subscribe::to(QUEUE)).await?;
    let mut waiting = 0;
    while let Some(order) = look.next().await {
        println!("waiting: {:?}", order?.text());
        waiting += 1;
    }

    let subscribe = Subscribe::to(QUEUE).ack(Ack::Individual).prefetch(100);
    let mut orders = client.subscribe(subscribe).await?;
    for _ in 0..waiting {
        let Some(order) = orders.next().await else { break };
        let order = order?;
        let receipt = Message::to("/queue/receipts").body(order.body().clone());
        let mut transaction = client.begin().await?;
        transaction.send(receipt).await?;
        transaction.ack(order).await?;
        transaction.commit().await?;
    }
    client.close().await
}
