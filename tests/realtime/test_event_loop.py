"""Beginning to send without a task, and finishing in one."""

from __future__ import annotations

import asyncio

import pytest

from realtime.event_loop import run_to_first_wait


async def test_what_need_not_wait_is_done_at_once() -> None:
    done: list[str] = []

    async def send() -> None:
        done.append("sent")

    assert run_to_first_wait(send()) is None
    assert done == ["sent"]


async def test_what_has_to_wait_goes_on_where_it_was() -> None:
    writable = asyncio.Event()
    done: list[str] = []

    async def send() -> None:
        done.append("began")
        await writable.wait()
        await asyncio.sleep(0)
        done.append("sent")

    rest = run_to_first_wait(send())
    assert rest is not None
    assert done == ["began"]
    task = asyncio.ensure_future(rest)
    writable.set()
    await task
    assert done == ["began", "sent"]


async def test_what_has_begun_can_be_cancelled() -> None:
    done: list[str] = []

    async def send() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            done.append("gave up")

    rest = run_to_first_wait(send())
    assert rest is not None
    task = asyncio.ensure_future(rest)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert done == ["gave up"]


async def test_its_errors_are_the_callers_at_once_or_later() -> None:
    async def send(waits: bool) -> None:
        if waits:
            await asyncio.sleep(0)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        run_to_first_wait(send(waits=False))
    rest = run_to_first_wait(send(waits=True))
    assert rest is not None
    with pytest.raises(ConnectionResetError):
        await rest
