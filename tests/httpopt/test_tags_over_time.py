"""An answer with a version must not depend on the clock, because its tag does not."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client

from delivery.models import Message
from delivery.statuses import Status
from koinonia import ids
from koinonia.models import Broadcast, Church
from tests.httpopt.church_data import NOW, answers

DUE = timedelta(hours=1)
WHEN = {
    "a minute later": timedelta(minutes=1),
    "once it is due": DUE,
    "once it has expired": timedelta(hours=3),
    "next week": timedelta(days=7),
}


@pytest.mark.parametrize("later", WHEN.values(), ids=list(WHEN))
def test_time_alone_changes_no_answer(
    two_churches: list[tuple[User, Church]], later: timedelta
) -> None:
    with time_machine.travel(NOW, tick=False):
        before = answers(*two_churches[0])
    with time_machine.travel(NOW + later, tick=False):
        assert answers(*two_churches[0]) == before


def test_a_broadcast_is_sending_from_the_first_claimed_message(
    two_churches: list[tuple[User, Church]],
) -> None:
    user, church = two_churches[0]
    planned = Broadcast.objects.get(church=church, scheduled_at__isnull=False)
    path = f"/api/v1/churches/{church.slug}/broadcasts/{ids.encode(planned.pk)}/"
    client = Client()
    client.force_login(user)
    with time_machine.travel(NOW + DUE, tick=False):
        waiting = client.get(path)
        assert waiting.json()["status"] == "scheduled"
        Message.objects.filter(batch=planned.pk).update(status=Status.QUEUED)
        taken = client.get(path, headers={"If-None-Match": waiting["ETag"]})
    assert (taken.status_code, taken.json()["status"]) == (200, "sending")
