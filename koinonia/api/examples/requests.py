"""The example body of each operation. ``filled`` replaces its placeholders."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple


class Item(NamedTuple):
    """Stands for the id of an item of the church, such as a member."""

    kind: str


class InTheFuture:
    """Stands for a time that the API accepts as ``send_at``."""


_AUDIENCE = {"groups": [Item("group")]}
_SOON = InTheFuture()

REQUESTS: dict[str, dict[str, Any]] = {
    "log_in": {"username": "grace-owner", "password": "the password of the user"},
    "change_password": {
        "current_password": "the password of the user",
        "new_password": "another long password",
    },
    "create_token": {"name": "Newsletter", "scopes": ["read", "send"], "church": "grace"},
    "update_church": {"name": "Grace Church"},
    "update_settings": {"signature": "Grace Church", "language": "en"},
    "create_member": {
        "first_name": "Anna",
        "last_name": "Lee",
        "phone": "+12025550123",
        "groups": [Item("group")],
    },
    "update_member": {"last_name": "Lee-Adams"},
    "merge_member": {"into": Item("member")},
    "create_group": {"name": "Bell ringers", "welcome_text": "Welcome, {first_name}!"},
    "update_group": {"name": "Bell ringers and friends"},
    "change_group_members": {"add": [Item("member")], "remove": []},
    "create_keyword": {"word": "BELLS", "group": Item("group"), "answer": "Welcome to the bells!"},
    "update_keyword": {"answer": "Welcome to the bells, {first_name}!"},
    "send_message": {"to": "+12025550123", "text": "Rehearsal is at 7 tonight."},
    "update_message": {"text": "Rehearsal is at 8 tonight.", "send_at": _SOON},
    "preview_broadcast": {"text": "Dear {first_name}, the picnic is on Sunday.", "audience": _AUDIENCE},
    "send_broadcast": {"text": "Dear {first_name}, the picnic is on Sunday.", "audience": _AUDIENCE},
    "update_broadcast": {"text": "Dear {first_name}, the picnic is on Monday."},
    "create_series": {
        "text": "Choir practice is tonight at 7.",
        "audience": _AUDIENCE,
        "send_at": _SOON,
        "repeat": {"every": "week"},
    },
    "update_series": {"text": "Choir practice is tonight at 8."},
    "create_template": {"name": "Practice", "text": "Choir practice is at 7, {first_name}."},
    "update_template": {"text": "Choir practice is at 8, {first_name}."},
    "update_conversation": {"assigned_to": "me"},
    "reply": {"text": "Thank you, see you on Sunday!"},
    "create_note": {"member": Item("member"), "text": "Sings in the choir."},
    "retry_dead_letter": {"may_double": False},
    "retry_dead_letters": {"ids": [Item("dead_letter")]},
    "discard_dead_letter": {"reason": "The number is wrong."},
    "update_staff": {"role": "viewer"},
    "create_webhook": {
        "name": "Website",
        "url": "https://localhost:8443/webhooks",
        "types": ["message.received", "message.status"],
    },
    "update_webhook": {"types": ["message.received"]},
    "redeliver_events": {"since": "2026-11-30T12:00:00Z"},
    "create_invitation": {"username": "hope-owner", "role": "viewer"},
}  # fmt: skip


def filled(body: Any, id_of: Callable[[str], str], *, now: datetime) -> Any:
    """Return ``body`` with ids and times instead of its placeholders."""
    match body:
        case Item(kind):
            return id_of(kind)
        case InTheFuture():
            return in_the_future(now)
        case dict():
            return {name: filled(value, id_of, now=now) for name, value in body.items()}
        case list():
            return [filled(value, id_of, now=now) for value in body]
    return body


def in_the_future(now: datetime) -> str:
    """Return the first evening of next year, so that the schema changes once a year."""
    return datetime(now.year + 1, 1, 1, 17, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
