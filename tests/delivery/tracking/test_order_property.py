"""Events in any order and number lead to one final status, without a step back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from delivery.models import Message, WebhookEvent
from delivery.references import reference
from delivery.tracking import apply_waiting_events
from delivery.tracking.status import rank
from koinonia.models import Church
from tests.delivery.tracking.conftest import MEMBER, NOW, store
from tests.delivery.webhooks.signing import event, outbound
from tests.support import cast

ENDS = ["delivery_failed", "delivery_unconfirmed"]
STATUSES = ["queued", "sent", "delivered", *ENDS, *ENDS]
ERROR = [{"code": "40008", "title": "Undeliverable"}]


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[list[int]]]:
    """Generate events of one message in batches, with repeats.

    A carrier may report one final status twice with the other one in between.
    """
    said = [
        STATUSES[place]
        for place in draw(st.lists(st.integers(0, len(STATUSES) - 1), min_size=1, unique=True))
    ]
    times = [draw(st.integers(0, 3)) for _ in said]
    events = [_event(status, at) for status, at in zip(said, times, strict=True)]
    again = draw(st.lists(st.sampled_from(range(len(said))), max_size=4))
    order = draw(st.permutations([*range(len(said)), *again]))
    cuts = sorted(draw(st.sets(st.integers(1, len(order)), max_size=3)))
    batches = [order[a:b] for a, b in zip([0, *cuts], [*cuts, len(order)], strict=True)]
    return events, batches


def _event(status: str, at: int) -> dict[str, Any]:
    errors = ERROR if status == "delivery_failed" else []
    body = outbound("p1", status, errors=errors)
    occurred_at = (NOW + timedelta(seconds=at)).isoformat()
    return event("message.finalized", body, occurred_at=occurred_at)


class AnyOrder(TestCase):
    church: Church

    @classmethod
    def setUpTestData(cls) -> None:
        cls.church = cast.church("grace", "+13125550100")

    @given(histories(), st.sampled_from(["unknown", "retrying", "accepted"]))
    @hypothesis_settings(deadline=None, max_examples=60)
    def test_any_order_and_number_of_events_ends_the_same(
        self, history: tuple[list[dict[str, Any]], list[list[int]]], start: str
    ) -> None:
        events, batches = history
        arrived = self._last_word(start, events, batches)
        in_order = sorted(range(len(events)), key=lambda i: str(events[i]["data"]["occurred_at"]))
        assert arrived == self._last_word(start, events, [in_order])

    def _last_word(
        self, start: str, events: list[dict[str, Any]], batches: list[list[int]]
    ) -> tuple[object, ...]:
        WebhookEvent.objects.all().delete()
        Message.objects.all().delete()
        text = Message.objects.create(
            tenant=self.church, to_number=MEMBER, from_number=self.church.phone_number, text="Hi",
            status=start, provider_id="p1" if start == "accepted" else None,
            created_at=NOW, updated_at=NOW, next_attempt_at=NOW,
        )  # fmt: skip
        known = 0
        for batch in batches:
            for index in batch:
                store(events[index], reference(text.pk))
            apply_waiting_events(NOW)
            text.refresh_from_db()
            assert rank(text.status) >= known, "A rank fell."
            known = rank(text.status)
        assert not WebhookEvent.objects.waiting().exists()
        return text.status, text.provider_id, text.error_code, text.delivered_at, text.sent_at


pytestmark = pytest.mark.django_db
