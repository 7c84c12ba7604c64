"""Sending without a task up to the first wait, and finishing in a task."""

from __future__ import annotations

import asyncio

import pytest

from realtime.event_loop import run_to_first_wait


async def test_work_without_a_wait_finishes_at_once() -> None:
    done: list[str] = []

    async def send() -> None:
        done.append("sent")

    assert run_to_first_wait(send()) is None
    assert done == ["sent"]


async def test_work_that_waits_continues_in_a_task() -> None:
    writable = asyncio.Event()
    done: list[str] = []

    async def send() -> None:
        done.append("began")
        await writable.wait()
        await asyncio.sleep(0)
        done.append("sent")

    remainder = run_to_first_wait(send())
    assert remainder is not None
    assert done == ["began"]
    task = asyncio.ensure_future(remainder)
    writable.set()
    await task
    assert done == ["began", "sent"]


async def test_started_work_can_be_cancelled() -> None:
    done: list[str] = []

    async def send() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            done.append("cancelled")

    remainder = run_to_first_wait(send())
    assert remainder is not None
    task = asyncio.ensure_future(remainder)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["cancelled"]


async def test_the_caller_gets_the_errors_at_once_or_later() -> None:
    async def send(waits: bool) -> None:
        if waits:
            await asyncio.sleep(0)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        run_to_first_wait(send(waits=False))
    remainder = run_to_first_wait(send(waits=True))
    assert remainder is not None
    with pytest.raises(ConnectionResetError):
        await remainder
