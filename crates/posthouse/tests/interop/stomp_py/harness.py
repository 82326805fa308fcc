"""What the scenarios share: a server seen through one protocol version, and clients of it.

stomp.py calls listeners from its own thread. The harness puts every frame into one queue per
client instead, so that a scenario reads from top to bottom: do something, then take what must come.
Every wait has a deadline, and an ERROR or a lost connection ends any wait at once.
"""

import itertools
import queue
import socket
import sys
from collections import defaultdict, deque

import stomp

DEADLINE_S = 15
CONNECTIONS = {
    "1.0": stomp.Connection10,
    "1.1": stomp.Connection11,
    "1.2": stomp.Connection12,
}
# Where a broker differs by design. A broker of another make is tried by changing these.
DIALECT = {
    "dead_letter_prefix": "/queue/DLQ.",
    "dead_letter_reason": "dead-letter-reason",
    "error_code": r"PH\d{4}",
}


class Failure(Exception):
    """What the server did differently from what the scenario expects."""


class ErrorFrame(Failure):
    """An ERROR that came while something else was awaited."""

    def __init__(self, frame, awaited):
        super().__init__(f"an ERROR in place of a {awaited}: {frame.headers} {frame.body!r}")
        self.frame = frame


def expect(found, expected, what):
    """Fails unless both are equal; `what` says what was compared."""
    if found != expected:
        raise Failure(f"{what}: expected {expected!r}, found {found!r}")


class Peer:
    """The server under test for one scenario and one protocol version."""

    def __init__(self, host, port, version, scenario):
        self.address = (host, port)
        self.version = version
        self.prefix = f"{scenario}-v{version.replace('.', '')}"
        self.clients = []

    def queue(self, name="work"):
        """A queue that no other scenario or version uses."""
        return f"/queue/{self.prefix}-{name}"

    def topic(self, name="news"):
        """A topic that no other scenario or version uses."""
        return f"/topic/{self.prefix}-{name}"

    def dead_letter_queue(self, queue_name):
        """Where the dead letters of `queue_name` go."""
        return DIALECT["dead_letter_prefix"] + queue_name.removeprefix("/queue/")

    def connect(self, headers=None, **options):
        """A connected client. `options` are those of stomp.py's connection."""
        client = Client(self, headers or {}, options)
        self.clients.append(client)
        return client

    def tell(self, request):
        """Asks whoever runs this script to `restart` or `kill` the server, until it is back."""
        print(f"@{request}", flush=True)
        expect(sys.stdin.readline().strip(), "ready", f"answer to @{request}")

    def close(self):
        """Ends what the scenario left open."""
        for client in self.clients:
            client.drop()


class Client(stomp.ConnectionListener):
    """One connection, its frames handed over one by one."""

    def __init__(self, peer, headers, options):
        self.peer = peer
        self.events = queue.Queue()
        self.taken = defaultdict(deque)
        self.receipts = itertools.count(1)
        self.is_leaving = False
        make = CONNECTIONS[peer.version]
        self.connection = make([peer.address], auto_decode=False, **options)
        self.connection.set_listener("harness", self)
        self.connection.connect(headers=headers)
        self.connected = self.take("connected")
        # A server may leave the version out of its answer to a 1.0 client.
        expect(self.connected.headers.get("version", "1.0"), peer.version, "version in CONNECTED")

    def on_connected(self, frame):
        """Called by stomp.py."""
        self.events.put(("connected", frame))

    def on_message(self, frame):
        """Called by stomp.py."""
        self.events.put(("message", frame))

    def on_receipt(self, frame):
        """Called by stomp.py."""
        self.events.put(("receipt", frame))

    def on_error(self, frame):
        """Called by stomp.py."""
        self.events.put(("error", frame))

    def on_heartbeat(self):
        """Called by stomp.py."""
        self.events.put(("heartbeat", None))

    def on_disconnected(self):
        """Called by stomp.py."""
        self.events.put(("closed", None))

    def take(self, kind):
        """The next frame of `kind`; others are kept for later, save those that end everything."""
        while not self.taken[kind]:
            try:
                found, frame = self.events.get(timeout=DEADLINE_S)
            except queue.Empty:
                raise Failure(f"no {kind} within {DEADLINE_S} s") from None
            if found == "error" and kind != "error":
                raise ErrorFrame(frame, kind)
            if found == "closed" and kind != "closed" and not self.is_leaving:
                raise Failure(f"the connection was closed in place of a {kind}")
            self.taken[found].append(frame)
        return self.taken[kind].popleft()

    def receipt_headers(self):
        """Asks for a receipt with a name of its own."""
        return {"receipt": f"receipt-{next(self.receipts)}"}

    def take_receipt(self, asked):
        """Waits for exactly the receipt that `asked` asked for."""
        expect(self.take("receipt").headers["receipt-id"], asked["receipt"], "receipt-id")

    def send(self, destination, body, **headers):
        """Sends and waits for the receipt."""
        asked = self.receipt_headers()
        self.connection.send(destination, body, headers={**headers, **asked})
        self.take_receipt(asked)

    def subscribe(self, destination, id="1", ack="auto", headers=None):
        """Subscribes and waits for the receipt, so that what is sent next cannot be missed."""
        asked = self.receipt_headers()
        self.connection.subscribe(destination, id, ack, headers={**(headers or {}), **asked})
        self.take_receipt(asked)

    def unsubscribe(self, id="1", **headers):
        """Unsubscribes and waits for the receipt."""
        asked = self.receipt_headers()
        self.connection.unsubscribe(id=id, headers={**headers, **asked})
        self.take_receipt(asked)

    def receive(self, *bodies):
        """Takes as many messages as there are `bodies`, which they must have in this order."""
        frames = [self.take("message") for _ in bodies]
        expect([frame.body.decode() for frame in frames], list(bodies), "bodies received")
        return frames

    def receive_nothing(self):
        """Fails when a message has come by the time that the server has answered once more."""
        self.settle()
        waiting = [frame.body for frame in self.taken["message"]]
        expect(waiting, [], "messages that should not have come")

    def settle(self):
        """Waits until the server has handled everything that this client sent."""
        self.send("/topic/nobody-listens", "settle")

    def ack(self, frame, **options):
        """Acknowledges a message, as each version says, and waits for the receipt."""
        self._answer(self.connection.ack, frame, options)

    def nack(self, frame, **options):
        """Refuses a message, as each version says, and waits for the receipt."""
        self._answer(self.connection.nack, frame, options)

    def _answer(self, method, frame, options):
        asked = self.receipt_headers()
        method(*self.handle(frame), **options, **asked)
        self.take_receipt(asked)

    def handle(self, frame):
        """What names a delivery in an ACK or NACK of this version."""
        if self.peer.version == "1.2":
            return (frame.headers["ack"],)
        if self.peer.version == "1.1":
            return (frame.headers["message-id"], frame.headers["subscription"])
        return (frame.headers["message-id"],)

    def finish(self, method, transaction):
        """Commits or aborts and waits for the receipt."""
        asked = self.receipt_headers()
        method(transaction, headers=asked)
        self.take_receipt(asked)

    def commit(self, transaction):
        """Commits and waits for the receipt."""
        self.finish(self.connection.commit, transaction)

    def abort(self, transaction):
        """Aborts and waits for the receipt."""
        self.finish(self.connection.abort, transaction)

    def close(self):
        """Leaves politely: DISCONNECT, then its receipt."""
        asked = self.receipt_headers()
        # stomp.py closes the socket before it hands the last receipt over.
        self.is_leaving = True
        self.connection.disconnect(receipt=asked["receipt"])
        self.take_receipt(asked)

    def drop(self):
        """Goes away without a word, as a crash would."""
        transport = self.connection.transport
        if transport.socket is not None:
            try:
                transport.socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
