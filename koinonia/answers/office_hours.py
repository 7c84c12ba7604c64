"""The office hours of a church: one span a day, in the church's zone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from koinonia.models import Church
from koinonia.zones import zone_named

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Hours = Mapping[str, Sequence[str]]
_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def is_open(church: Church, at: datetime) -> bool:
    """Return whether the office is open at ``at``. A church without office hours is always open."""
    hours: Hours | None = church.office_hours
    if hours is None:
        return True
    local = at.astimezone(zone_named(church.timezone))
    span = hours.get(DAYS[local.weekday()])
    return bool(span) and span[0] <= local.strftime("%H:%M") < span[1]  # type: ignore[index] # checked


def check(hours: Any) -> None:
    """Raise ValidationError unless ``hours`` is ``{"mon": ["09:00", "17:00"], …}``."""
    if not isinstance(hours, dict) or not set(hours) <= set(DAYS):
        days = ", ".join(DAYS)
        raise ValidationError(_("Office hours name days: %(days)s.") % {"days": days})
    for day, span in hours.items():
        if not _is_span(span):
            raise ValidationError(
                _(
                    "%(day)s: write two times from 00:00 to 23:59, such as 09:00 and 17:00, the earlier one first."
                )
                % {"day": day}
            )


def _is_span(span: Any) -> bool:
    return (
        isinstance(span, list)
        and len(span) == 2
        and all(isinstance(time, str) and _TIME.fullmatch(time) for time in span)
        and span[0] < span[1]
    )
