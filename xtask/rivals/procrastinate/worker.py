"""Posts the body of every job to the receiver; without a receiver only makes the tables.

python worker.py DATABASE [RECEIVER CONCURRENCY]
"""

import asyncio
import sys

import aiohttp
import procrastinate

database, *rest = sys.argv[1:]
CONCURRENCY = int(rest[1]) if rest else 1
connector = procrastinate.PsycopgConnector(
    conninfo=database, min_size=1, max_size=CONCURRENCY + 2
)
app = procrastinate.App(connector=connector)
session: aiohttp.ClientSession


@app.task(name="post")
async def post(body: str) -> None:
    async with session.post(rest[0], data=body.encode()) as response:
        response.raise_for_status()
        await response.read()


async def prepare() -> None:
    async with app.open_async():
        known = await app.connector.execute_query_one_async(
            "SELECT to_regclass('procrastinate_jobs') IS NOT NULL AS known"
        )
        if not known["known"]:
            await app.schema_manager.apply_schema_async()


async def work() -> None:
    global session
    async with aiohttp.ClientSession() as session, app.open_async():
        await app.run_worker_async(
            concurrency=CONCURRENCY,
            delete_jobs="successful",
            listen_notify=True,
            fetch_job_polling_interval=1.0,
        )


asyncio.run(work() if rest else prepare())
