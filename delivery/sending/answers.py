"""What has come back and is not yet written down. Nothing but writing it makes it go."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

from django.db import Error, connection

from delivery.settle import Result, settle

logger = logging.getLogger("delivery")


class Answers:
    """Of one worker, each tenant's by themselves: one transaction that fails is no other's."""

    def __init__(self) -> None:
        self._waiting: dict[int, list[Result]] = {}
        self._failed: set[int] = set()

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
            # Behind the others: whatever fails here, they come first the next time.
            results = self._waiting[tenant_id] = self._waiting.pop(tenant_id)
            try:
                settle(results, now)
            except Error as error:
                self._tell(tenant_id, results, error)
                connection.close_if_unusable_or_obsolete()
                continue
            del self._waiting[tenant_id]
            self._failed.discard(tenant_id)
            yield results

    def _tell(self, tenant_id: int, results: Sequence[Result], error: Error) -> None:
        if tenant_id in self._failed:
            return
        self._failed.add(tenant_id)
        # Without its text: a database error quotes the row, a phone number with it.
        logger.warning(
            "Answers of Telnyx cannot be written down; they are kept and tried again",
            extra={
                "action": "settling_failed",
                "tenant": tenant_id,
                "texts": len(results),
                "error": type(error).__name__,
            },
        )
