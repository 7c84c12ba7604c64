"""A cache that shares its Redis database: ``clear()`` removes the keys of this cache only."""

from __future__ import annotations

import re
from typing import Any

from django_redis.client import DefaultClient
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

_BATCH = 500


class PrefixClient(DefaultClient):  # type: ignore[misc]  # django-redis is untyped here
    """A client that keeps other keys in ``clear``. django-redis uses FLUSHDB, which resets limits."""

    def clear(self, client: Any = None) -> None:
        """Remove every key of this cache, of all versions, with a SCAN of the whole database.

        Raise ConnectionInterrupted, like every method, if Redis cannot be reached.
        """
        client = client or self.get_client(write=True)
        prefix = re.sub(r"([*?\[\]\\])", r"\\\1", self._backend.key_prefix)
        keys: list[bytes] = []
        try:
            for key in client.scan_iter(match=f"{prefix}:*", count=_BATCH):
                keys.append(key)
                if len(keys) == _BATCH:
                    client.unlink(*keys)
                    keys.clear()
            if keys:
                client.unlink(*keys)
        except RedisError as error:
            raise ConnectionInterrupted(connection=client) from error
