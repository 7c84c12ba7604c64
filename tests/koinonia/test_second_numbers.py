"""A church may have a second number, of another provider, and decides whether to use it."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from delivery.models import Message
from delivery.senders import Sender, senders_by_key
from delivery.statuses import Status
from koinonia import sending_numbers
from koinonia.models import Church, SendingNumber
from koinonia.sending_numbers import NumberRefusedError

FIRST, SECOND = "+13125550100", "+13125550190"

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def two_providers(settings: Any) -> None:
    first = settings.DELIVERY["PROVIDERS"]["telnyx"]
    settings.DELIVERY = {**settings.DELIVERY, "PROVIDERS": {"telnyx": first, "other": first}}


def number(*arguments: str) -> str:
    out = StringIO()
    call_command("number", *arguments, stdout=out)
    return out.getvalue()


def test_the_command_gives_a_second_number_and_switches_its_use(grace: Church) -> None:
    told = number("second", "grace", "(312) 555-0190", "--provider", "other")
    assert f"has {SECOND} (other) as second number" in told
    assert "manage.py number failover grace on" in told
    assert f"{SECOND}      grace (Grace Church): in use, second number (other)" in number("list")
    assert senders_by_key(grace.pk) == (Sender("telnyx", FIRST),)

    assert "from its second number while" in number("failover", "grace", "on")
    assert senders_by_key(grace.pk) == (
        Sender("telnyx", FIRST),
        Sender("other", SECOND),
    )
    assert "its texts wait" in number("failover", "grace", "off")
    assert senders_by_key(grace.pk) == (Sender("telnyx", FIRST),)


def test_the_first_number_stays_what_the_church_shows(grace: Church) -> None:
    number("second", "grace", SECOND, "--provider", "other")
    grace.refresh_from_db()
    assert grace.phone_number == FIRST


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["second", "grace", SECOND, "--provider", "telnyx"], "is with telnyx, too"),
        (["second", "grace", SECOND, "--provider", "nobody"], "No provider 'nobody' is configured"),
        (["second", "grace", FIRST, "--provider", "other"], "is the first number"),
        (["second", "grace", "+13125550200", "--provider", "other"], "belongs to another church"),
        (["second", "nowhere", SECOND, "--provider", "other"], "There is no church"),
        (["failover", "grace", "on"], "has no second number"),
    ],
)
def test_an_order_that_cannot_help_is_refused(
    grace: Church, hope: Church, arguments: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        number(*arguments)


def test_a_second_number_is_taken_and_its_use_ends(grace: Church, hope: Church) -> None:
    number("second", "grace", SECOND, "--provider", "other")
    number("failover", "grace", "on")
    assert "has no second number now" in number("take", SECOND)
    assert senders_by_key(grace.pk) == (Sender("telnyx", FIRST),)
    with pytest.raises(NumberRefusedError, match="is reserved until"):
        sending_numbers.give(hope, SECOND, now=timezone.now())


def test_a_new_first_number_may_not_be_with_the_second_numbers_provider(grace: Church) -> None:
    number("second", "grace", SECOND, "--provider", "other")
    with pytest.raises(CommandError, match="is the second number of grace"):
        number("give", "grace", "+13125550142", "--provider", "other")
    number("give", "grace", "+13125550142")
    assert SendingNumber.objects.filter(given_up_at=None, church=grace).count() == 2


def test_texts_to_a_second_number_find_their_church(grace: Church) -> None:
    number("second", "grace", SECOND, "--provider", "other")
    assert sending_numbers.owner_of(SECOND) == grace


def test_a_deleted_church_leaves_both_numbers_reserved(grace: Church, hope: Church) -> None:
    number("second", "grace", SECOND, "--provider", "other")
    grace.delete()
    for left in (FIRST, SECOND):
        with pytest.raises(NumberRefusedError, match="is reserved until"):
            sending_numbers.give(hope, left, now=timezone.now())


def test_a_number_that_another_church_texted_from_is_no_second_number(
    grace: Church, hope: Church
) -> None:
    """People who were texted from it by the other church would still answer that church."""
    now = timezone.now()
    Message.objects.create(
        tenant=hope, to_number="+13125550177", from_number=SECOND, text="Hi",
        status=Status.DELIVERED, created_at=now, updated_at=now,
    )  # fmt: skip
    with pytest.raises(CommandError, match="Another church has texted from"):
        number("second", "grace", SECOND, "--provider", "other")
