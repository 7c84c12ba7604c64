from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from delivery.models import Message
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.ids import encode
from koinonia.models import Broadcast, Church
from koinonia.texts.send import send_text

SENT = "/churches/grace/sent/"
TOMORROW = timedelta(days=1)


def broadcast(
    church: Church, author: User, text: str = "Hi {first_name}", **over: Any
) -> Broadcast:
    everyone = Audience(everyone=True, as_sent={"all": True})
    audience = over.pop("audience", everyone)
    return send_broadcast(church, text, audience, author=author, now=timezone.now(), **over)


def text_to(church: Church, author: User, to: str, words: str = "Hello", **over: Any) -> Message:
    return send_text(church, words, to=to, author=author, now=timezone.now(), **over)


def path_of(item: Broadcast | Message, *more: str) -> str:
    kind = "broadcasts" if isinstance(item, Broadcast) else "texts"
    return f"{SENT}{kind}/{encode(item.pk)}/{''.join(f'{part}/' for part in more)}"


def seen(client: Client, path: str, status: int = 200) -> str:
    """Open a page, and return it as text."""
    answer = client.get(path, follow=True)
    assert answer.status_code == status
    return answer.content.decode()


def done(client: Client, path: str, **given: Any) -> str:
    """Send a form, and return the page that follows as text."""
    answer = client.post(path, given, follow=True)
    assert answer.redirect_chain, answer.content.decode()
    return answer.content.decode()
