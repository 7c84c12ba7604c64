"""The operations of the API: the id by which generated clients call each one, and its summary.

The keys are paths below ``/api/v1/``; ``…`` stands for ``churches/{church}``. An operation that is
missing here gets both by a rule (``derived``).
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

API = "/api/v1/"
_CHURCH = "churches/{church}/"


class Operation(NamedTuple):
    """``id`` becomes the name of a function in generated clients."""

    id: str
    summary: str


_O = Operation

OPERATIONS: dict[str, dict[str, Operation]] = {
    "auth/login/": {"post": _O("log_in", "Log in and get a token")},
    "auth/logout/": {"post": _O("log_out", "End the token of this request")},
    "me/": {"get": _O("get_me", "Get the user, and the churches with the role in each")},
    "me/password/": {"post": _O("change_password", "Change the password")},
    "me/tokens/": {
        "get": _O("list_tokens", "List the tokens of the user"),
        "post": _O("create_token", "Make a token for a program"),
    },
    "me/tokens/{id}/": {"delete": _O("delete_token", "End a token")},
    "me/logout-everywhere/": {"post": _O("log_out_everywhere", "End every login of the user")},
    "me/invitations/": {"get": _O("list_my_invitations", "List the invitations of the user")},
    "me/invitations/{token}/accept/": {"post": _O("accept_invitation", "Join the staff of a church")},
    "me/events/": {"get": _O("list_my_events", "Read the event stream of the user")},
    "realtime/ticket/": {"post": _O("create_ticket", "Get a ticket for one WebSocket")},
    "churches/": {"get": _O("list_churches", "List the churches of the user")},
    "…/": {
        "get": _O("get_church", "Get a church"),
        "patch": _O("update_church", "Change a church"),
    },
    "…/settings/": {
        "get": _O("get_settings", "Get the settings of a church"),
        "patch": _O("update_settings", "Change the settings of a church"),
    },
    "…/delivery/": {"get": _O("get_delivery_state", "Get the state of sending")},
    "…/events/": {"get": _O("list_events", "Read the event stream of a church")},
    "…/audit/": {"get": _O("list_audit_entries", "List the acts of the staff")},
    "…/members/": {
        "get": _O("list_members", "List members"),
        "post": _O("create_member", "Add a member"),
    },
    "…/members/{id}/": {
        "get": _O("get_member", "Get a member"),
        "patch": _O("update_member", "Change a member"),
        "delete": _O("delete_member", "Remove a member"),
    },
    "…/members/{id}/merge/": {"post": _O("merge_member", "Merge a member into another one")},
    "…/members/import/": {"post": _O("import_members", "Import a file of people")},
    "…/members/export/": {"get": _O("export_members", "Export members as CSV")},
    "…/groups/": {
        "get": _O("list_groups", "List groups"),
        "post": _O("create_group", "Add a group"),
    },
    "…/groups/{id}/": {
        "get": _O("get_group", "Get a group"),
        "patch": _O("update_group", "Change a group"),
        "delete": _O("delete_group", "Remove a group"),
    },
    "…/groups/{id}/members/": {
        "post": _O("change_group_members", "Add members to a group and remove others")
    },
    "…/keywords/": {
        "get": _O("list_keywords", "List keywords"),
        "post": _O("create_keyword", "Add a keyword"),
    },
    "…/keywords/{id}/": {
        "get": _O("get_keyword", "Get a keyword"),
        "patch": _O("update_keyword", "Change a keyword"),
        "delete": _O("delete_keyword", "Remove a keyword"),
    },
    "…/messages/": {
        "get": _O("list_messages", "List texts, sent and received"),
        "post": _O("send_message", "Send one text"),
    },
    "…/messages/{id}/": {
        "get": _O("get_message", "Get a text"),
        "patch": _O("update_message", "Change a scheduled text"),
    },
    "…/messages/{id}/attempts/": {
        "get": _O("list_attempts", "List the calls to the provider for a text")
    },
    "…/messages/{id}/cancel/": {"post": _O("cancel_message", "Cancel a text")},
    "…/messages/{id}/not-a-stop/": {
        "post": _O("mark_as_not_a_stop", "Take the mark of an opt-out request from a text")
    },
    "…/broadcasts/": {
        "get": _O("list_broadcasts", "List broadcasts"),
        "post": _O("send_broadcast", "Send a text to many members"),
    },
    "…/broadcasts/preview/": {
        "post": _O("preview_broadcast", "Count people, parts, cost and time of a broadcast")
    },
    "…/broadcasts/{id}/": {
        "get": _O("get_broadcast", "Get a broadcast"),
        "patch": _O("update_broadcast", "Change a scheduled broadcast"),
    },
    "…/broadcasts/{id}/cancel/": {"post": _O("cancel_broadcast", "Cancel a broadcast")},
    "…/series/": {
        "get": _O("list_series", "List broadcasts that repeat"),
        "post": _O("create_series", "Repeat a broadcast"),
    },
    "…/series/{id}/": {
        "get": _O("get_series", "Get a series"),
        "patch": _O("update_series", "Change, pause or reopen a series"),
        "delete": _O("end_series", "End a series"),
    },
    "…/series/{id}/skip/": {"post": _O("skip_occurrence", "Leave out the next occurrence")},
    "…/templates/": {
        "get": _O("list_templates", "List templates"),
        "post": _O("create_template", "Add a template"),
    },
    "…/templates/{id}/": {
        "get": _O("get_template", "Get a template"),
        "patch": _O("update_template", "Change a template"),
        "delete": _O("delete_template", "Remove a template"),
    },
    "…/media/": {
        "get": _O("list_media", "List uploaded files"),
        "post": _O("upload_media", "Upload a file"),
    },
    "…/media/{id}/": {"get": _O("get_media", "Get an uploaded file's data")},
    "…/conversations/": {"get": _O("list_conversations", "List conversations")},
    "…/conversations/{id}/": {
        "get": _O("get_conversation", "Get a conversation"),
        "patch": _O("update_conversation", "Assign a conversation, or mark it as done"),
    },
    "…/conversations/{id}/messages/": {
        "get": _O("list_conversation_messages", "List the texts of a conversation"),
        "post": _O("reply", "Reply in a conversation"),
    },
    "…/conversations/{id}/read/": {"post": _O("mark_as_read", "Mark received texts as read")},
    "…/conversations/{id}/opt-out/": {"post": _O("opt_out", "Never text this number again")},
    "…/colleagues/": {"get": _O("list_colleagues", "List the colleagues who may answer")},
    "…/notes/": {
        "get": _O("list_notes", "List notes about people"),
        "post": _O("create_note", "Keep a note"),
    },
    "…/notes/{id}/": {
        "get": _O("get_note", "Get a note"),
        "delete": _O("delete_note", "Delete a note"),
    },
    "…/dead-letters/": {"get": _O("list_dead_letters", "List texts that could not be sent")},
    "…/dead-letters/{id}/": {"get": _O("get_dead_letter", "Get a dead letter")},
    "…/dead-letters/{id}/retry/": {"post": _O("retry_dead_letter", "Send a dead letter again")},
    "…/dead-letters/{id}/discard/": {"post": _O("discard_dead_letter", "Discard a dead letter")},
    "…/dead-letters/retry/": {"post": _O("retry_dead_letters", "Send many dead letters again")},
    "…/dead-letters/export/": {"get": _O("export_dead_letters", "Export dead letters as CSV")},
    "…/staff/": {"get": _O("list_staff", "List the staff")},
    "…/staff/{id}/": {
        "patch": _O("update_staff", "Change the role of a colleague"),
        "delete": _O("delete_staff", "Remove a colleague, or leave"),
    },
    "…/invitations/": {
        "get": _O("list_invitations", "List open invitations"),
        "post": _O("create_invitation", "Invite a person to the staff"),
    },
    "…/invitations/{id}/": {"delete": _O("delete_invitation", "Withdraw an invitation")},
    "…/webhooks/": {
        "get": _O("list_webhooks", "List webhooks"),
        "post": _O("create_webhook", "Add a webhook"),
    },
    "…/webhooks/{id}/": {
        "get": _O("get_webhook", "Get a webhook"),
        "patch": _O("update_webhook", "Change a webhook, or switch it on or off"),
        "delete": _O("delete_webhook", "Delete a webhook"),
    },
    "…/webhooks/{id}/rotate/": {"post": _O("rotate_webhook_secret", "Make a new secret")},
    "…/webhooks/{id}/test/": {"post": _O("test_webhook", "Send a test event")},
    "…/webhooks/{id}/redeliver/": {"post": _O("redeliver_events", "Send all events since a time again")},
    "…/webhooks/{id}/deliveries/": {"get": _O("list_deliveries", "List what was sent to a webhook")},
    "…/webhooks/{id}/deliveries/{delivery}/redeliver/": {
        "post": _O("redeliver_event", "Send one event again")
    },
}  # fmt: skip

TAGS: dict[str, str] = {
    "auth": "Log in and out. Every other operation takes the token as `Authorization: Bearer …`.",
    "me": "The user of the token: churches, password, tokens, invitations, own events.",
    "churches": "The churches that have the user on their staff.",
    "messages": "Single texts, sent and received. A text is accepted (202) when it is stored; its status follows.",
    "broadcasts": "One text to many members, with a preview.",
    "series": "Broadcasts that repeat weekly or monthly.",
    "conversations": "All texts between the church and one number, and who answers them.",
    "members": "The people who get texts, with import and export.",
    "groups": "Groups of members.",
    "keywords": "Words that join a group when a person texts them to the church.",
    "templates": "Texts that the staff keep, to send them again.",
    "media": "Files to send with texts.",
    "notes": "Words of the staff about a person, which the person never sees.",
    "dead-letters": "Texts that could not be sent, and texts that may or may not have arrived.",
    "delivery": "The state of sending.",
    "events": "What has changed, in order: long polls, and the same log as the socket.",
    "realtime": "Tickets for the WebSocket `/ws/v1/`.",
    "settings": "The settings of a church, for its owners.",
    "staff": "Users who work for a church, with their roles.",
    "colleagues": "The staff who may answer texts.",
    "invitations": "Invitations to the staff.",
    "audit": "Who did what, for owners.",
    "webhooks": "Addresses to which the events of the church are posted, for owners.",
}
"""The tags, in the order of the documentation page."""


def known(path: str, verb: str) -> Operation | None:
    return OPERATIONS.get(short(path), {}).get(verb)


def short(path: str) -> str:
    """Return the key of a path in ``OPERATIONS``."""
    return path.removeprefix(API).replace(_CHURCH, "…/", 1)


def derived(path: str, verb: str, operation: dict[str, Any]) -> Operation:
    """Return an id and a summary for an operation that the table does not name."""
    words = [part for part in short(path).strip("/").split("/") if part[0] not in "{…"]
    name = "_".join(word.replace("-", "_") for word in words)
    first = {"get": "get" if path.endswith("}/") else "list", "post": "create"}.get(verb, verb)
    sentence = str(operation.get("description", "")).partition("\n")[0].partition(". ")[0]
    title = " ".join([first, *words]).replace("-", " ").capitalize()
    return Operation(f"{first}_{name}", sentence.rstrip(".") or title)


def path_of(route: str) -> str:
    """Return the path in the schema for a route of Django: ``<slug:church>`` becomes ``{church}``."""
    return "/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route)
