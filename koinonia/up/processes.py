"""One process of the system, kept alive."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from koinonia.up.output import Output
from koinonia.up.parent_death import dies_with_us
from koinonia.up.restarts import Restarts

ROOT = Path(__file__).resolve().parent.parent.parent
_LOOK_SECONDS = 0.05


class ChildFailedError(Exception):
    """A child that cannot be started, or cannot be kept alive; the text says which, and why."""


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], Awaitable[bool]]
    ready_seconds: float = 60
    stop_seconds: float = 15
    """After TERM; what still runs then is killed."""


class Child:
    def __init__(self, program: Program, output: Output, lock: int) -> None:
        self.program = program
        self.output = output
        self._lock = lock
        self._restarts = Restarts()
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._started = 0.0

    @property
    def name(self) -> str:
        return self.program.name

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self.program.command,
            env=self.program.environment,
            cwd=ROOT,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            # Ctrl-C is for the supervisor, which stops its children in order.
            start_new_session=True,
            pass_fds=[self._lock],
            preexec_fn=dies_with_us(),
        )
        self._started = time.monotonic()
        if self._process.stdout is not None:
            self._reader = asyncio.create_task(self.output.follow(self._process.stdout))

    async def wait_until_ready(self) -> None:
        until = time.monotonic() + self.program.ready_seconds
        while not await self.program.is_ready():
            if self._process is None or self._process.returncode is not None:
                raise ChildFailedError(f"{self._end()} before it was ready.\n{self._last_words()}")
            if time.monotonic() > until:
                raise ChildFailedError(
                    f"The {self.name} was not ready after {self.program.ready_seconds:.0f} s."
                    f"\n{self._last_words()}"
                )
            await asyncio.sleep(_LOOK_SECONDS)

    async def keep_alive(self) -> None:
        """Start it again whenever it ends; returns never, raises when that is of no use.

        From now on its lines are shown: what it said while it started is in its log.
        """
        self.output.shown = True
        while True:
            await self.ended()
            pause = self._restarts.pause_after(time.monotonic() - self._started)
            if pause is None:
                raise ChildFailedError(
                    f"{self._end()}, and did so {self._restarts.deaths} times in a row."
                    f"\n{self._last_words()}"
                )
            self.output.write(f"{self._end()}; it is started again in {pause:g} s.")
            await asyncio.sleep(pause)
            await self.start()

    async def stop(self) -> None:
        """TERM, and KILL for what has not ended in time; then nothing of its session is left."""
        if self._process is None:
            return
        self.output.shown = False
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), self.program.stop_seconds)
        except TimeoutError:
            self.output.write(f"It did not stop within {self.program.stop_seconds:g} s: killed.")
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self.ended()
        self.output.close()

    async def ended(self) -> None:
        """Its process is gone, and what it said has been read."""
        if self._process is not None:
            await self._process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=1)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def _end(self) -> str:
        code = None if self._process is None else self._process.returncode
        if code is not None and code < 0:
            return f"The {self.name} was ended by {signal.Signals(-code).name}"
        return f"The {self.name} ended with exit code {code}"

    def _last_words(self) -> str:
        return "\n".join(f"    {line}" for line in self.output.last)
