"""Every route of the console with the roles that may use it, and the things that its path names.

A route that is missing here fails ``tests/console/test_access.py``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

VIEWER, SENDER, OWNER, NOBODY = "viewer", "sender", "owner", ""


@dataclass(frozen=True, slots=True)
class Access:
    """The lowest role for GET and POST. ``NOBODY`` stands for a missing method."""

    read: str
    write: str
    named: dict[str, str] = field(default_factory=dict)
    """Parameter of the path -> the thing of ``tests.console.one_of_each``, or a word."""
    body: dict[str, str] = field(default_factory=dict)
    """The form of a POST, if an empty one means that something is missing."""


def _a(thing: str, read: str, write: str, **more: str) -> Access:
    return Access(read, write, {"key": thing, **more})


def _talk(write: str = SENDER, read: str = NOBODY, **more: str) -> Access:
    return Access(read, write, {"id": "conversation", **more})


ROUTES: dict[str, Access] = {
    "console-today": Access(VIEWER, NOBODY),
    "console-today-more": Access(VIEWER, NOBODY),
    "console-today-log": Access(OWNER, NOBODY),
    "console-today-unread": Access(VIEWER, NOBODY),
    "console-today-banner": Access(VIEWER, NOBODY),
    "console-help": Access(VIEWER, NOBODY),
    "console-inbox-list": Access(VIEWER, NOBODY),
    "console-inbox-thread": _talk(NOBODY, VIEWER),
    "console-inbox-caller": _talk(NOBODY, VIEWER),
    "console-inbox-reply": _talk(),
    "console-inbox-read": _talk(),
    "console-inbox-assign": _talk(),
    "console-inbox-done": _talk(),
    "console-inbox-opt-out": _talk(),
    "console-inbox-not-a-stop": _talk(text="received"),
    "console-inbox-notes": _talk(),
    "console-inbox-note-delete": _talk(SENDER, SENDER, note="note"),
    "console-send": Access(SENDER, SENDER),
    "console-send-recipients": Access(SENDER, NOBODY),
    "console-send-preview": Access(SENDER, SENDER),
    "console-send-templates": Access(VIEWER, SENDER),
    "console-send-template": _a("template", VIEWER, SENDER),
    "console-send-template-delete": _a("template", SENDER, SENDER),
    "console-sent": Access(VIEWER, NOBODY),
    "console-sent-broadcast": _a("broadcast", VIEWER, NOBODY),
    "console-sent-broadcast-stop": _a("broadcast", SENDER, SENDER),
    "console-sent-broadcast-edit": _a("broadcast", SENDER, SENDER),
    "console-sent-broadcast-again": _a("broadcast", NOBODY, SENDER),
    "console-sent-texts": Access(VIEWER, NOBODY),
    "console-sent-texts-again": Access(NOBODY, SENDER),
    "console-sent-text": _a("text", VIEWER, NOBODY),
    "console-sent-text-stop": _a("text", SENDER, SENDER),
    "console-sent-text-edit": _a("text", SENDER, SENDER),
    "console-sent-text-again": _a("text", NOBODY, SENDER),
    "console-sent-series": Access(VIEWER, NOBODY),
    "console-sent-series-item": _a("series", VIEWER, SENDER),
    "console-sent-series-act": _a("series", SENDER, SENDER, act="=end"),
    "console-members-list": Access(VIEWER, NOBODY),
    "console-members-new": Access(SENDER, SENDER),
    "console-members-export": Access(NOBODY, VIEWER),
    "console-members-import": Access(SENDER, SENDER),
    "console-members-file": _a("file", SENDER, SENDER),
    "console-members-file-start": _a("file", NOBODY, SENDER),
    "console-members-file-step": _a("file", NOBODY, SENDER),
    "console-members-report": _a("file", SENDER, NOBODY),
    "console-members-doubles": Access(
        VIEWER, SENDER, body={"one": "member", "other": "other_member"}
    ),
    "console-members-member": _a("member", VIEWER, SENDER),
    "console-members-edit": _a("member", SENDER, SENDER),
    "console-members-delete": _a("member", SENDER, SENDER),
    "console-members-opt-out": _a("member", NOBODY, SENDER),
    "console-members-merge": _a("member", SENDER, SENDER, other="other_member"),
    "console-groups": Access(VIEWER, NOBODY),
    "console-group-new": Access(SENDER, SENDER),
    "console-group": _a("group", VIEWER, NOBODY),
    "console-group-edit": _a("group", SENDER, SENDER),
    "console-group-delete": _a("group", SENDER, SENDER),
    "console-group-members": _a("group", NOBODY, SENDER),
    "console-keywords": Access(VIEWER, NOBODY),
    "console-keyword-new": Access(SENDER, SENDER),
    "console-keyword": _a("keyword", SENDER, SENDER),
    "console-keyword-delete": _a("keyword", SENDER, SENDER),
    "console-settings": Access(VIEWER, OWNER),
    "console-answers": Access(VIEWER, OWNER),
    "console-staff": Access(OWNER, OWNER),
    "console-staff-role": Access(NOBODY, OWNER, {"key": "colleague"}, {"role": "=viewer"}),
    "console-staff-remove": _a("colleague", OWNER, OWNER),
    "console-staff-withdraw": _a("invitation", OWNER, OWNER),
    "console-account": Access(VIEWER, NOBODY),
    "console-account-keys": Access(VIEWER, VIEWER),
    "console-account-key": _a("api_key", VIEWER, VIEWER),
    "console-account-sessions": Access(NOBODY, VIEWER),
    "console-account-session": _a("session", NOBODY, VIEWER),
    "console-account-sign-out": Access(VIEWER, VIEWER),
    "console-account-leave": Access(VIEWER, VIEWER),
    "console-webhooks": Access(OWNER, NOBODY),
    "console-webhook-new": Access(OWNER, OWNER),
    "console-webhook": _a("webhook", OWNER, NOBODY),
    "console-webhook-edit": _a("webhook", OWNER, OWNER),
    "console-webhook-delete": _a("webhook", OWNER, OWNER),
    "console-webhook-test": _a("webhook", NOBODY, OWNER),
    "console-webhook-switch": _a("webhook", NOBODY, OWNER),
    "console-webhook-rotate": _a("webhook", OWNER, OWNER),
    "console-webhook-again": Access(NOBODY, OWNER, {"key": "webhook"}, {"hours": "=24"}),
    "console-webhook-redeliver": _a("webhook", NOBODY, OWNER, delivery="delivery"),
}
"""The access to each route by its name. ``=`` begins a literal word of a path or a form."""

OF_NO_CHURCH = {
    "console",
    "console-switch",
    "login",
    "logout",
    "language",
    "password",
    "password_reset",
    "password_reset_done",
    "password_reset_complete",
    "password_reset_confirm",
    "admin_password_reset",
    "my-invitations",
    "invitation",
}
"""These routes show nothing of a church, except its name to an invited person."""
