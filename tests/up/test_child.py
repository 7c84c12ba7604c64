from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from koinonia.up.processes import (
    STABLE_SECONDS,
    Child,
    ChildFailedError,
    Output,
    Program,
    Restarts,
)

STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
LONG_LINE = "print('x' * 1_000_000); print('after')"


@pytest.fixture
def shown() -> list[str]:
    return []


@pytest.fixture
def output(tmp_path: Path, shown: list[str]) -> Iterator[Output]:
    output = Output("part", tmp_path / "part.log", shown.append)
    output.shown = True
    yield output
    output.close()


def child(output: Output, code: str, *, stop_seconds: float = 15) -> Child:
    async def has_spoken() -> bool:
        return bool(output.last)

    program = Program(
        name="part",
        command=[sys.executable, "-c", code],
        environment={},
        is_ready=has_spoken,
        stop_seconds=stop_seconds,
    )
    return Child(program, output, os.open(os.devnull, os.O_RDONLY))


def test_restarts_slow_down_and_stop_after_the_sixth_death_in_a_row() -> None:
    restarts = Restarts()
    pauses = [restarts.pause_after(1) for _ in range(6)]
    assert pauses == [0.5, 1, 2, 4, 8, None]


def test_a_long_run_resets_the_count_of_deaths() -> None:
    restarts = Restarts(deaths=5)
    assert restarts.pause_after(STABLE_SECONDS) == 0.5


async def test_a_child_that_keeps_failing_is_given_up_with_its_last_lines(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("koinonia.up.processes._RESTART_PAUSES", (0.0, 0.0))
    failing = child(output, "print('no disk left'); raise SystemExit(3)")
    await failing.start()
    with pytest.raises(ChildFailedError) as given_up:
        await failing.keep_alive()
    assert str(given_up.value).startswith("The part ended with exit code 3, and did so 3 times")
    assert "no disk left" in str(given_up.value)


async def test_a_child_that_ignores_term_is_killed(output: Output) -> None:
    stubborn = child(output, STUBBORN, stop_seconds=0.2)
    await stubborn.start()
    await stubborn.wait_until_ready()
    await stubborn.stop()
    assert output.last[-1] == "It did not stop within 0.2 s: killed."


async def test_the_lines_of_a_child_are_logged_and_shown_with_its_name(
    output: Output, shown: list[str], tmp_path: Path
) -> None:
    speaking = child(output, "print('hello')")
    await speaking.start()
    await speaking.ended()
    await speaking.stop()
    assert shown == ["part      │ hello"]
    assert (tmp_path / "part.log").read_text() == "hello\n"


async def test_output_continues_after_a_line_longer_than_the_buffer(output: Output) -> None:
    speaking = child(output, LONG_LINE)
    await speaking.start()
    await speaking.ended()
    await speaking.stop()
    assert output.last[-1] == "after"


async def test_a_child_that_dies_before_it_is_ready_is_reported_with_its_signal(
    output: Output,
) -> None:
    dying = child(output, "import os; os.kill(os.getpid(), 11)")
    await dying.start()
    with pytest.raises(ChildFailedError, match="The part was ended by SIGSEGV before it was ready"):
        await dying.wait_until_ready()
    await dying.stop()
