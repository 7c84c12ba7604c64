"""What has come back and is not yet written down. Nothing but writing it makes it go."""

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


class Answers:
    """Of one worker, each tenant's by themselves: one transaction that fails is no other's. And where
    one text cannot be written, the others of its tenant are."""

    def __init__(self) -> None:
        self._waiting: dict[Any, list[Result]] = {}
        self._again: dict[Any, float] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, results: Sequence[Result]) -> None:
        for result in results:
            self._waiting.setdefault(result.message.tenant_id, []).append(result)

    def write(self, now: datetime) -> Iterator[list[Result]]:
        """Write what can be written, and give it tenant by tenant; keep the rest for the next time.

        What can never be written goes at the latest when its lease has ended: then the row is no
        longer this worker's, and nothing is to be written.
        """
        for tenant_id in list(self._waiting):
            if time.monotonic() < self._again.get(tenant_id, 0):
                continue
            # Behind the others: whatever fails here, they come first the next time.
            results = self._waiting[tenant_id] = self._waiting.pop(tenant_id)
            left = self._left_of(tenant_id, results, now)
            if left:
                self._waiting[tenant_id] = left
                self._again[tenant_id] = time.monotonic() + _PAUSE_SECONDS
            else:
                del self._waiting[tenant_id]
                self._again.pop(tenant_id, None)
            if len(left) < len(results):
                yield [result for result in results if result not in left]
            if left and connection.connection is None:
                return  # the database is away, and would be asked once more for each tenant

    def _left_of(self, tenant_id: Any, results: list[Result], now: datetime) -> list[Result]:
        """Those that cannot be written: all of them, or one by one where it is not the database."""
        try:
            settle(results, now)
        except (OperationalError, InterfaceError) as error:
            self._tell(tenant_id, results, error)
            connection.close_if_unusable_or_obsolete()
            return results
        except Exception as error:  # a host's receiver may raise anything
            if len(results) > 1:
                return [found for one in results for found in self._left_of(tenant_id, [one], now)]
            self._tell(tenant_id, results, error)
            return results
        return []

    def _tell(self, tenant_id: Any, results: Sequence[Result], error: Exception) -> None:
        if tenant_id in self._again:
            return  # it has been told
        self._again[tenant_id] = 0.0
        place = traceback.extract_tb(error.__traceback__)[-1]
        # Without its text: a database error quotes the row, a phone number with it.
        logger.warning(
            "Answers of Telnyx cannot be written down; they are kept and tried again",
            extra={
                "action": "settling_failed",
                "tenant": str(tenant_id),
                "texts": len(results),
                "error": type(error).__name__,
                "where": f"{place.name}, line {place.lineno}",
            },
        )
