"""Sending numbers: one church per number, reservation of released numbers."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from delivery.models import Message, OptOut, WebhookEvent
from delivery.statuses import Status
from delivery.tracking import apply_waiting_events
from koinonia import sending_numbers
from koinonia.models import Church, SendingNumber
from koinonia.sending_numbers import NumberRefusedError, number_given
from tests.delivery.tracking.conftest import store
from tests.delivery.webhooks.signing import event, inbound
from tests.support.races import at_once

NEW, MEMBER = "+13125550142", "+13125550177"

pytestmark = pytest.mark.django_db(transaction=True)


def number(*arguments: str) -> str:
    out = StringIO()
    call_command("number", *arguments, stdout=out)
    return out.getvalue()


def give(church: Church, to_give: str = NEW, days: float = 0) -> str:
    return sending_numbers.give(church, to_give, now=timezone.now() + timedelta(days=days))


def waiting(church: Church, status: Status = Status.SCHEDULED) -> Message:
    later = timezone.now() + timedelta(days=60)
    return Message.objects.create(
        tenant=church, to_number=MEMBER, from_number="+13125550100", text="Hi", status=status,
        scheduled_at=later, next_attempt_at=later, expires_at=later + timedelta(days=1),
        created_at=timezone.now(), updated_at=timezone.now(),
    )  # fmt: skip


def test_the_command_assigns_releases_and_lists(grace: Church, hope: Church) -> None:
    heard: list[str] = []

    def hear_of(number: str, **_: Any) -> None:
        heard.append(number)

    number_given.connect(hear_of)
    told = number("give", "grace", "(312) 555-0142")
    assert "grace) texts from +13125550142" in told
    assert "+13125550100 is reserved for it" in told
    assert heard == [NEW]
    assert "cannot text until it gets one" in number("take", NEW)
    listed = [line for line in number("list").splitlines() if "hope" not in line]
    assert [line.split()[0] for line in listed] == ["+13125550100", NEW]
    assert all("grace (Grace Church): reserved until" in line for line in listed)
    with pytest.raises(CommandError, match="No church texts from"):
        number("take", NEW)
    with pytest.raises(CommandError, match="There is no church 'nowhere'"):
        number("give", "nowhere", NEW)


@pytest.mark.parametrize("taken", [NEW, "+13125550200"])
def test_a_number_belongs_to_one_church(grace: Church, hope: Church, taken: str) -> None:
    """Include a church whose number an earlier release set, without a row of numbers."""
    if taken == NEW:
        give(hope)
    else:
        SendingNumber.objects.all().delete()
    with pytest.raises(NumberRefusedError, match="belongs to another church"):
        give(grace, taken)
    grace.refresh_from_db()
    assert grace.phone_number == "+13125550100"


def test_a_new_church_with_a_number_is_listed(grace: Church, hope: Church) -> None:
    listed = number("list").splitlines()
    assert listed == [
        "+13125550100      grace (Grace Church): in use",
        "+13125550200      hope (Hope Church): in use",
    ]


def test_a_number_changed_by_an_earlier_release_is_reserved(grace: Church, hope: Church) -> None:
    Church.objects.filter(pk=grace.pk).update(phone_number="+13125550199")
    assert give(Church.objects.get(pk=grace.pk)) == NEW
    with pytest.raises(NumberRefusedError, match="is reserved until"):
        give(hope, "+13125550100")


def test_a_released_number_is_reserved_for_thirty_days(grace: Church, hope: Church) -> None:
    give(grace)
    with pytest.raises(NumberRefusedError, match="is reserved until"):
        give(hope, "+13125550100", days=29.9)
    assert give(hope, "+13125550100", days=30.1) == "+13125550100"


def test_the_former_church_gets_its_number_back_at_once(grace: Church) -> None:
    give(grace)
    give(grace, "+13125550100")
    rows = {row.number: row.given_up_at is None for row in SendingNumber.objects.all()}
    assert rows == {"+13125550100": True, NEW: False}


@pytest.mark.parametrize("status", [Status.SCHEDULED, Status.QUEUED, Status.RETRYING])
def test_a_number_is_reserved_while_its_texts_wait(
    grace: Church, hope: Church, status: Status
) -> None:
    waiting(grace, status)
    give(grace)
    with pytest.raises(NumberRefusedError, match=r"1 text\(s\) wait"):
        give(hope, "+13125550100", days=31)
    assert "1 texts wait" in number("list")
    Message.objects.update(status=Status.CANCELLED)
    assert give(hope, "+13125550100", days=31) == "+13125550100"


def test_a_deleted_churchs_number_stays_reserved(grace: Church, hope: Church) -> None:
    grace.delete()
    with pytest.raises(NumberRefusedError, match="is reserved until"):
        give(hope, "+13125550100")
    assert "a deleted church: reserved" in number("list")


def test_one_of_two_churches_wins_a_race_for_a_number(grace: Church, hope: Church) -> None:
    outcomes: list[Any] = []

    def get(church: Church) -> None:
        try:
            outcomes.append(give(church))
        except NumberRefusedError:
            outcomes.append("refused")

    at_once([partial(get, church) for church in (grace, hope)])
    assert sorted(outcomes) == [NEW, "refused"]
    assert Church.objects.filter(phone_number=NEW).count() == 1


def test_texts_to_a_released_number_go_to_the_former_church(grace: Church) -> None:
    """Include a sender that the church never texted."""
    give(grace)
    stop = inbound("in1", "STOP", to=[{"phone_number": "+13125550100"}])
    store(event("message.received", stop))
    apply_waiting_events(timezone.now())
    came = Message.objects.get()
    assert (came.tenant, came.to_number) == (grace, "+13125550100")
    assert OptOut.objects.get().tenant == grace
    assert WebhookEvent.objects.get().result == WebhookEvent.Result.APPLIED


def test_a_church_without_a_number_gets_an_error(owner_of_grace: APIClient, grace: Church) -> None:
    number("take", "+13125550100")
    refused = owner_of_grace.post(
        "/api/v1/churches/grace/messages/", {"to": MEMBER, "text": "Hi"}, format="json"
    )
    assert refused.status_code == 400
    assert "the operator gives one" in refused.json()["detail"]
    assert owner_of_grace.get("/api/v1/churches/grace/").json()["phone_number"] is None


@pytest.fixture
def owner_of_grace(grace_owner: Any) -> APIClient:
    client = APIClient()
    client.force_authenticate(grace_owner)
    return client


def test_the_reservation_ends_at_the_given_time(grace: Church, hope: Church) -> None:
    give(grace)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert "texts from +13125550100" in number("give", "hope", "+13125550100")


def test_the_list_of_the_admin_tells_until_when_a_number_is_reserved(
    grace: Church, admin_client: Client
) -> None:
    give(grace)
    page = admin_client.get("/admin/koinonia/sendingnumber/").content.decode()
    until = SendingNumber.objects.exclude(given_up_at=None).get().reserved_until()
    assert until is not None
    assert f"{until:%Y-%m-%d %H:%M:%S} UTC" in page
