"""A cache that shares its Redis database: clearing it removes its own keys and no others."""

from __future__ import annotations

import re
from typing import Any

from django_redis.client import DefaultClient
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

_AT_ONCE = 500


class PrefixClient(DefaultClient):  # type: ignore[misc]  # django-redis is untyped here
    """As django-redis's own, whose ``clear`` is FLUSHDB: it would fill every bucket beside it."""

    def clear(self, client: Any = None) -> None:
        """Remove every key of this cache, of all versions; costs a SCAN of the database.

        Raises ConnectionInterrupted as the other methods do.
        """
        client = client or self.get_client(write=True)
        prefix = re.sub(r"([*?\[\]\\])", r"\\\1", self._backend.key_prefix)
        keys: list[bytes] = []
        try:
            for key in client.scan_iter(match=f"{prefix}:*", count=_AT_ONCE):
                keys.append(key)
                if len(keys) == _AT_ONCE:
                    client.unlink(*keys)
                    keys.clear()
            if keys:
                client.unlink(*keys)
        except RedisError as error:
            raise ConnectionInterrupted(connection=client) from error
