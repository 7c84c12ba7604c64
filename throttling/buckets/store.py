from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import NoScriptError, RedisError

from throttling.buckets.bucket import Bucket, BucketState, BucketsUnavailableError, Decision

SCRIPT = (Path(__file__).parent / "script.lua").read_bytes()
DIGEST = hashlib.sha1(SCRIPT, usedforsecurity=False).hexdigest()


class BucketStore:
    """Buckets in one Redis database; each call is one round trip for any number of buckets.

    ``connection`` makes the client and is called once. Every method raises BucketsUnavailableError
    if Redis does not answer. Tests may pass ``now`` (Unix ms) in place of the server's clock; keys
    written with it do not expire.
    """

    def __init__(self, connection: Callable[[], redis.Redis], prefix: str) -> None:
        self._connection = connection
        self.prefix = prefix
        self.version_key = f"{prefix}!version"
        self.refused_key = f"{prefix}!refused"
        self.in_flight_key = f"{prefix}!in_flight"

    @cached_property
    def client(self) -> redis.Redis:
        return self._connection()

    @cached_property
    def _send(self) -> Callable[..., Any]:
        return self.client.execute_command

    def key(self, name: str) -> str:
        return f"{self.prefix}:{name}"

    def take(self, buckets: Sequence[Bucket], *, now: int | None = None) -> Decision:
        """Charge all of the buckets, or none."""
        return self._run(b"take", buckets, now)

    def try_to_take(self, buckets: Sequence[Bucket], *, now: int | None = None) -> Decision:
        """Charge like ``take``, but record no refusal: it is not counted, and no wait grows."""
        return self._run(b"try", buckets, now)

    def peek(self, buckets: Sequence[Bucket], *, now: int | None = None) -> Decision:
        """Return the decision that ``take`` would make, and change nothing."""
        return self._run(b"peek", buckets, now)

    def give_back(self, buckets: Sequence[Bucket], *, now: int | None = None) -> Decision:
        """Return the costs; a bucket never holds more than its burst."""
        return self._run(b"give", buckets, now)

    def reset(self, names: Iterable[str]) -> int:
        """Fill the named buckets and return how many were not full."""
        keys = [self.key(name) for name in names]
        if not keys:
            return 0
        self._command("ZREM", self.refused_key, *keys)
        return int(self._command("DEL", *keys))

    def names(self, pattern: str, limit: int = 1000) -> list[str]:
        """Return the names of used buckets that match (``*`` and ``?``); too slow for requests."""
        found: list[str] = []
        try:
            for key in self.client.scan_iter(match=self.key(pattern), count=500):
                found.append(_text(key).removeprefix(f"{self.prefix}:"))
                if len(found) == limit:
                    break
        except RedisError as error:
            raise BucketsUnavailableError from error
        return sorted(found)

    def most_refused(self, limit: int = 20) -> list[tuple[str, int]]:
        """Return names of buckets and how often each refused, within at most an hour."""
        rows = self._command("ZREVRANGE", self.refused_key, 0, limit - 1, "WITHSCORES")
        pairs = rows if not rows or isinstance(rows[0], (list, tuple)) else _pairs(rows)
        return [(_text(key).removeprefix(f"{self.prefix}:"), int(float(n))) for key, n in pairs]

    def add_in_flight(self, members: Sequence[str], until_ms: int) -> None:
        """Register members as in flight until they are removed, at the latest until ``until_ms``."""
        pairs = [part for member in members for part in (until_ms, member)]
        self._command("ZADD", self.in_flight_key, *pairs)
        self._command("PEXPIREAT", self.in_flight_key, until_ms)

    def remove_in_flight(self, members: Sequence[str]) -> None:
        self._command("ZREM", self.in_flight_key, *members)

    def in_flight(self, now_ms: int, limit: int = 1000) -> list[str]:
        """Return the members in flight; drop members after their time, because they crashed."""
        self._command("ZREMRANGEBYSCORE", self.in_flight_key, "-inf", now_ms)
        rows = self._command("ZRANGE", self.in_flight_key, 0, limit - 1)
        return [_text(row) for row in rows]

    def announce(self, version: str) -> None:
        """Make the next decision of every process carry this version."""
        self._command("SET", self.version_key, version)

    def _run(self, mode: bytes, buckets: Sequence[Bucket], now: int | None) -> Decision:
        keys: list[str] = [f"{self.prefix}:{bucket.key}" for bucket in buckets]
        arguments: list[bytes | int] = [mode, b"" if now is None else now]
        for bucket in buckets:
            arguments += bucket.rate.arguments
            arguments += (bucket.cost, bucket.longest_wait_ms, 1 if bucket.shadow else 0)
        reply = self._evaluate(len(keys) + 2, *keys, self.version_key, self.refused_key, *arguments)
        return _decision(reply)

    def _evaluate(self, *arguments: Any) -> list[Any]:
        try:
            try:
                return list(self._send("EVALSHA", DIGEST, *arguments))
            except NoScriptError:
                # EVAL, not SCRIPT LOAD: a script flush between two calls cannot make EVAL fail.
                return list(self._send("EVAL", SCRIPT, *arguments))
        except RedisError as error:
            raise BucketsUnavailableError(str(error)) from error

    def _command(self, *arguments: Any) -> Any:
        try:
            return self._send(*arguments)
        except RedisError as error:
            raise BucketsUnavailableError(str(error)) from error


def _decision(reply: list[Any]) -> Decision:
    states = tuple(
        BucketState(reply[i] == 1, reply[i + 1], reply[i + 2], reply[i + 3])
        for i in range(3, len(reply), 4)
    )
    return Decision(reply[2], states, reply[0], _text(reply[1]))


def _text(value: bytes | str) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _pairs(flat: Sequence[Any]) -> list[tuple[Any, Any]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
