"""Compare the present troubles with the known ones, and write the notices.

A trouble has a notice when it begins, another after each ``ALERT_REPEAT_HOURS``, and one when it is over. It
is over only after some time without it, so that a state that flaps is one trouble. The notices are rows of
the same transaction: a crash does not lose them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction

from koinonia.alerts.pages import page_of
from koinonia.alerts.rules import Trouble, troubles
from koinonia.config.alert_rules import Alerts
from koinonia.models import Alert, AlertClock, AlertNotice

MOST_AN_HOUR = 20
"""Notices of one hour. Further news wait for the next hour."""
MOST_IN_A_NOTICE = 50
_NAME = "alerts"
_LONGEST = 500


def take_turn(rules: Alerts, now: datetime) -> bool:
    """Return whether this process judges now."""
    AlertClock.objects.get_or_create(name=_NAME, defaults={"next_at": now, "hour": now})
    following = now + timedelta(seconds=rules.every_seconds)
    mine = AlertClock.objects.filter(name=_NAME, next_at__lte=now)
    return bool(mine.update(next_at=following))


def judge(rules: Alerts, now: datetime) -> int:
    """Write the changes and their notices. Return the number of alerts that are said."""
    found = {trouble.key: trouble for trouble in troubles(rules, now)}
    with transaction.atomic():
        clock = AlertClock.objects.select_for_update().get(name=_NAME)
        known = {alert.key: alert for alert in Alert.objects.filter(over_at=None)}
        for key, trouble in found.items():
            known[key] = _seen(known.get(key), trouble, now)
        says = _left(clock, now) > 0
        said = (
            [_step(alert, found.get(key), rules, now) for key, alert in known.items()]
            if says
            else []
        )
        news = [one for one in said if one is not None][:MOST_IN_A_NOTICE]
        if news:
            _write(news, clock, rules, now)
    return len(news)


def _seen(alert: Alert | None, trouble: Trouble, now: datetime) -> Alert:
    alert = alert or Alert(key=trouble.key, rule=trouble.rule, since=now)
    alert.seen_at = now
    alert.sentence = trouble.sentence[:_LONGEST]
    alert.what_to_do = trouble.what_to_do[:_LONGEST]
    alert.save()
    return alert


def _step(
    alert: Alert, trouble: Trouble | None, rules: Alerts, now: datetime
) -> tuple[Alert, str] | None:
    """Return the alert with its news: ``begun``, ``goes_on`` or ``over``; None without news."""
    if trouble is None:
        if now - alert.seen_at < timedelta(seconds=rules.calm_seconds):
            return None
        if alert.said_at is None:
            # It ended before its rule counts it.
            alert.delete()
            return None
        return alert, "over"
    if alert.said_at is None:
        return (alert, "begun") if now - alert.since >= trouble.after else None
    repeats = now - alert.said_at >= timedelta(hours=rules.repeat_hours)
    return (alert, "goes_on") if repeats else None


def _left(clock: AlertClock, now: datetime) -> int:
    """Return how many notices this hour has left; begin a new hour if the last one is over."""
    if now - clock.hour >= timedelta(hours=1):
        clock.hour, clock.said = now, 0
    return MOST_AN_HOUR - clock.said


def _write(
    news: Sequence[tuple[Alert, str]], clock: AlertClock, rules: Alerts, now: datetime
) -> None:
    clock.said += 1
    clock.save(update_fields=["hour", "said"])
    body = {
        "alerts": [_shown(alert, state) for alert, state in news],
        "is_last": clock.said == MOST_AN_HOUR,
    }
    for alert, state in news:
        ended = {"over_at": now} if state == "over" else {}
        Alert.objects.filter(pk=alert.pk, over_at=None).update(said_at=now, **ended)
    AlertNotice.objects.bulk_create(
        [
            AlertNotice(channel=channel, body=body, made_at=now, due_at=now)
            for channel in _channels(rules)
        ]
    )


def _channels(rules: Alerts) -> list[str]:
    channels = []
    if rules.email:
        channels.append(AlertNotice.Channel.MAIL.value)
    if rules.webhook_url and rules.webhook_secrets:
        channels.append(AlertNotice.Channel.WEBHOOK.value)
    return channels


def _shown(alert: Alert, state: str) -> dict[str, Any]:
    return {
        "state": state,
        "rule": alert.rule,
        "key": alert.key,
        "sentence": alert.sentence,
        "what_to_do": "" if state == "over" else alert.what_to_do,
        "page": f"{settings.PUBLIC_URL}{page_of(alert.rule, alert.key).path}",
        "since": f"{alert.since:%Y-%m-%dT%H:%M:%SZ}",
    }
