"""The rules: each looks at the state of the installation and yields the present troubles.

A rule costs a few queries by index, for tables of any size.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count

from delivery import status_report
from delivery.dead_letters import explain
from delivery.desk.durations import in_words
from delivery.limits import breaker, holds, slowdowns, spend, stops
from delivery.models import BreakerState, Message, WebhookEvent
from delivery.providers import registry
from delivery.providers.base import Account
from delivery.statuses import DEAD_LETTERS, Status
from koinonia.config.alert_rules import Alerts
from koinonia.webhooks.lag import lag

MOST_CHURCHES = 20
"""Churches at their limit that get an alert each."""
_MOST_COUNTED = 10_000
_RECENT_EVENTS = 20_000
"""An account with a webhook among so many last ones is looked at; else it counts as silent."""
_MOST_WAITING = timedelta(days=1)
_FEW = 3
"""The least number of texts that wait for a report: below it, silence says little."""
_BLOCKS = {
    BreakerState.OPEN: "{name} fails: calls to it are stopped, and texts wait.",
    BreakerState.HALF_OPEN: "{name} fails: one text at a time is tried, and the others wait.",
    BreakerState.FORCED_OPEN: "A person has stopped all calls to {name}. Texts wait.",
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong now."""

    rule: str
    key: str
    """The rule and its subject, equal while the trouble lasts."""
    sentence: str
    what_to_do: str
    after: timedelta = timedelta()
    """The least duration of a trouble that people hear about."""


def troubles(rules: Alerts, now: datetime) -> list[Trouble]:
    """Return the troubles of this moment, the most serious first."""
    return [
        *_holds(rules, now),
        *_breakers(rules, now),
        *_oldest_due(rules, now),
        *_silence(rules, now),
        *_dead_letters(rules, now),
        *_outgoing(rules, now),
        *_caps(rules, now),
    ]


def _holds(rules: Alerts, now: datetime) -> Iterator[Trouble]:
    if rules.hold_seconds is None:
        return
    for account in registry.accounts():
        hold = holds.current(account, now)
        if hold is not None:
            yield Trouble(
                "hold",
                f"hold:{account.alias}",
                f"{_name(account)} refuses our account (code {hold.code}). Nothing is sent through it.",
                "Replace the key or top up the balance at the provider. Then press “Automatic again…”"
                " beside the account: it ends the hold, and texts go out.",
                timedelta(seconds=rules.hold_seconds),
            )


def _breakers(rules: Alerts, now: datetime) -> Iterator[Trouble]:
    if rules.breaker_seconds is None:
        return
    for account in registry.accounts():
        state = breaker.current(account, now).state
        if state in _BLOCKS:
            forced = state == BreakerState.FORCED_OPEN
            yield Trouble(
                "breaker",
                f"breaker:{account.alias}",
                _BLOCKS[state].format(name=_name(account)),
                "Read beside the account who stopped it, and why. When that is settled, press “Automatic again…”."
                if forced
                else "Look at the provider's status page. It is tried again by itself; texts wait, mostly"
                " up to 24 hours.",
                timedelta(seconds=rules.breaker_seconds),
            )


def _oldest_due(rules: Alerts, now: datetime) -> Iterator[Trouble]:
    if rules.oldest_due_seconds is None:
        return
    after = timedelta(seconds=rules.oldest_due_seconds)
    flowing = [account.alias for account in registry.accounts() if not _is_blocked(account, now)]
    # A person who stopped a church knows that its texts wait.
    stopped = stops.stopped(now)
    oldest = status_report.oldest_due(now, aliases=flowing, without=stopped)
    reason = status_report.why_stuck(now, after=after)
    if oldest is None or now - oldest < after:
        if not reason:
            return
        sentence = reason
    else:
        late = in_words((now - oldest).total_seconds())
        sentence = reason or (
            f"A text has been due for {late}. Workers send: the queue is longer than their pace."
            + (" A person has slowed the pace." if slowdowns.standing(now).exists() else "")
        )
    yield Trouble(
        "oldest_due",
        "oldest_due",
        sentence,
        "Run `manage.py delivery_status --check` on a worker. No worker: start it. Many texts: wait,"
        " or ask the provider for a higher rate.",
    )


def _is_blocked(account: Account, now: datetime) -> bool:
    blocks = breaker.current(account, now).state in _BLOCKS
    return blocks or holds.current(account, now) is not None


def _silence(rules: Alerts, now: datetime) -> Iterator[Trouble]:
    if rules.webhook_silence_seconds is None:
        return
    silent_since = now - timedelta(seconds=rules.webhook_silence_seconds)
    for account in registry.accounts():
        waiting = Message.objects.watched(Status.ACCEPTED).filter(
            provider=account.alias, updated_at__lt=silent_since,
            updated_at__gt=silent_since - _MOST_WAITING,
        )  # fmt: skip
        few = waiting.order_by().values_list("pk", flat=True)[:_FEW]
        if len(few) < _FEW or _has_called_since(account, silent_since):
            continue
        silent = in_words(rules.webhook_silence_seconds)
        yield Trouble(
            "webhook_silence",
            f"webhook_silence:{account.alias}",
            f"{_name(account)} has sent no webhook for {silent}, and texts wait for reports.",
            "Compare the webhook URL and the public key at the provider with PUBLIC_URL and the"
            " settings. Replies and STOPs do not arrive meanwhile. The list shows what came last.",
        )


def _has_called_since(account: Account, since: datetime) -> bool:
    newest = WebhookEvent.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    recent = WebhookEvent.objects.filter(pk__gt=newest - _RECENT_EVENTS, provider=account.alias)
    last = recent.order_by("-pk").values_list("received_at", flat=True).first()
    return last is not None and last >= since


def _dead_letters(rules: Alerts, now: datetime) -> Iterator[Trouble]:
    if rules.dead_letters is None:
        return
    fresh = Message.objects.watched(*sorted(DEAD_LETTERS)).filter(
        updated_at__gte=now - timedelta(hours=1)
    )
    count = fresh.order_by()[:_MOST_COUNTED].count()
    if count < rules.dead_letters:
        return
    worst = (
        fresh.order_by()
        .values("error_code", "provider")
        .annotate(number=Count("pk"))
        .order_by("-number", "error_code")
        .first()
    )
    code, alias = (worst["error_code"], worst["provider"]) if worst else ("", "")
    yield Trouble(
        "dead_letters",
        "dead_letters",
        f"{count} texts of the last hour could not be sent, most of them by code {code}:"
        f" {explain(code, alias)}",
        "Put the cause right. Then choose the cause in the list, and press “Retry all…”.",
    )


def _outgoing(rules: Alerts, now: datetime) -> Iterator[Trouble]:
    if rules.outgoing_seconds is None:
        return
    late_since = lag(now).late_since
    if late_since is None or now - late_since < timedelta(seconds=rules.outgoing_seconds):
        return
    minutes = int((now - late_since).total_seconds()) // 60
    yield Trouble(
        "outgoing",
        "outgoing",
        f"The webhooks of churches have not been sent for {minutes} minutes. No event is lost.",
        "A worker (`manage.py worker`) starts the process koinonia.webhooks: see whether it runs, and its"
        " log. A receiver that fails is no reason for this alert.",
    )


def _caps(rules: Alerts, now: datetime) -> Iterator[Trouble]:
    if not rules.spend_cap:
        return
    waiting = list(spend.waiting(now))
    what = (
        "If the church is right to send so much, raise its daily cap: texts that wait go out at once."
        " Else ask the church: a user or an API key may be misused."
    )
    for limit in waiting[:MOST_CHURCHES]:
        yield Trouble(
            "spend_cap",
            f"spend_cap:{limit.tenant_id}",
            f"{limit.tenant} has reached its daily cap. Its texts wait.",
            what,
        )
    more = len(waiting) - MOST_CHURCHES
    if more > 0:
        yield Trouble(
            "spend_cap",
            "spend_cap:others",
            f"{more} further churches have reached their daily caps.",
            what,
        )


def _name(account: Account) -> str:
    provider = registry.get(account.alias)
    return provider.name if account.alias == provider.key else f"{provider.name} ({account.alias})"
