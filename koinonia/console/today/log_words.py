"""Words for the details of the audit log: counts, roles, and the names of changed fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from koinonia.models import Role, WebhookEndpoint
from koinonia.webhooks.event_types import EVENT_TYPES

DETAILS: dict[str, str | Promise] = {
    "bytes": pgettext_lazy("detail of an act", "bytes"),
    "called_back": pgettext_lazy("detail of an act", "called back"),
    "cancelled": pgettext_lazy("detail of an act", "cancelled"),
    "code": pgettext_lazy("detail of an act", "code"),
    "created": pgettext_lazy("detail of an act", "new"),
    "errors": pgettext_lazy("detail of an act", "lines that need a look"),
    "events": pgettext_lazy("detail of an act", "events"),
    "fields": pgettext_lazy("detail of an act", "changed"),
    "key": pgettext_lazy("detail of an act", "key"),
    "members": pgettext_lazy("detail of an act", "members"),
    "not_imported": pgettext_lazy("detail of an act", "not imported"),
    "opted_out": pgettext_lazy("detail of an act", "opted out"),
    "reason": pgettext_lazy("detail of an act", "reason"),
    "role": pgettext_lazy("detail of an act", "role"),
    "scopes": pgettext_lazy("detail of an act", "rights"),
    "skipped": pgettext_lazy("detail of an act", "already here"),
    "texts": pgettext_lazy("detail of an act", "texts"),
    "through": pgettext_lazy("detail of an act", "by"),
    "types": pgettext_lazy("detail of an act", "events"),
    "until": pgettext_lazy("detail of an act", "ends"),
    "updated": pgettext_lazy("detail of an act", "changed"),
    "word": pgettext_lazy("detail of an act", "word"),
}
FIELDS: dict[str, str | Promise] = {
    "answer": _("Answer"),
    "answers_first_contact": _("Answer the first text of a number"),
    "answers_when_closed": _("Answer texts outside the office hours"),
    "audience": _("To"),
    "closed_answer": _("Answer outside the office hours"),
    "first_contact_answer": _("Answer to a first text"),
    "first_name": _("First name"),
    "group": _("Group"),
    "groups": _("Groups"),
    "language": _("Language of automatic answers"),
    "last_name": _("Last name"),
    "media_urls": _("Picture or file"),
    "name": _("Name"),
    "office_hours": _("Office hours"),
    "opt_out_words": _("Your own words for STOP"),
    "opted_out": _("Opted out"),
    "part_price": _("Price of one part of a text"),
    "phone": _("Mobile number"),
    "plain_punctuation": _("Write plain apostrophes and quotes, which cost fewer parts"),
    "quiet_from": _("Quiet hours from"),
    "quiet_until": _("Quiet hours until"),
    "repeat": _("Repeat"),
    "send_at": _("Time"),
    "signature": _("Signature"),
    "text": _("Text"),
    "timezone": _("Time zone"),
    "welcome_text": _("Welcome text"),
    "word": _("Word"),
}
"""Fields of the API. Others are shown by their name."""
VALUES: dict[str, Mapping[str, str | Promise]] = {
    "fields": FIELDS,
    "reason": {
        WebhookEndpoint.Off.GONE: _("the receiver is gone"),
        WebhookEndpoint.Off.FAILING: _("the receiver took no event for 24 hours"),
    },
    "role": dict(Role.choices),
    "through": {"api": _("another program")},
    "types": EVENT_TYPES,
}
"""Detail -> words for its values. Others are shown as they are."""
_NOT_SHOWN = [("through", "page")]
_IDS = frozenset({"to"})
"""Details that hold the id of a row: a reader knows none."""


def in_words(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the label and the value of each detail."""
    return [
        (str(DETAILS.get(name, name)), _value(name, value))
        for name, value in detail.items()
        if name not in _IDS and (name, value) not in _NOT_SHOWN
    ]


def _value(name: str, value: Any) -> str:
    words = VALUES.get(name, {})
    values = value if isinstance(value, list) else [value]
    return ", ".join(str(words.get(one, one)) for one in values)
