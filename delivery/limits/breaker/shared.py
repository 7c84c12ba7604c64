"""The breaker of one provider account, shared by all workers through Redis."""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis import Redis

from delivery import conf, redis_client
from delivery.limits.breaker.local import LocalBreaker
from delivery.limits.breaker.permit import Permit, Tally, Transition
from delivery.limits.breaker.policy import Policy, policy
from delivery.models import BreakerState
from delivery.process import worker_name

_SCRIPT = (Path(__file__).parent / "breaker.lua").read_text()


@dataclass(frozen=True, slots=True)
class Seen:
    """The shared state as Redis told it last, in its own units (milliseconds of its clock)."""

    state: BreakerState = BreakerState.CLOSED
    epoch: int = 0
    opens: int = 0
    until: int = 0
    wait: float = 0.0


class SharedBreaker:
    """Without Redis it goes on from the last state that it saw, with a window of its own."""

    def __init__(self) -> None:
        self._seen = Seen()
        self._local: LocalBreaker | None = None

    def ask(self) -> tuple[Permit, Transition | None]:
        """May this worker call? Costs one round trip; never blocks for longer."""
        rules, token = policy(), uuid.uuid4().hex
        seen = self._seen
        try:
            answer = _eval("ask", token, _ms(rules.probe_lease),
                           seen.state.value, seen.epoch, seen.opens, seen.until)  # fmt: skip
        except redis_client.RedisUnavailableError:
            return self._alone().ask(token, time.monotonic(), rules)
        return self._told(answer)

    def record(self, permit: Permit, tally: Tally) -> Transition | None:
        """What the calls of one permit came to. A probe's permit must be handed back, by this too."""
        rules = policy()
        try:
            answer = _eval("record", permit.epoch, permit.probe, worker_name(),
                           tally.calls, tally.failed, tally.slow, *_numbers(rules))  # fmt: skip
        except redis_client.RedisUnavailableError:
            return self._alone().record(permit, worker_name(), tally, time.monotonic(), rules)
        return self._told(answer)[1]

    def reset(self) -> None:
        """Closed, and nothing remembered."""
        self._seen, self._local = Seen(), None
        try:
            redis_client.attempt(_close)
        except redis_client.RedisUnavailableError:
            pass  # what Redis kept it judges by when it is back

    @property
    def is_shared(self) -> bool:
        """The last answer was that of all workers, and not of this one alone."""
        return self._local is None

    def seconds_open(self) -> float:
        """For how long it has just opened."""
        return policy().open_for(max(1, self._local.opens if self._local else self._seen.opens))

    def _told(self, answer: list[Any]) -> tuple[Permit, Transition | None]:
        state = BreakerState(_text(answer[0]))
        allowed, epoch, probe, wait = bool(answer[1]), answer[2], _text(answer[3]), answer[4] / 1000
        before, reason = _text(answer[7]), _text(answer[8])
        self._seen = Seen(state, epoch, answer[5], answer[6], wait)
        self._local = None
        moved = Transition(BreakerState(before), state, reason) if before else None
        return Permit(state, allowed, epoch, probe, wait), moved

    def _alone(self) -> LocalBreaker:
        """Made when Redis goes away, from what it said last; gone when it is back."""
        if self._local is None:
            seen, now = self._seen, time.monotonic()
            self._local = LocalBreaker(seen.state, seen.epoch, seen.opens, now + seen.wait)
        return self._local


def _eval(*arguments: str | int | float) -> list[Any]:
    keys = _keys()
    answer: list[Any] = redis_client.attempt(
        lambda redis: redis.eval(_SCRIPT, len(keys), *keys, *arguments)
    )
    return answer


def _close(redis: Redis) -> None:
    # Kept, and not deleted: another worker would put back what it saw last.
    state, window = _keys()
    pipeline = redis.pipeline()
    pipeline.hset(state, mapping={"state": BreakerState.CLOSED.value, "opens": 0})
    pipeline.hincrby(state, "epoch", 1)
    pipeline.delete(window)
    pipeline.execute()


def _keys() -> list[str]:
    name = conf.redis_key("breaker")
    return [name, f"{name}:window"]


def _numbers(rules: Policy) -> list[str | int | float]:
    return [
        _ms(rules.window), rules.minimum_calls, rules.failure_rate, rules.slow_rate,
        _ms(rules.open_time), _ms(rules.longest_open_time),
        _ms(rules.recent), rules.recent_failure_rate,
    ]  # fmt: skip


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value
