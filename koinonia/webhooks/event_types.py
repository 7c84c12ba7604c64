"""The types of events for webhooks. docs/realtime-protocol.md describes them."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

EVENT_TYPES: dict[str, str | Promise] = {
    "message.received": _("A person has sent a text"),
    "message.created": _("A single text was written"),
    "message.status": _("A text was sent, has arrived or has failed"),
    "broadcast.created": _("A broadcast was written"),
    "broadcast.progress": _("The counts of a broadcast have changed"),
    "conversation.read": _("A colleague has read a conversation"),
    "conversation.updated": _("A colleague has assigned or finished a conversation, or opted it out"),
    "note.created": _("A colleague has added a note"),
    "note.deleted": _("A colleague has deleted a note"),
    "delivery.breaker": _("Sending stops or goes on"),
    "delivery.spend": _("Texts wait for the daily cap, or no longer"),
}  # fmt: skip
"""Type -> a sentence for people. An owner chooses among these."""

TEST = "webhook.test"
"""The event of the test that an owner asks for."""
RESET = "webhook.reset"
"""Told without being chosen: events are missing, because the log was pruned or restored."""
