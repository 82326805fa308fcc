"""Scenarios in which the server is killed and comes back: what must survive that, and what not."""

from harness import expect

PERSISTENT = {"persistent": "true"}


def persistence_of_messages(peer):
    """What was confirmed survives in order; only what was handed out before is marked."""
    producer = peer.connect()
    producer.send(peer.queue(), "handed out", **PERSISTENT)
    producer.send(peer.queue(), "acknowledged", **PERSISTENT)
    producer.send(peer.queue("quiet"), "1", **PERSISTENT)
    producer.send(peer.queue("quiet"), "need not survive")
    producer.send(peer.queue("quiet"), "2", **PERSISTENT)
    reader = peer.connect()
    reader.subscribe(peer.queue(), ack="client-individual")
    frames = reader.receive("handed out", "acknowledged")
    reader.ack(frames[1])
    peer.tell("kill")

    reader = peer.connect()
    reader.subscribe(peer.queue(), ack="client-individual")
    (frame,) = reader.receive("handed out")
    expect(frame.headers.get("redelivered"), "true", "redelivered after a crash")
    reader.ack(frame)
    reader.receive_nothing()
    reader.unsubscribe()
    reader.subscribe(peer.queue("quiet"))
    frames = reader.receive("1", "2")
    marks = [frame.headers.get("redelivered", "false") for frame in frames]
    expect(marks, ["false", "false"], "redelivered of what nobody was given")
    reader.receive_nothing()


def persistence_of_a_durable_subscription(peer):
    """A durable subscription survives with what waits in it, and gets what comes afterwards."""
    name = f"{peer.prefix}-desk"
    durable = {"activemq.subscriptionName": name}
    reader = peer.connect({"client-id": name})
    reader.subscribe(peer.topic(), ack="client-individual", headers=durable)
    producer = peer.connect()
    producer.send(peer.topic(), "read", **PERSISTENT)
    (frame,) = reader.receive("read")
    reader.ack(frame)
    reader.close()
    producer.send(peer.topic(), "before", **PERSISTENT)
    peer.tell("kill")

    peer.connect().send(peer.topic(), "after", **PERSISTENT)
    reader = peer.connect({"client-id": name})
    reader.subscribe(peer.topic(), headers=durable)
    reader.receive("before", "after")
    reader.receive_nothing()
    reader.unsubscribe()
    reader.unsubscribe(**durable)


def persistence_of_transactions(peer):
    """A committed transaction survives as a whole; of one that was not there is nothing."""
    worker = peer.connect()
    worker.send(peer.queue("in"), "first", **PERSISTENT)
    worker.send(peer.queue("in"), "second", **PERSISTENT)
    worker.subscribe(peer.queue("in"), ack="client-individual")
    first, second = worker.receive("first", "second")
    for transaction, frame in (("done", first), ("open", second)):
        worker.connection.begin(transaction)
        worker.ack(frame, transaction=transaction)
        for number in ("1", "2"):
            body = f"{transaction} {number}"
            worker.send(peer.queue("out"), body, transaction=transaction, **PERSISTENT)
    worker.commit("done")
    peer.tell("kill")

    reader = peer.connect()
    reader.subscribe(peer.queue("out"), id="out")
    reader.receive("done 1", "done 2")
    reader.subscribe(peer.queue("in"), id="in")
    reader.receive("second")
    reader.receive_nothing()
