"""A trouble has a notice when it begins, some while it lasts, and one when it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from koinonia.alerts import judge as judging
from koinonia.alerts.judge import judge, take_turn
from koinonia.alerts.rules import Trouble
from koinonia.config.alert_rules import Alerts
from koinonia.models import Alert, AlertNotice
from tests.koinonia.alerts.conftest import RULES

NOW = timezone.now()
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


class Installation:
    """Holds the present troubles, and judges them."""

    def __init__(self) -> None:
        self.troubles: list[Trouble] = []

    def breaks(self, *keys: str, after: timedelta = timedelta()) -> None:
        self.troubles = [Trouble("breaker", key, f"{key} fails.", "Look.", after) for key in keys]

    def heals(self) -> None:
        self.troubles = []

    def says(self, at: datetime, rules: Alerts = RULES) -> list[str]:
        """Judge at this moment, and return the new words of the notices."""
        before = set(AlertNotice.objects.values_list("pk", flat=True))
        judge(rules, at)
        bodies = AlertNotice.objects.exclude(pk__in=before).values_list("body", flat=True)
        return [f"{one['key']} {one['state']}" for body in bodies for one in body["alerts"]]


@pytest.fixture
def installation(db: None, monkeypatch: pytest.MonkeyPatch) -> Installation:
    installation = Installation()
    monkeypatch.setattr(judging, "troubles", lambda rules, now: installation.troubles)
    take_turn(RULES, NOW)
    return installation


def test_a_trouble_is_said_once_and_its_end_once(installation: Installation) -> None:
    installation.breaks("breaker:telnyx")
    assert installation.says(NOW) == ["breaker:telnyx begun"]
    for minute in range(1, 30):
        assert installation.says(NOW + minute * MINUTE) == []
    installation.heals()
    assert installation.says(NOW + 30 * MINUTE) == []
    assert installation.says(NOW + 32 * MINUTE) == ["breaker:telnyx over"]
    assert installation.says(NOW + 33 * MINUTE) == []
    assert Alert.objects.get().over_at == NOW + 32 * MINUTE


def test_a_trouble_that_goes_on_is_said_again(installation: Installation) -> None:
    installation.breaks("breaker:telnyx")
    installation.says(NOW)
    assert installation.says(NOW + 4 * HOUR - SECOND) == []
    assert installation.says(NOW + 4 * HOUR) == ["breaker:telnyx goes_on"]
    assert installation.says(NOW + 5 * HOUR) == []


def test_a_state_that_flaps_is_one_trouble(installation: Installation) -> None:
    said = []
    for half_minute in range(60):
        installation.breaks("breaker:telnyx") if half_minute % 2 else installation.heals()
        said += installation.says(NOW + half_minute * MINUTE / 2)
    assert said == ["breaker:telnyx begun"]


def test_a_trouble_shorter_than_its_rule_is_never_said(installation: Installation) -> None:
    installation.breaks("breaker:telnyx", after=MINUTE)
    assert installation.says(NOW) == []
    assert installation.says(NOW + 30 * SECOND) == []
    installation.heals()
    assert installation.says(NOW + 5 * MINUTE) == []
    assert not Alert.objects.exists()
    installation.breaks("breaker:telnyx", after=MINUTE)
    assert installation.says(NOW + 6 * MINUTE) == []
    assert installation.says(NOW + 7 * MINUTE) == ["breaker:telnyx begun"]


def test_news_of_one_moment_are_one_notice_per_channel(installation: Installation) -> None:
    installation.breaks(*[f"spend_cap:{number}" for number in range(9)])
    both = judging.MOST_AN_HOUR, RULES
    assert len(installation.says(NOW, both[1])) == 9
    assert AlertNotice.objects.count() == 1


def test_an_hour_has_few_notices_and_nothing_is_lost(installation: Installation) -> None:
    said = []
    for number in range(judging.MOST_AN_HOUR + 5):
        installation.breaks(*[f"spend_cap:{one}" for one in range(number + 1)])
        said += installation.says(NOW + number * SECOND)
    assert len(said) == judging.MOST_AN_HOUR
    bodies = list(AlertNotice.objects.order_by("pk").values_list("body", flat=True))
    assert [body["is_last"] for body in bodies] == [False] * (judging.MOST_AN_HOUR - 1) + [True]
    assert len(installation.says(NOW + HOUR)) == 5


def test_nothing_is_said_to_a_channel_that_is_not_configured(installation: Installation) -> None:
    installation.breaks("breaker:telnyx")
    installation.says(NOW)
    assert list(AlertNotice.objects.values_list("channel", flat=True)) == ["mail"]


@pytest.mark.django_db
def test_one_process_judges_in_each_interval() -> None:
    assert take_turn(RULES, NOW)
    assert not take_turn(RULES, NOW + 14 * SECOND)
    assert take_turn(RULES, NOW + 15 * SECOND)


@pytest.mark.django_db(transaction=True)
def test_of_many_processes_at_once_one_judges() -> None:
    take_turn(RULES, NOW)
    taken: list[bool] = []

    def at_once(start: Callable[[], Any]) -> None:
        try:
            start()
            taken.append(take_turn(RULES, NOW + MINUTE))
        finally:
            connections.close_all()

    barrier = threading.Barrier(4)
    threads = [threading.Thread(target=at_once, args=(barrier.wait,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == [False, False, False, True]
