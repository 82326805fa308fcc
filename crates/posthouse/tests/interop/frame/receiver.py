"""A receiver of the frame protocol that does what the method of a request says: takes it, or is
slow, out of order, wrong, or gone. It shows every request, and the connection on which it came."""

import asyncio
import json
import pathlib
import sys

EXAMPLES = pathlib.Path(__file__).parents[5] / "crates/posthouse-relay/examples"
sys.path.insert(0, str(EXAMPLES))
import frame_receiver as frames  # noqa: E402

KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
times = {}
connections = {}
held = []


async def handle(connection, request):
    count = times[request["id"]] = times.get(request["id"], 0) + 1
    body = request.pop("body").decode()
    nth = connections.setdefault(connection, len(connections))
    shown = {**request, "body": body, "connection": nth,
             "signed": frames.is_signed({**request, "body": body.encode()}, KEY)}
    print(json.dumps(shown), flush=True)
    return await DEEDS[request.get("method", "take")](connection, count)


async def take(_connection, _count):
    return frames.DONE, "taken", 7


async def slow(_connection, _count):
    await asyncio.sleep(0.3)
    return (frames.DONE,)


async def reorder(_connection, _count):
    """Nobody is answered before five are here; then the last one is answered first."""
    mine = asyncio.Event()
    held.append(mine)
    if len(held) == 5:
        held.pop().set()
    await mine.wait()
    if held:
        held.pop().set()
    return (frames.DONE,)


async def postpone(_connection, count):
    return (frames.DONE,) if count > 1 else (frames.POSTPONED, "busy", 3, 200)


async def fail(_connection, count):
    return (frames.DONE,) if count > 2 else (frames.FAILED, "broken")


async def reject(_connection, _count):
    return frames.REJECTED, "no such order", -404


async def close(connection, count):
    if count == 1:
        connection.writer.transport.abort()
    return (frames.DONE,)


async def half(connection, count):
    """Breaks off in the middle of its answer."""
    if count == 1:
        connection.writer.write(frames.frame(frames.ANSWER, 1, [(1, frames.number(1))])[:20])
        await connection.writer.drain()
        connection.writer.close()
    return (frames.DONE,)


async def garble(connection, count):
    if count == 1:
        connection.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    return (frames.DONE,)


async def strange(connection, count):
    """Answers what it was never asked."""
    if count == 1:
        connection.answer(1 << 40, frames.DONE)
        await asyncio.sleep(60)
    return (frames.DONE,)


async def silent(_connection, count):
    if count == 1:
        await asyncio.sleep(60)
    return (frames.DONE,)


async def leave(connection, count):
    """Has taken everything before this one, and takes no more."""
    if count == 1:
        mine = asyncio.current_task()
        connection.leave(next(of for of, task in connection.tasks.items() if task is mine) - 1)
        await asyncio.sleep(60)
    return (frames.DONE,)


DEEDS = {deed.__name__: deed for deed in (take, slow, reorder, postpone, fail, reject, close, half,
                                          garble, strange, silent, leave)}

if __name__ == "__main__":
    asyncio.run(frames.serve("127.0.0.1", 0, handle))
