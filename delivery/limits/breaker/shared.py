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
from delivery.providers.base import Account

_SCRIPT = (Path(__file__).parent / "breaker.lua").read_text()


@dataclass(frozen=True, slots=True)
class Seen:
    """The shared state as last read from Redis (milliseconds of the clock of Redis)."""

    state: BreakerState = BreakerState.CLOSED
    epoch: int = 0
    opens: int = 0
    until: int = 0
    wait: float = 0.0


class SharedBreaker:
    """A breaker in Redis. When Redis fails, a breaker in this process continues from the last state."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._seen = Seen()
        self._local: LocalBreaker | None = None

    def ask(self) -> tuple[Permit, Transition | None]:
        """Return whether this worker may call. Costs one round trip; never blocks for longer."""
        rules, token = policy(), uuid.uuid4().hex
        seen = self._seen
        try:
            answer = self._eval("ask", token, _ms(rules.probe_lease),
                                seen.state.value, seen.epoch, seen.opens, seen.until)  # fmt: skip
        except redis_client.RedisUnavailableError:
            return self._alone().ask(token, time.monotonic(), rules)
        return self._read(answer)

    def record(self, permit: Permit, tally: Tally) -> Transition | None:
        """Count the calls of one permit. A probe's permit must be handed back in this way."""
        rules = policy()
        try:
            answer = self._eval("record", permit.epoch, permit.probe, worker_name(),
                                tally.calls, tally.failed, tally.slow, *_numbers(rules))  # fmt: skip
        except redis_client.RedisUnavailableError:
            return self._alone().record(permit, worker_name(), tally, time.monotonic(), rules)
        return self._read(answer)[1]

    def reset(self) -> None:
        """Close the breaker and forget its window."""
        self._seen, self._local = Seen(), None
        try:
            redis_client.call(self._close)
        except redis_client.RedisUnavailableError:
            pass  # Redis is unreachable; its stored state applies again when it returns.

    @property
    def is_shared(self) -> bool:
        """Tell whether the last answer came from Redis, and so from all workers."""
        return self._local is None

    def seconds_open(self) -> float:
        """Return for how long the breaker has just opened."""
        return policy().open_for(max(1, self._local.opens if self._local else self._seen.opens))

    def _read(self, answer: list[Any]) -> tuple[Permit, Transition | None]:
        state = BreakerState(_text(answer[0]))
        allowed, epoch, probe, wait = bool(answer[1]), answer[2], _text(answer[3]), answer[4] / 1000
        before, reason = _text(answer[7]), _text(answer[8])
        self._seen = Seen(state, epoch, answer[5], answer[6], wait)
        self._local = None
        moved = Transition(BreakerState(before), state, reason) if before else None
        return Permit(state, allowed, epoch, probe, wait), moved

    def _alone(self) -> LocalBreaker:
        """Return the breaker of this process, made from the last state when Redis goes away."""
        if self._local is None:
            seen, now = self._seen, time.monotonic()
            self._local = LocalBreaker(seen.state, seen.epoch, seen.opens, now + seen.wait)
        return self._local

    def _eval(self, *arguments: str | int | float) -> list[Any]:
        keys = self._keys()
        answer: list[Any] = redis_client.call(
            lambda redis: redis.eval(_SCRIPT, len(keys), *keys, *arguments)
        )
        return answer

    def _close(self, redis: Redis) -> None:
        # Kept, and not deleted: another worker would write back the last state that it saw.
        state, window = self._keys()
        pipeline = redis.pipeline()
        pipeline.hset(state, mapping={"state": BreakerState.CLOSED.value, "opens": 0})
        pipeline.hincrby(state, "epoch", 1)
        pipeline.delete(window)
        pipeline.execute()

    def _keys(self) -> list[str]:
        name = conf.redis_key("breaker", account=self._account.name)
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
