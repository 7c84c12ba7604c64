"""The rows of a batch: from drafts to inserted messages, without a model instance for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import router
from django.db.models import Model

from delivery import opt_outs
from delivery.acceptable import CONTENT, check_content, check_recipient, content_of
from delivery.content.encoding import Measured
from delivery.drafts import Draft
from delivery.limits import destinations
from delivery.models import Message
from delivery.models.bulk_insert import BulkInsert
from delivery.models.transitions import Failure
from delivery.statuses import Status

_OUTCOME = ("status", "error_code", "error_title", "error_class", "dead_since")


class BatchRows:
    """Inserts the messages of one batch. ``shared`` has the values that all of them have."""

    def __init__(self, tenant: Model, shared: Message, now: datetime) -> None:
        self._tenant = tenant
        self._shared = shared
        self._now = now
        self._countries = destinations.countries_of(tenant)
        self._table = BulkInsert(shared, (*CONTENT, *_OUTCOME), using=router.db_for_write(Message))
        self._numbers = set[str]()
        self._failed = list[str]()
        self.counts = Counter[str]()
        """The inserted messages by status."""

    def insert(self, drafts: Sequence[Draft]) -> None:
        """Insert a message for each draft whose number has none in this batch yet."""
        once = dict[str, Draft]()
        for draft in drafts:
            if draft.to not in self._numbers:
                once.setdefault(draft.to, draft)
        stopped = opt_outs.opted_out(self._tenant.pk, once.keys())
        contents = dict[tuple[str, tuple[str, ...], bool], tuple[str, Measured]]()
        rows = list[tuple[Any, ...]]()
        for draft in once.values():
            check_recipient(draft.to)
            key = (draft.text, draft.media_urls, draft.failure is None)
            if key not in contents:
                contents[key] = check_content(draft)
            text, measured = contents[key]
            outcome = self._outcome(draft, draft.to in stopped)
            self.counts[outcome[0]] += 1
            rows.append((*content_of(draft, text, measured), *outcome))
        self._numbers.update(once)
        self._table.insert(rows)

    def failed(self) -> Iterator[Message]:
        """Return the messages that can never be sent, in the order of their keys."""
        shared, at_once = self._shared, 1_000
        for start in range(0, len(self._failed), at_once):
            yield from Message.objects.filter(
                tenant=shared.tenant_id,
                batch=shared.batch,
                to_number__in=self._failed[start : start + at_once],
            ).order_by("pk")

    def _outcome(self, draft: Draft, is_stopped: bool) -> tuple[Any, ...]:
        """Return the values of ``_OUTCOME``.

        A message to a refused destination ends here, so that it stays visible and blocks no other.
        """
        failure = draft.failure
        if failure is None:
            if is_stopped:
                return (Status.SUPPRESSED.value, "", "", "", None)
            reason = destinations.refusal(draft.to, self._countries)
            if not reason:
                return (str(self._shared.status), "", "", "", None)
            failure = destinations.failure(reason)
        self._failed.append(draft.to)
        return self._outcome_of(failure)

    def _outcome_of(self, failure: Failure) -> tuple[Any, ...]:
        ended = Message(status=self._shared.status)
        ended.give_up(failure, self._now)
        return tuple(getattr(ended, name) for name in _OUTCOME)
