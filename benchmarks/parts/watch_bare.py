"""The floor: one asyncio loop, one aiohttp session without a limit, a heap.

A restart forgets every job.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
import time

import aiohttp

from benchmarks.parts.watched_jobs import Task, read_task

ENDED = frozenset({"completed", "failed"})


async def watch(task: Task) -> None:
    begin = time.monotonic()
    heap = [(begin + task.first_wait(n), task.training(n)) for n in range(task.jobs)]
    connector = aiohttp.TCPConnector(limit=0)
    headers = {"Authorization": "Key benchmark", "Accept": "application/json"}
    async with aiohttp.ClientSession(connector=connector, headers=headers) as session:

        async def poll(training: str) -> None:
            async with session.get(f"{task.base_url}/trainings/{training}/") as reply:
                state = (await reply.json())["state"]
            if state not in ENDED:
                heapq.heappush(heap, (time.monotonic() + task.interval, training))

        polls: set[asyncio.Task[None]] = set()
        while True:
            while heap and heap[0][0] <= time.monotonic():
                running = asyncio.create_task(poll(heapq.heappop(heap)[1]))
                polls.add(running)
                running.add_done_callback(polls.discard)
            await asyncio.sleep(min(1.0, heap[0][0] - time.monotonic()) if heap else 0.01)


async def main() -> None:
    watching = asyncio.create_task(watch(read_task()))
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    watching.cancel()


if __name__ == "__main__":
    asyncio.run(main())
