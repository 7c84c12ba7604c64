"""A church has one thing of each kind that the paths of the console name."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from koinonia.accounts import devices, invitations, keys
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.ids import encode
from koinonia.member_import import kept
from koinonia.models import (
    Church,
    Conversation,
    Group,
    Keyword,
    Note,
    Role,
    Staff,
    TextTemplate,
    WebhookDelivery,
)
from koinonia.series.repeat import Repeat
from koinonia.series.start import start_series
from koinonia.texts.send import send_text
from tests.koinonia.inbox.conftest import receive
from tests.support import cast
from tests.support.webhooks import webhook

EVERYONE = Audience(everyone=True, as_sent={"all": True})


def things_of(church: Church, author: User) -> dict[str, str]:
    """Return the key of each thing of the church in a path, by the name of the thing."""
    now = timezone.now()
    tomorrow = now + timedelta(days=1)
    choir = Group.objects.create(church=church, name="Choir")
    anna = cast.member(church, "Anna", "+13125550101")
    received = receive(church, "Yes!", anna.phone)
    site = webhook(church, "https://hooks.example.org/")
    delivery = WebhookDelivery.objects.create(
        endpoint=site, event_id="evt_1", type="message.received", state="delivered", attempts=1,
        created_at=now, trying_since=now, tried_at=now,
    )  # fmt: skip
    rows: dict[str, Any] = {
        "member": anna,
        "other_member": cast.member(church, "Ben", "+13125550102"),
        "group": choir,
        "keyword": Keyword.objects.create(church=church, word="CHOIR", group=choir),
        "received": received,
        "text": send_text(
            church, "Hello", to=anna.phone, author=author, now=now, send_at=tomorrow
        ),
        "broadcast": send_broadcast(
            church, "To all", EVERYONE, author=author, now=now, scheduled_at=tomorrow
        ),
        "series": start_series(
            church, "Weekly", EVERYONE, first_at=tomorrow, repeat=Repeat("week", 1), author=author,
            now=now,
        ),
        "colleague": Staff.objects.create(
            church=church, user=User.objects.create_user(f"{church.slug}-colleague"),
            role=Role.SENDER,
        ),
        "invitation": invitations.invite(
            church, role=Role.VIEWER, email="ben@mail.example", invited_by=author, now=now
        )[0],
    }  # fmt: skip
    template = TextTemplate.objects.create(church=church, name="Practice", text="Tonight at 7")
    return {
        **{name: encode(row.pk) for name, row in rows.items()},
        "conversation": encode(received.thread or 0),
        "template": template.mark,
        "webhook": site.mark,
        "delivery": encode(delivery.pk),
    }


def things_of_user(church: Church, user: User) -> dict[str, str]:
    """Return the keys of a note, a file, an API key and a browser of the user. Colleagues find none."""
    now = timezone.now()
    content = b"first name,phone\nCleo,3125550109\n"
    token, _secret = keys.make(
        user, "Website", now + timedelta(days=30), ["read"], still_valid=lambda: True
    )
    thread = Conversation.objects.get(church=church)
    note = Note.objects.create(
        church=church, conversation=thread, author=user, text="Sings alto.", created_at=now
    )
    Client().force_login(user)
    (browser,), _more = devices.devices(user, "", now)
    return {
        "note": encode(note.pk),
        "file": encode(kept.keep(church, user, content, "people.csv", now=now).pk),
        "api_key": encode(token.details.pk),
        "session": browser.id,
    }
