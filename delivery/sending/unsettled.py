"""Results that wait to be written. Only writing a result removes it."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError, connection

from delivery.settle import Result, settle

logger = logging.getLogger("delivery")

_PAUSE_SECONDS = 0.2


class UnsettledResults:
    """Unwritten results, grouped by tenant so that one tenant's failing transaction does not block
    another tenant. If one result of a tenant fails, the remaining results are still written."""

    def __init__(self) -> None:
        self._waiting: dict[Any, list[Result]] = {}
        self._retry_at: dict[Any, float] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, results: Sequence[Result]) -> None:
        for result in results:
            self._waiting.setdefault(result.message.tenant_id, []).append(result)

    def write(self, now: datetime) -> Iterator[list[Result]]:
        """Write results and yield the written ones, tenant by tenant; keep the failed ones.

        A result that can never be written goes when its lease ends: then another worker owns the row.
        """
        for tenant_id in list(self._waiting):
            if time.monotonic() < self._retry_at.get(tenant_id, 0):
                continue
            # Move the tenant to the end: after a failure, other tenants come first.
            results = self._waiting[tenant_id] = self._waiting.pop(tenant_id)
            left = self._write(tenant_id, results, now)
            if left:
                self._waiting[tenant_id] = left
                self._retry_at[tenant_id] = time.monotonic() + _PAUSE_SECONDS
            else:
                del self._waiting[tenant_id]
                self._retry_at.pop(tenant_id, None)
            if len(left) < len(results):
                yield [result for result in results if result not in left]
            if left and connection.connection is None:
                return  # The database is away: do not ask it again for each tenant.

    def _write(self, tenant_id: Any, results: list[Result], now: datetime) -> list[Result]:
        """Write ``results``, one by one where they fail together. Return the unwritten ones."""
        try:
            settle(results, now)
        except (OperationalError, InterfaceError) as error:
            self._warn(tenant_id, results, error)
            connection.close_if_unusable_or_obsolete()
            return results
        except Exception as error:  # a host's receiver may raise anything
            if len(results) > 1:
                return [found for one in results for found in self._write(tenant_id, [one], now)]
            self._warn(tenant_id, results, error)
            return results
        return []

    def _warn(self, tenant_id: Any, results: Sequence[Result], error: Exception) -> None:
        if tenant_id in self._retry_at:
            return  # A second warning adds no information.
        self._retry_at[tenant_id] = 0.0
        place = traceback.extract_tb(error.__traceback__)[-1]
        # Omit the error's text: a database error quotes the row, with a phone number.
        logger.warning(
            "Results of calls cannot be written; they are kept and tried again",
            extra={
                "action": "settling_failed",
                "tenant": tenant_id,
                "texts": len(results),
                "error": type(error).__name__,
                "where": f"{place.name}, line {place.lineno}",
            },
        )
