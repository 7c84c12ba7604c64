"""How tests read a page of the inbox, by Django's client."""

from __future__ import annotations

import re

from django.test import Client

INBOX = "/churches/grace/inbox/"


def body(client: Client, path: str, *, part: bool = False) -> str:
    """Return the page, or the part that htmx would fetch."""
    answer = client.get(path, headers={"HX-Request": "true"} if part else {})
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def last_text(client: Client, path: str) -> str:
    """Return what the page has shown: the hidden field of the reply."""
    found = re.search('name="seen" form="reply" value="(.*?)"', body(client, path))
    assert found is not None
    return found[1]
