"""A receiver of the frame protocol (docs/protocols/frame.md), with the standard library only.

Run `python3 frame_receiver.py 127.0.0.1 7070`: it shows every request and takes it. For a
receiver of your own copy the file and write another `take`, which may wait for as long as it likes.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import json
import struct
import sys
import time
import urllib.parse

HELLO, REQUEST, ANSWER, CANCEL, BEAT, LEAVING, FAULT = range(1, 8)
DONE, FAILED, REJECTED, POSTPONED = range(1, 5)

VERSION = 1
FRAME_BYTES_MAX = 1 << 20
BEAT_SECONDS = 5

# What the fields of a request are called here, and what they hold.
TEXTS = {1: "id", 2: "code", 3: "service", 4: "method", 5: "key", 6: "region", 11: "after_gap",
         12: "traceparent", 13: "content_type", 17: "signature"}
NUMBERS = {7: "attempt", 8: "not_after_ms", 9: "fence", 10: "sequence", 15: "timeout_ms",
           16: "timestamp"}
HEADER, BODY = 14, 18


class Mistake(Exception):
    """What the other side has done wrong, or says is wrong."""


def number(value):
    return struct.pack(">q", value)


def frame(kind, of=0, fields=()):
    """The bytes of a frame; fields are pairs of tag and bytes."""
    payload = b"".join(struct.pack(">BI", tag, len(value)) + value for tag, value in fields)
    return struct.pack(">IBQ", 9 + len(payload), kind, of) + payload


def fields_of(payload):
    """The pairs of tag and bytes in what stands behind the number of a frame."""
    at = 0
    while at < len(payload):
        if at + 5 > len(payload):
            raise Mistake("a field is cut off")
        tag, length = struct.unpack_from(">BI", payload, at)
        at += 5 + length
        if at > len(payload):
            raise Mistake("a field is cut off")
        yield tag, payload[at - length:at]


def request_of(payload):
    request = {"headers": []}
    for tag, value in fields_of(payload):
        if tag in TEXTS:
            request[TEXTS[tag]] = value.decode()
        elif tag in NUMBERS:
            request[NUMBERS[tag]] = struct.unpack(">q", value)[0]
        elif tag == HEADER:
            end = 2 + struct.unpack_from(">H", value)[0]
            request["headers"].append((value[2:end].decode(), value[end:].decode()))
        elif tag == BODY:
            request["body"] = value
    return request


def is_signed(request, key, tolerance_seconds=300):
    """Whether one of the signatures was made with `key` ("whsec_..."), not long ago."""
    if abs(time.time() - request["timestamp"]) > tolerance_seconds:
        return False
    secret = base64.b64decode(key.removeprefix("whsec_"))
    name = urllib.parse.quote(request["id"], safe="!\"#$&'()*+,/:;<=>?@[\\]^`{|}~")
    signed = f"{name}.{request['timestamp']}.".encode() + request["body"]
    digest = base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    given = request.get("signature", "").split()
    return any(hmac.compare_digest(one, "v1," + digest) for one in given)


class Connection:
    """One connection of a relay. Each request has a task of its own."""

    def __init__(self, reader, writer, handle):
        self.reader, self.writer, self.handle = reader, writer, handle
        self.tasks = {}
        self.last = 0
        self.is_leaving = False

    async def run(self):
        beats = None
        try:
            await self.greet()
            beats = asyncio.create_task(self.beat())
            while True:
                self.hear(*await self.read())
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError):
            pass
        except (Mistake, ValueError, struct.error) as mistake:
            self.writer.write(frame(FAULT, 0, [(1, str(mistake).encode())]))
        finally:
            for task in [beats, *self.tasks.values()]:
                if task:
                    task.cancel()
            self.writer.close()
            with contextlib.suppress(ConnectionError):
                await self.writer.wait_closed()

    async def read(self):
        """The next frame: kind, number, and what stands behind them."""
        (length,) = struct.unpack(">I", await self.reader.readexactly(4))
        if not 9 <= length <= FRAME_BYTES_MAX:
            raise Mistake(f"a frame of {length} bytes is not taken")
        kind, of = struct.unpack(">BQ", await self.reader.readexactly(9))
        return kind, of, await self.reader.readexactly(length - 9)

    async def greet(self):
        kind, _, payload = await self.read()
        hello = dict(fields_of(payload))
        if kind != HELLO or not {1, 2, 6} <= hello.keys():
            raise Mistake("the first frame is no HELLO")
        first, last, self.silence = (struct.unpack(">q", hello[tag])[0] for tag in (1, 2, 6))
        if not first <= VERSION <= last:
            raise Mistake(f"this receiver speaks version {VERSION}")
        self.writer.write(frame(HELLO, 0, [
            (1, number(VERSION)), (2, number(VERSION)), (3, b"frame_receiver.py"),
            (4, number(FRAME_BYTES_MAX)), (6, number(BEAT_SECONDS * 1000)),
        ]))

    async def beat(self):
        while True:
            await asyncio.sleep(BEAT_SECONDS / 2)
            self.writer.write(frame(BEAT))

    def hear(self, kind, of, payload):
        if kind == REQUEST and not self.is_leaving:
            self.last = of
            self.tasks[of] = asyncio.create_task(self.work(of, request_of(payload)))
        elif kind == CANCEL and of in self.tasks:
            self.tasks[of].cancel()
        elif kind == FAULT:
            raise Mistake("the relay found a fault")

    async def work(self, of, request):
        try:
            outcome, *rest = await self.handle(self, request)
            self.answer(of, outcome, *rest)
            await self.writer.drain()
        except ConnectionError:
            pass  # It comes again.
        finally:
            self.tasks.pop(of, None)

    def answer(self, of, outcome, detail=None, status=None, retry_after_ms=None):
        fields = [(1, number(outcome))]
        if status is not None:
            fields.append((2, number(status)))
        if retry_after_ms is not None:
            fields.append((3, number(retry_after_ms)))
        if detail is not None:
            fields.append((4, detail.encode()))
        self.writer.write(frame(ANSWER, of, fields))

    def leave(self, last=None):
        """Takes no more. What was taken is answered; then the relay closes the connection."""
        self.is_leaving = True
        self.writer.write(frame(LEAVING, self.last if last is None else last))


async def serve(host, port, handle):
    async def connected(reader, writer):
        await Connection(reader, writer, handle).run()

    server = await asyncio.start_server(connected, host, port)
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


async def take(_connection, request):
    """Shows a request. One whose answer was lost comes again under the same id."""
    shown = {name: value for name, value in request.items() if name != "body"}
    print(json.dumps({**shown, "body": request["body"].decode(errors="replace")}), flush=True)
    return (DONE,)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), take))
