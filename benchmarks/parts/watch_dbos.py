"""DBOS on SQLite: a durable workflow for each job, a durable sleep and a recorded step per poll."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
from dbos import DBOS

from benchmarks.parts.watched_jobs import Task, read_task

CONNECTIONS = 64
ENDED = frozenset({"completed", "failed"})

session: aiohttp.ClientSession


@DBOS.step()
async def poll(url: str) -> str:
    async with session.get(url) as reply:
        state: str = (await reply.json())["state"]
    return state


@DBOS.workflow()
async def watch(url: str, first_wait: float, interval: float) -> None:
    await DBOS.sleep_async(first_wait)
    while await poll(url) not in ENDED:
        await DBOS.sleep_async(interval)


async def run(task: Task) -> None:
    global session  # A step takes only what can be stored, so it cannot be handed one.
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    headers = {"Authorization": "Key benchmark", "Accept": "application/json"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
        ended = asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for number in range(task.jobs):
            url = f"{task.base_url}/trainings/{task.training(number)}/"
            await DBOS.start_workflow_async(watch, url, task.first_wait(number), task.interval)
        await ended


def main() -> None:
    task = read_task()
    database = f"sqlite:///{task.directory}/dbos.sqlite"
    DBOS(config={"name": "bench", "system_database_url": database, "console_log_level": "ERROR"})
    DBOS.launch()
    asyncio.run(run(task))
    DBOS.destroy()


if __name__ == "__main__":
    main()
