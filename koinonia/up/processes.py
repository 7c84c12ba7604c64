"""A process of the system: its output, its restarts, its end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from logging import makeLogRecord
from logging.handlers import RotatingFileHandler
from pathlib import Path

from delivery.worker.parent_death import dies_with_us

ROOT = Path(__file__).resolve().parent.parent.parent
STABLE_SECONDS = 60.0
_RESTART_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
_READY_POLL_SECONDS = 0.05
_LOG_BYTES = 5 * 1024 * 1024
_NAME_WIDTH = 9
_LAST_LINES = 15


class ChildFailedError(Exception):
    """A child that cannot be started or kept alive; the text names the child and the reason."""


@dataclass(frozen=True, kw_only=True)
class Program:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    is_ready: Callable[[], Awaitable[bool]]
    ready_seconds: float = 60
    stop_seconds: float = 15
    """The time between SIGTERM and SIGKILL."""


class Output:
    """The lines of one child: written to its log and, while ``shown``, to the screen."""

    def __init__(self, name: str, log: Path, show: Callable[[str], None]) -> None:
        self._prefix = f"{name:<{_NAME_WIDTH}} │ "
        self._log = RotatingFileHandler(log, maxBytes=_LOG_BYTES, backupCount=2, delay=True)
        self._show = show
        self.shown = False
        self.last: deque[str] = deque(maxlen=_LAST_LINES)

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Read lines until the child, and every process that inherited its output, has ended."""
        while line := await _read_line(stream):
            self.write(line.decode(errors="replace").rstrip())

    def write(self, text: str) -> None:
        self.last.append(text)
        self._log.emit(makeLogRecord({"msg": text}))
        if self.shown:
            self._show(self._prefix + text)

    def last_lines(self) -> str:
        """Return the last lines, indented, for an error message."""
        return "\n".join(f"    {line}" for line in self.last)

    def close(self) -> None:
        self._log.close()


async def _read_line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:
        # The line is longer than the buffer, and asyncio has dropped it.
        return b"(a line too long to show)\n"


@dataclass
class Restarts:
    """The restart policy of one child: growing pauses, and none after the sixth death in a row."""

    deaths: int = 0

    def pause_after(self, lived: float) -> float | None:
        """Return the pause after ``lived`` seconds of running; None if the child has failed."""
        if lived >= STABLE_SECONDS:
            self.deaths = 0
        self.deaths += 1
        return _RESTART_PAUSES[self.deaths - 1] if self.deaths <= len(_RESTART_PAUSES) else None


async def start_process(
    command: Sequence[str], environment: Mapping[str, str], lock: int
) -> asyncio.subprocess.Process:
    """Start a process that inherits ``lock`` and that the kernel kills when we end."""
    return await asyncio.create_subprocess_exec(
        *command,
        env=environment,
        cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # Only the supervisor handles Ctrl-C; it stops its children in order.
        start_new_session=True,
        pass_fds=[lock],
        preexec_fn=dies_with_us(),
    )


def kill_session(process: asyncio.subprocess.Process) -> None:
    """Kill the process and every process that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


class Child:
    """A program that runs until ``stop``, and that restarts when it ends before."""

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
        process = await start_process(self.program.command, self.program.environment, self._lock)
        self._process = process
        self._started = time.monotonic()
        if process.stdout is not None:
            self._reader = asyncio.create_task(self.output.follow(process.stdout))

    async def wait_until_ready(self) -> None:
        until = time.monotonic() + self.program.ready_seconds
        while not await self.program.is_ready():
            if self._process is None or self._process.returncode is not None:
                raise self._failure(f"{self._describe_end()} before it was ready.")
            if time.monotonic() > until:
                seconds = f"{self.program.ready_seconds:.0f} s"
                raise self._failure(f"The {self.name} was not ready after {seconds}.")
            await asyncio.sleep(_READY_POLL_SECONDS)

    async def keep_alive(self) -> None:
        """Restart the child each time it ends. Never return; raise ChildFailedError to give up.

        From here on the child's lines appear on the screen. Its start is only in its log.
        """
        self.output.shown = True
        while True:
            await self.ended()
            pause = self._restarts.pause_after(time.monotonic() - self._started)
            if pause is None:
                deaths = f"and did so {self._restarts.deaths} times in a row."
                raise self._failure(f"{self._describe_end()}, {deaths}")
            self.output.write(f"{self._describe_end()}; it is started again in {pause:g} s.")
            await asyncio.sleep(pause)
            await self.start()

    async def stop(self) -> None:
        """Send SIGTERM, then SIGKILL to everything in the child's session that is left."""
        if self._process is None:
            return
        self.output.shown = False
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), self.program.stop_seconds)
        except TimeoutError:
            self.output.write(f"It did not stop within {self.program.stop_seconds:g} s: killed.")
        kill_session(self._process)
        await self.ended()
        self.output.close()

    async def ended(self) -> None:
        """Wait until the process has ended and its output has been read."""
        if self._process is not None:
            await self._process.wait()
        if self._reader is not None:
            await asyncio.wait([self._reader], timeout=1)

    def _failure(self, sentence: str) -> ChildFailedError:
        return ChildFailedError(f"{sentence}\n{self.output.last_lines()}")

    def _describe_end(self) -> str:
        code = None if self._process is None else self._process.returncode
        if code is not None and code < 0:
            return f"The {self.name} was ended by {signal.Signals(-code).name}"
        return f"The {self.name} ended with exit code {code}"
