"""Start, change, pause and end a series."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from delivery.accept import UnacceptableError
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.cancel import cancel_broadcast
from koinonia.broadcasts.change import UNCHANGED, change_broadcast
from koinonia.broadcasts.send import check_audience, check_text
from koinonia.models import Broadcast, Church, Group, Series
from koinonia.series.occurrences import plan_next
from koinonia.series.repeat import Repeat
from koinonia.zones import zone_named

MOST_ACTIVE = 50
"""Series of one church that are not over."""
MOST_INTERVAL = 52
MOST_COUNT = 520


def start_series(
    church: Church,
    text: str,
    audience: Audience,
    *,
    first_at: datetime,
    repeat: Repeat,
    author: User,
    media_urls: Sequence[str] = (),
    now: datetime,
) -> Series:
    """Create the series with its first occurrence. Raise ``UnacceptableError``."""
    text = check_text(text)
    check_audience(church, text, audience, media=bool(media_urls))
    series = Series(
        church=church, text=text, audience=audience.as_sent, media_urls=list(media_urls),
        author=author, created_at=now,
    )  # fmt: skip
    _set_rule(series, repeat, first_at)
    with transaction.atomic():
        # The lock makes two requests count in turn.
        Church.objects.select_for_update(no_key=True).get(pk=church.pk)
        _check_room(church)
        series.save(force_insert=True)
        if plan_next(series.pk, now) is None:
            raise UnacceptableError("repeat", _("This rule has no day in the future."))
    return series


def locked(series_id: int) -> Series:
    """Lock a series and its scheduled occurrence until the transaction ends, and return the series.

    A worker locks the occurrence first, too. Raise Series.DoesNotExist.
    """
    scheduled = Broadcast.objects.filter(series=series_id, due_at__isnull=False)
    list(scheduled.select_for_update(of=("self",)).order_by("pk").values("pk"))
    rows = Series.objects.select_for_update(of=("self",)).select_related("church")
    return rows.get(pk=series_id)


def change_series(
    series: Series,
    *,
    text: str | None = None,
    audience: Audience | None = None,
    first_at: datetime | None = None,
    repeat: Repeat | None = None,
    now: datetime,
) -> None:
    """Change a ``locked`` series and its scheduled occurrence. Raise ``UnacceptableError``.

    With another rule or time the scheduled occurrence is replaced; else it takes the new words.
    """
    if text is not None:
        series.text = check_text(text)
    chosen = audience or Audience.from_json(series.audience)
    check_audience(series.church, series.text, chosen, media=bool(series.media_urls))
    series.audience = chosen.as_sent
    moved = first_at is not None or repeat is not None
    if moved:
        _set_rule(series, repeat or Repeat.of(series), first_at)
    with transaction.atomic():
        series.save()
        scheduled = series.next_broadcast()
        if moved:
            _withdraw(series, now)
            if series.status == Series.Status.ACTIVE and plan_next(series.pk, now) is None:
                raise UnacceptableError("repeat", _("This rule has no day in the future."))
        elif scheduled is not None:
            change_broadcast(
                scheduled, text=series.text, audience=chosen, send_at=UNCHANGED, now=now
            )


def pause(series: Series, now: datetime) -> bool:
    """Withdraw the scheduled occurrence without planning another. Return False unless it was active."""
    with transaction.atomic():
        locked(series.pk)
        if not Series.objects.active().filter(pk=series.pk).update(paused_at=now):
            return False
        _withdraw(series, now)
    return True


def resume(series: Series, now: datetime) -> bool:
    """Plan the next occurrence of a paused series. Return False if it was not paused.

    Raise ``UnacceptableError`` if it would now text people that it left out, or if a file of the series
    is no longer stored.
    """
    paused = Series.objects.filter(pk=series.pk, paused_at__isnull=False, ended_at=None)
    _check_excluded(series)
    with transaction.atomic():
        locked(series.pk)
        if not paused.update(paused_at=None):
            return False
        plan_next(series.pk, now)
    return True


def reopen(series: Series, now: datetime) -> bool:
    """Let an ended series go on. Return False unless it had ended. Raise ``UnacceptableError``."""
    ended = Series.objects.filter(pk=series.pk, ended_at__isnull=False)
    _check_excluded(series)
    with transaction.atomic():
        locked(series.pk)
        Church.objects.select_for_update(no_key=True).get(pk=series.church_id)
        _check_room(series.church)
        if not ended.update(ended_at=None, paused_at=None):
            return False
        audience = Audience.from_json(series.audience)
        check_audience(series.church, series.text, audience, media=bool(series.media_urls))
        if plan_next(series.pk, now) is None:
            raise UnacceptableError("repeat", _("This rule has no day in the future."))
    return True


def skip_next(series: Series, now: datetime) -> bool:
    """Cancel the scheduled occurrence; the one after it is planned. Return False without one."""
    scheduled = series.next_broadcast()
    return scheduled is not None and bool(cancel_broadcast(scheduled, now=now))


def end(series: Series, now: datetime) -> bool:
    """Cancel the scheduled occurrence and plan no other. Return False if the series had ended."""
    with transaction.atomic():
        locked(series.pk)
        if not Series.objects.filter(pk=series.pk, ended_at=None).update(ended_at=now):
            return False
        _withdraw(series, now)
    return True


def _withdraw(series: Series, now: datetime) -> None:
    """Cancel the scheduled occurrence. Its day is free again, for another plan."""
    scheduled = series.next_broadcast()
    if scheduled is not None:
        series.broadcasts.filter(pk=scheduled.pk).update(occurrence=None)
        cancel_broadcast(scheduled, now=now, plans=False)


def _check_room(church: Church) -> None:
    """Raise ``UnacceptableError`` if the church has no room for another series. It is locked."""
    if Series.objects.filter(church=church, ended_at=None).count() >= MOST_ACTIVE:
        sentence = _("A church can have %(most)s repeating broadcasts. End one first.")
        raise UnacceptableError("repeat", sentence % {"most": MOST_ACTIVE})


def _check_excluded(series: Series) -> None:
    """Raise ``UnacceptableError`` if a group is gone that the series leaves out."""
    left_out = Audience.from_json(series.audience).excluded_ids
    if Group.objects.filter(church=series.church_id, pk__in=left_out).count() < len(set(left_out)):
        sentence = _(
            "A group that this broadcast left out is deleted, and its people would get the text."
            " Write a new broadcast."
        )
        raise UnacceptableError("audience", sentence)


def _set_rule(series: Series, repeat: Repeat, first_at: datetime | None) -> None:
    if first_at is not None:
        first = first_at.astimezone(zone_named(series.church.timezone))
        series.starts_on, series.at = first.date(), first.time()
    if repeat.until is not None and repeat.until < series.starts_on:
        raise UnacceptableError("repeat", _("The last day lies before the first one."))
    if repeat.until is not None and repeat.count is not None:
        raise UnacceptableError("repeat", _("Give either the last day or how often, not both."))
    series.every, series.interval = repeat.every, repeat.interval
    series.on_weekday = repeat.every == Series.Every.MONTH and repeat.on == "weekday"
    series.until, series.count = repeat.until, repeat.count
