"""The Lua script and its Python model give the same answers, in any order of events."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from delivery.limits.breaker import shared
from delivery.limits.breaker.local import LocalBreaker
from delivery.limits.breaker.permit import Permit, Tally
from delivery.limits.breaker.policy import Policy

RULES = Policy(open_time=20, longest_open_time=200, probe_lease=10, window=30)

tallies = st.builds(
    lambda calls, failed, slow: Tally(calls, min(failed, calls), min(slow, calls)),
    st.integers(0, 12), st.integers(0, 12), st.integers(0, 12),
)  # fmt: skip
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.sampled_from(["a", "b"])),
        st.tuples(st.just("record"), st.sampled_from(["w1", "w2", "w3"]), tallies),
        st.tuples(st.just("wait"), st.one_of(st.integers(1, 8), st.integers(1, 60))),
    ),
    max_size=40,
)


class LuaBreaker:
    """Run the script on the test's clock: ``TIME`` is replaced by an argument."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        client.flushdb()
        self._script = shared._SCRIPT.replace(
            "redis.call('TIME')", "{math.floor(ARGV[#ARGV] / 1000), (ARGV[#ARGV] % 1000) * 1000}"
        )

    def eval(self, now: float, *arguments: Any) -> list[Any]:
        found: list[Any] = self._client.eval(
            self._script, 2, "breaker", "window", *arguments, int(now * 1000)
        )
        return found


@pytest.mark.django_db
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=steps)
def test_the_script_and_the_model_agree(steps: list[tuple[Any, ...]], valkey: redis.Redis) -> None:
    lua, model, now = LuaBreaker(valkey), LocalBreaker(), 1000.0
    last = Permit(model.state, True, 0)
    for number, step in enumerate(steps):
        if step[0] == "wait":
            now += step[1]
        elif step[0] == "ask":
            token = f"{step[1]}{number}"
            answer = lua.eval(now, "ask", token, 10_000, "closed", 0, 0, 0)
            last, _ = model.ask(token, now, RULES)
            told = (answer[0].decode(), bool(answer[1]), answer[2], answer[3].decode())
            assert told == (last.state.value, last.allowed, last.epoch, last.probe)
        else:
            tally = step[2]
            if not last.allowed or (tally.calls == 0 and not last.probe):
                continue
            answer = lua.eval(
                now, "record", last.epoch, last.probe, step[1], tally.calls, tally.failed,
                tally.slow, *shared._numbers(RULES),
            )  # fmt: skip
            moved = model.record(last, step[1], tally, now, RULES)
            assert answer[0].decode() == model.state.value
            assert answer[8].decode() == (moved.reason if moved else "")
