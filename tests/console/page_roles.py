"""The pages and parts of the console below the address of a church."""

from __future__ import annotations

PAGES = {
    "": "viewer",
    "more/": "viewer",
    "log/": "owner",
    "parts/unread/": "viewer",
    "parts/banner/": "viewer",
    "help/": "viewer",
    "inbox/": "viewer",
    "send/": "sender",
    "send/parts/recipients/": "sender",
    "send/parts/preview/": "sender",
    "send/templates/": "viewer",
    "sent/": "viewer",
    "sent/texts/": "viewer",
    "sent/repeating/": "viewer",
    "members/": "viewer",
    "members/doubles/": "viewer",
    "members/new/": "sender",
    "members/import/": "sender",
    "groups/": "viewer",
    "groups/new/": "sender",
    "keywords/": "viewer",
    "keywords/new/": "sender",
    "settings/": "viewer",
    "answers/": "viewer",
    "staff/": "owner",
    "webhooks/": "owner",
    "webhooks/new/": "owner",
    "account/": "viewer",
    "account/leave/": "viewer",
    "account/keys/": "viewer",
}
"""Path -> the lowest role that may read it. Add a line for each page and part."""
