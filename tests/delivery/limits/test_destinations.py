from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from delivery import dead_letters
from delivery.accept import UnacceptableError, accept_batch
from delivery.country_names import country_name
from delivery.drafts import Draft
from delivery.limits.destinations import _looked_up, countries_of, refusal
from delivery.models import Message
from delivery.testing import ScriptedProvider
from koinonia.models import Church
from tests.delivery.engine.scripted import drain, write

JAMAICA, MEMBER = "+18765550123", "+13125550001"
COSTLY = [
    "+19005550123", "+447012345678", "+448451234567", "+449012345678", "+881612345678", "+882161234567", "+883510012345", "+870773112345", "+979123456789", "+878101234567890",
    "+80012345678", "+80812345678", "+491801234567", "+8835100123456", "+8719123456",
]  # fmt: skip


@pytest.mark.parametrize("number", COSTLY)
def test_a_costly_range_is_never_texted(number: str) -> None:
    assert "never texted" in refusal(number, {"*"})


@pytest.mark.parametrize(
    ("number", "allowed", "taken"),
    [
        (MEMBER, {"US"}, True), ("+18005550123", {"US"}, True), (JAMAICA, {"US"}, False),
        ("+14165550123", {"US"}, False), ("+14165550123", {"US", "CA"}, True), (JAMAICA, {"*"}, True),
        ("+447400123456", {"US"}, False), ("+447400123456", {"GB"}, True), ("+491701234567", {"DE"}, True),
        ("+3725123456", {"US", "CA"}, False), ("+13125550001", set(), False), ("72345", {"*"}, False),
        ("", {"*"}, False), ("GRACE", {"US"}, False), ("+7 abc", {"US"}, False),
    ],
)  # fmt: skip
def test_only_the_countries_that_are_allowed_are_texted(
    number: str, allowed: set[str], taken: bool
) -> None:
    reason = refusal(number, allowed)
    assert (reason == "") == taken
    assert not reason or reason.endswith(".")


@pytest.mark.django_db
def test_a_single_message_abroad_is_refused_with_its_field(grace: Church) -> None:
    with pytest.raises(UnacceptableError) as refused:
        write(grace, to=JAMAICA)
    assert (refused.value.field, "Jamaica" in refused.value.message) == ("to", True)
    assert not Message.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("countries", ["*", ["jm", "us"]])
def test_the_operator_may_allow_a_country_or_all(
    countries: Any, grace: Church, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "COUNTRIES": countries}
    assert write(grace, to=JAMAICA).status == "queued"


@pytest.mark.django_db
def test_the_default_is_the_churchs_own_country(grace: Church) -> None:
    grace.country = "JM"
    assert write(grace, to=JAMAICA).status == "queued"
    with pytest.raises(UnacceptableError):
        write(grace, to=MEMBER)


@pytest.mark.parametrize(
    ("language", "name"),
    [("en", "United Kingdom"), ("es", "Reino Unido"), ("xx", "United Kingdom")],
)
def test_a_closed_country_is_named_in_the_language_of_the_reader(language: str, name: str) -> None:
    with override(language):
        assert f": {name}. " in refusal("+447400123456", {"US"})
        assert country_name("ZZ!") == "ZZ!"


def test_the_numbers_of_a_north_american_exchange_have_one_destination() -> None:
    chosen = random.Random(1)
    for _ in range(300):
        exchange = f"+1{chosen.randrange(200, 1000)}{chosen.randrange(100, 1000)}"
        numbers = [f"{exchange}{chosen.randrange(10_000):04}" for _ in range(5)]
        places = {_looked_up.__wrapped__(number) for number in numbers}
        assert places == {_looked_up(f"{exchange}0000")}


@pytest.mark.django_db
@pytest.mark.parametrize("number", ["+17875550123", "+13405550123", "+16715550123"])
def test_a_church_of_the_united_states_texts_their_territories(grace: Church, number: str) -> None:
    assert refusal(number, countries_of(grace)) == ""


def test_one_number_abroad_does_not_block_a_broadcast(grace: Church) -> None:
    drafts = [Draft(to=to, text="Hi") for to in (MEMBER, JAMAICA)]
    accept_batch(grace, drafts, batch=7, now=timezone.now())
    home, abroad = Message.objects.order_by("pk")
    assert (home.status, abroad.status, abroad.error_code) == (
        "queued",
        "dead",
        "destination_refused",
    )


@pytest.mark.django_db(transaction=True)
def test_scheduled_and_retried_messages_are_checked_again_when_due(
    grace: Church, settings: Any
) -> None:
    settings.DELIVERY = {**settings.DELIVERY, "COUNTRIES": "*"}
    now = timezone.now()
    text = write(grace, to=JAMAICA, now=now, scheduled_at=now + timedelta(hours=1))
    settings.DELIVERY = {**settings.DELIVERY, "COUNTRIES": ["US"]}
    provider = ScriptedProvider()
    drain(provider, lambda: now + timedelta(hours=2)).run()
    text.refresh_from_db()
    assert (text.status, text.error_code) == ("dead", "destination_refused")
    dead_letters.retry(Message.objects.all(), by=None, now=now + timedelta(hours=3))
    drain(provider, lambda: now + timedelta(hours=3)).run()
    text.refresh_from_db()
    assert (text.status, text.error_code, provider.requests) == ("dead", "destination_refused", [])
