"""Scenarios that stomp.py plays against a server.

Usage: scenarios.py HOST PORT SCENARIO

Exits with 0 when the scenario went as expected in every protocol version that it concerns, and
with 1 after saying what went wrong. A line `@restart` or `@kill` on the output asks the caller to
stop the server, kindly or not, and to start it again on the same port; a line `ready` answers.
"""

import re
import socket
import sys
import traceback

from stomp.exception import ConnectFailedException, NotConnectedException

import persistence
from harness import DEADLINE_S, DIALECT, ErrorFrame, Failure, Peer, expect

ALL = ("1.0", "1.1", "1.2")
SINCE_1_1 = ("1.1", "1.2")
NEWEST = ("1.2",)
SCENARIOS = {}


def scenario(versions):
    """Registers a scenario under the name of its function."""

    def register(function):
        SCENARIOS[function.__name__] = (function, versions)
        return function

    return register


@scenario(ALL)
def bodies(peer):
    """Bodies arrive byte for byte, with and without a length."""
    client = peer.connect()
    client.subscribe(peer.queue())
    for body in (b"plain", b"", b"a\x00b\x00", "Grüße, 驿站".encode(), bytes(range(256)) * 300):
        client.send(peer.queue(), body)
        expect(client.take("message").body, body, "body with a length")
    terse = peer.connect(auto_content_length=False)
    terse.send(peer.queue(), "up to the NUL: ü")
    expect(client.take("message").body.decode(), "up to the NUL: ü", "body without a length")


@scenario(ALL)
def headers(peer):
    """Header values arrive as they were sent, whatever the version makes of escapes."""
    values = {"plain": "x", "empty": "", "unicode": "ключ 驿站", "inner": "a b"}
    if peer.version != "1.0":
        values |= {"colon": "a:b", "newline": "a\nb", "backslash": "a\\nb"}
    if peer.version == "1.2":
        values["return"] = "a\rb"
    client = peer.connect()
    client.subscribe(peer.queue())
    client.send(peer.queue(), "x", **values)
    (frame,) = client.receive("x")
    found = {name: frame.headers.get(name) for name in values}
    expect(found, values, "headers")
    expect(frame.headers["destination"], peer.queue(), "destination")


@scenario(SINCE_1_1)
def repeated_header(peer):
    """Of a header that comes twice the first counts."""
    client = peer.connect()
    client.subscribe(peer.queue())
    client.send(peer.queue(), "x", colour=("red", "blue"))
    (frame,) = client.receive("x")
    expect(frame.headers["colour"], "red", "first value")


@scenario(ALL)
def competing_consumers(peer):
    """Two consumers share a queue: each message goes to one of them."""
    workers = [peer.connect(), peer.connect()]
    for worker in workers:
        prefetch = {"activemq.prefetchSize": "1"}
        worker.subscribe(peer.queue(), ack="client-individual", headers=prefetch)
    producer = peer.connect()
    for number in range(20):
        producer.send(peer.queue(), str(number))
    found = []
    for _ in range(10):
        for worker in workers:
            frame = worker.take("message")
            found.append(int(frame.body))
            worker.ack(frame)
    expect(sorted(found), list(range(20)), "messages shared out")


@scenario(ALL)
def topic_fan_out(peer):
    """Every subscriber gets every message in order; who comes later gets what comes later."""
    subscribers = [peer.connect() for _ in range(3)]
    for subscriber in subscribers:
        subscriber.subscribe(peer.topic())
    producer = peer.connect()
    for body in "abcde":
        producer.send(peer.topic(), body)
    for subscriber in subscribers:
        subscriber.receive(*"abcde")
    late = peer.connect()
    late.subscribe(peer.topic())
    producer.send(peer.topic(), "f")
    late.receive("f")


@scenario(ALL)
def topic_wildcards(peer):
    """`*` stands for one part of a name, `>` for all that follow."""
    one_part, all_parts = peer.connect(), peer.connect()
    one_part.subscribe(f"{peer.topic()}.*")
    all_parts.subscribe(f"{peer.topic()}.>")
    producer = peer.connect()
    for name in ("x", "x.y", "z"):
        producer.send(f"{peer.topic()}.{name}", name)
    producer.send(f"{peer.topic('other')}.x", "other")
    (frame, _) = one_part.receive("x", "z")
    expect(frame.headers["destination"], f"{peer.topic()}.x", "destination of a match")
    all_parts.receive("x", "x.y", "z")
    one_part.receive_nothing()
    all_parts.receive_nothing()


@scenario(ALL)
def durable_subscription(peer):
    """A durable subscription gets what came while it was away, until it is deleted."""
    name = f"{peer.prefix}-desk"
    durable = {"activemq.subscriptionName": name}
    reader = peer.connect({"client-id": name})
    reader.subscribe(peer.topic(), headers=durable)
    producer = peer.connect()
    producer.send(peer.topic(), "there", persistent="true")
    reader.receive("there")
    reader.close()

    producer.send(peer.topic(), "away 1", persistent="true")
    producer.send(peer.topic(), "away 2", persistent="true")
    reader = peer.connect({"client-id": name})
    reader.subscribe(peer.topic(), headers=durable)
    reader.receive("away 1", "away 2")
    reader.unsubscribe()
    reader.unsubscribe(**durable)

    producer.send(peer.topic(), "deleted", persistent="true")
    reader.subscribe(peer.topic(), headers=durable)
    producer.send(peer.topic(), "new", persistent="true")
    reader.receive("new")


@scenario(ALL)
def ack_auto(peer):
    """What was delivered in `auto` mode does not come back."""
    first = peer.connect()
    first.subscribe(peer.queue())
    first.send(peer.queue(), "once")
    first.receive("once")
    first.settle()
    first.drop()
    second = peer.connect()
    second.send(peer.queue(), "next")
    second.subscribe(peer.queue())
    second.receive("next")


@scenario(ALL)
def ack_client(peer):
    """An ACK in `client` mode covers what was delivered before it."""
    first = deliver_three(peer, "client")
    first["client"].ack(first["frames"][1])
    first["client"].drop()
    second = peer.connect()
    second.subscribe(peer.queue())
    second.receive("3")
    second.receive_nothing()


@scenario(ALL)
def ack_individual(peer):
    """An ACK in `client-individual` mode covers one message."""
    first = deliver_three(peer, "client-individual")
    first["client"].ack(first["frames"][1])
    first["client"].drop()
    second = peer.connect()
    second.subscribe(peer.queue())
    second.receive("1", "3")
    second.receive_nothing()


def deliver_three(peer, mode):
    """A client that holds the messages 1, 2 and 3 unacknowledged."""
    client = peer.connect()
    client.subscribe(peer.queue(), ack=mode)
    for body in "123":
        client.send(peer.queue(), body)
    return {"client": client, "frames": client.receive(*"123")}


@scenario(ALL)
def redelivery(peer):
    """What a lost consumer had not acknowledged goes to another, marked."""
    first = peer.connect()
    first.subscribe(peer.queue(), ack="client-individual")
    first.send(peer.queue(), "again")
    (frame,) = first.receive("again")
    expect(frame.headers.get("redelivered", "false"), "false", "redelivered at first")
    first.drop()
    second = peer.connect()
    second.subscribe(peer.queue(), ack="client-individual")
    (frame,) = second.receive("again")
    expect(frame.headers.get("redelivered"), "true", "redelivered")
    second.ack(frame)


@scenario(ALL)
def transaction_commit(peer):
    """Nothing of a transaction is seen before its COMMIT, everything after it."""
    reader, writer = peer.connect(), peer.connect()
    reader.subscribe(peer.queue("a"), id="a")
    reader.subscribe(peer.queue("b"), id="b")
    writer.connection.begin("t")
    writer.send(peer.queue("a"), "1", transaction="t")
    writer.send(peer.queue("b"), "2", transaction="t")
    writer.settle()
    reader.receive_nothing()
    writer.commit("t")
    found = sorted(reader.take("message").body for _ in range(2))
    expect(found, [b"1", b"2"], "messages of the transaction")


@scenario(ALL)
def transaction_abort(peer):
    """Nothing of an aborted transaction is ever seen."""
    client = peer.connect()
    client.subscribe(peer.queue("a"), id="a")
    client.subscribe(peer.queue("b"), id="b")
    client.connection.begin("t")
    client.send(peer.queue("a"), "1", transaction="t")
    client.send(peer.queue("b"), "2", transaction="t")
    client.abort("t")
    client.send(peer.queue("a"), "3")
    client.receive("3")
    client.receive_nothing()


@scenario(ALL)
def transaction_acks(peer):
    """An ACK in a transaction counts when the transaction is committed."""
    for end, comes_back in (("abort", ("1", "2")), ("commit", ("2",))):
        queue = peer.queue(end)
        first = peer.connect()
        first.subscribe(queue, ack="client-individual")
        first.send(queue, "1")
        first.send(queue, "2")
        frame = first.receive("1", "2")[0]
        first.connection.begin("t")
        first.ack(frame, transaction="t")
        getattr(first, end)("t")
        first.drop()
        second = peer.connect()
        second.subscribe(queue)
        second.receive(*comes_back)
        second.receive_nothing()


@scenario(SINCE_1_1)
def nack_dead_letters(peer):
    """A refused message goes to the dead letters and says where it came from and why."""
    client = peer.connect()
    client.subscribe(peer.queue(), id="work", ack="client-individual")
    client.subscribe(peer.dead_letter_queue(peer.queue()), id="dead")
    client.send(peer.queue(), "bad", persistent="true", colour="red")
    (frame,) = client.receive("bad")
    client.nack(frame)
    (dead,) = client.receive("bad")
    expect(dead.headers["subscription"], "dead", "subscription")
    expect(dead.headers["colour"], "red", "header of the sender")
    expect(dead.headers["original-destination"], peer.queue(), "original-destination")
    expect(bool(dead.headers.get(DIALECT["dead_letter_reason"])), True, "has a reason")


@scenario(SINCE_1_1)
def nack_requeue(peer):
    """A message refused with `requeue:true` comes back."""
    client = peer.connect()
    client.subscribe(peer.queue(), ack="client-individual")
    client.send(peer.queue(), "later")
    (frame,) = client.receive("later")
    client.nack(frame, requeue="true")
    (frame,) = client.receive("later")
    expect(frame.headers.get("redelivered"), "true", "redelivered")
    client.ack(frame)
    client.receive_nothing()


@scenario(SINCE_1_1)
def browse(peer):
    """Browsing shows what is there, in order, says where it ends, and takes nothing."""
    client = peer.connect()
    for body in "12345":
        client.send(peer.queue(), body)
    browser = peer.connect()
    browser.subscribe(peer.queue(), headers={"browser": "true"})
    browser.receive(*"12345")
    expect(browser.take("message").headers.get("browser"), "end", "browser")
    client.subscribe(peer.queue())
    client.receive(*"12345")


@scenario(ALL)
def selectors(peer):
    """A selector compares header strings with numbers and with text."""
    picky, rest = peer.connect(), peer.connect()
    picky.subscribe(peer.queue(), headers={"selector": "n > 5 AND colour = 'red'"})
    producer = peer.connect()
    for n in (3, 5, 6, 10):
        for colour in ("red", "blue"):
            producer.send(peer.queue(), f"{n} {colour}", n=str(n), colour=colour)
    picky.receive("6 red", "10 red")
    picky.receive_nothing()
    rest.subscribe(peer.queue())
    rest.receive("3 red", "3 blue", "5 red", "5 blue", "6 blue", "10 blue")


@scenario(SINCE_1_1)
def heart_beats(peer):
    """Both sides beat, and neither gives the other up."""
    client = peer.connect(heartbeats=(400, 400), heart_beat_receive_scale=5)
    for _ in range(5):
        client.take("heartbeat")
    client.settle()


@scenario(SINCE_1_1)
def heart_beat_silence(peer):
    """A client that promised to beat and falls silent is told so and disconnected."""
    connect = f"CONNECT\naccept-version:{peer.version}\nhost:x\nheart-beat:300,0\n\n\0"
    with socket.create_connection(peer.address, timeout=DEADLINE_S) as connection:
        connection.sendall(connect.encode())
        received = b""
        while chunk := connection.recv(4096):
            received += chunk
    expect(received.startswith(b"CONNECTED\n"), True, "begins with CONNECTED")
    expect(b"\nERROR\n" in received.replace(b"\0", b"\n"), True, "an ERROR before the end")


@scenario(ALL)
def receipts(peer):
    """Every frame that asks for a receipt gets its own."""
    client = peer.connect()
    client.subscribe(peer.queue(), ack="client-individual")
    for body in "12":
        client.send(peer.queue(), body)
    frames = client.receive(*"12")
    client.ack(frames[0])
    if peer.version != "1.0":
        client.nack(frames[1])
    for end in (client.commit, client.abort):
        asked = client.receipt_headers()
        client.connection.begin("t", headers=asked)
        client.take_receipt(asked)
        end("t")
    odd = {"receipt": "a:b\\c" if peer.version != "1.0" else "a b"}
    client.connection.send(peer.topic(), "x", headers=dict(odd))
    client.take_receipt(odd)
    client.unsubscribe()
    client.close()


@scenario(ALL)
def expiry(peer):
    """An expired message is never delivered; one that has time left is."""
    client = peer.connect()
    client.send(peer.queue(), "too late", expires="1")
    client.send(peer.queue(), "in time", expires="4102444800000")
    client.subscribe(peer.queue())
    (frame,) = client.receive("in time")
    expect(frame.headers.get("expires"), "4102444800000", "expires")
    client.receive_nothing()


@scenario(ALL)
def priority(peer):
    """From a backlog the urgent comes first, and equals in the order sent."""
    client = peer.connect()
    for body, level in (("a", 1), ("b", 9), ("c", 4), ("d", 9), ("e", 1)):
        client.send(peer.queue(), body, priority=str(level), persistent="true")
    client.subscribe(peer.queue())
    frames = client.receive(*"bdcae")
    expect(frames[0].headers.get("priority"), "9", "priority")


@scenario(ALL)
def reconnect(peer):
    """A client notices that the server went away and works on when it is back."""
    client = peer.connect()
    client.subscribe(peer.queue())
    peer.tell("restart")
    client.take("closed")
    client = peer.connect()
    client.subscribe(peer.queue())
    client.send(peer.queue(), "back")
    client.receive("back")


@scenario(ALL)
def errors(peer):
    """A mistake is answered by an ERROR with a code and a text that says what to do."""
    expect_error(peer, lambda client: client.send("/nowhere/x", "x"))
    expect_error(peer, lambda client: client.subscribe("/queue/"))
    expect_error(peer, lambda client: client.commit("unknown"))
    expect_error(peer, lambda client: client.abort("unknown"))
    expect_error(peer, lambda client: client.send(peer.queue(), "x", transaction="unknown"))


@scenario(ALL)
def error_of_acknowledging_nothing(peer):
    """An ACK of a message that nobody holds is answered by an ERROR."""
    handles = {"1.0": ("unknown",), "1.1": ("unknown", "1"), "1.2": ("unknown",)}

    def acknowledge(client):
        client.subscribe(peer.queue(), ack="client-individual")
        client.connection.ack(*handles[peer.version], receipt="r")
        client.settle()

    expect_error(peer, acknowledge)


@scenario(SINCE_1_1)
def error_of_a_second_subscription(peer):
    """A subscription id that is in use is answered by an ERROR."""

    def subscribe_twice(client):
        client.subscribe(peer.queue(), id="same")
        client.subscribe(peer.queue("other"), id="same")

    expect_error(peer, subscribe_twice)


scenario(ALL)(persistence.persistence_of_messages)
scenario(ALL)(persistence.persistence_of_a_durable_subscription)
scenario(ALL)(persistence.persistence_of_transactions)


def expect_error(peer, act):
    """Expects `act` on a fresh connection to be answered by an ERROR that helps."""
    client = peer.connect()
    try:
        act(client)
    except ErrorFrame as error:
        check_error(error.frame)
    except (OSError, ConnectFailedException, NotConnectedException):
        # The ERROR, and the end after it, came before the client had said all that it meant to.
        check_error(client.take("error"))
    else:
        raise Failure("no ERROR for a mistake")


def check_error(frame):
    """An ERROR has a code in its `message` header and advice in its body."""
    message = frame.headers.get("message", "")
    expect(bool(re.search(DIALECT["error_code"], message)), True, f"a code in {message!r}")
    expect(len(frame.body) > 0, True, "a body that says what to do")


def main(host, port, name):
    """Plays one scenario in every version it concerns; the exit code."""
    function, versions = SCENARIOS[name]
    for version in versions:
        peer = Peer(host, int(port), version, name.replace("_", "-"))
        try:
            function(peer)
        except Exception:
            print(f"{name} over STOMP {version} failed: {function.__doc__}")
            traceback.print_exc(file=sys.stdout)
            return 1
        finally:
            peer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
