"""A test runs this in separate processes: ``write`` messages, and ``use`` every feature after a
worker has sent them."""

from __future__ import annotations

import base64
import json
import sys
import time
import uuid
from datetime import timedelta
from typing import Any

import django
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

NUMBERS = ("+13125550111", "+13125550112")


def write() -> None:
    from django.apps import apps
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.utils import timezone

    from delivery.accept import accept_batch, accept_message
    from delivery.drafts import Draft

    call_command("check", fail_level="WARNING")
    author = get_user_model().objects.create_superuser("grace", "g@example.org", "grace grace")
    tenants = apps.get_model(settings.DELIVERY["TENANT_MODEL"])
    recipients = apps.get_model(settings.DELIVERY["RECIPIENT_MODEL"])
    now = timezone.now()
    for place, number in enumerate(NUMBERS):
        key = uuid.uuid4() if settings.TENANT_MODEL == "keyed.Club" else f"Straße {place}' \" %s"
        tenant = tenants.objects.create(pk=key, phone_number=number)
        guest = recipients.objects.create(
            pk=uuid.uuid4() if settings.TENANT_MODEL == "keyed.Club" else f"guest-{place}",
            tenant=tenant,
            phone=f"+1312555020{place}",
        )
        draft = Draft(to=guest.phone, text="Hello", recipient_id=guest.pk)
        accept_message(tenant, draft, author=author, now=now)
        drafts = [Draft(to=f"+1312555{place}{n:03}", text="All") for n in range(20)]
        accept_batch(tenant, drafts, batch=place + 1, author=author, now=now)
        soon = now + timedelta(seconds=1)
        accept_message(tenant, draft, scheduled_at=soon, now=now)


def by_asgi(path: str, body: bytes, headers: dict[str, str]) -> int:
    """Post to the ASGI application of the host, and return the status of the answer."""
    from tests.delivery.alone.keyed.asgi import application
    from tests.delivery.webhooks.shells import call

    named = {"host": "testserver", "content-length": str(len(body)), **headers}
    fields = [(name.encode(), value.encode()) for name, value in named.items()]
    return call(application, "POST", path, body, fields).status_code


def use() -> None:
    from django.apps import apps
    from django.conf import settings
    from django.contrib.admin.utils import quote
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse
    from django.utils import timezone

    from delivery import dead_letters, opt_outs, status_report
    from delivery.limits import breaker, spend
    from delivery.models import BreakerState, Message, WebhookEvent
    from delivery.providers import registry
    from delivery.tracking import apply_waiting_events

    key = Ed25519PrivateKey.generate()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    settings.DELIVERY["PROVIDERS"]["telnyx"]["PUBLIC_KEY"] = base64.b64encode(raw).decode()
    tenants = apps.get_model(settings.DELIVERY["TENANT_MODEL"])
    user, now = get_user_model().objects.get(), timezone.now()
    first, second = tenants.objects.order_by("phone_number")
    text = Message.objects.filter(tenant=first, recipient__isnull=False).first()
    to = [{"phone_number": text.to_number, "status": "delivered"}]
    sent_from = {"phone_number": text.from_number}

    def tell(kind: str, payload: dict[str, Any], ref: str = "") -> None:
        body = json.dumps(
            {"data": {"event_type": kind, "id": str(uuid.uuid4()), "payload": payload}}
        )
        stamp = str(int(time.time()))
        signature = base64.b64encode(key.sign(f"{stamp}|{body}".encode())).decode()
        headers = {"telnyx-timestamp": stamp, "telnyx-signature-ed25519": signature}
        path = f"/webhooks/telnyx{ref}"
        # The host serves the same URL by its ASGI application and by its URLs.
        assert by_asgi(path, body.encode(), headers) == 200
        answer = Client().post(path, body, content_type="application/json", headers=headers)
        assert answer.status_code == 200, answer

    tell(
        "message.finalized",
        {"id": text.provider_id, "to": to, "from": sent_from, "parts": 1},
        f"/m{text.pk}",
    )
    # The number has moved from the first tenant to the second since.
    tenants.objects.filter(pk=first.pk).update(phone_number="+13125550119")
    tenants.objects.filter(pk=second.pk).update(phone_number=NUMBERS[0])
    heard = {"from": {"phone_number": text.to_number}, "to": [{"phone_number": NUMBERS[0]}]}
    tell("message.received", {"id": "in1", "text": "Stop.", **heard})
    apply_waiting_events(timezone.now())
    text.refresh_from_db()
    assert text.status == "delivered", text.status
    assert opt_outs.opted_out(first.pk, [text.to_number])
    assert opt_outs.opted_out(second.pk, [text.to_number])
    assert not WebhookEvent.objects.waiting().exists()

    dead = Message.objects.filter(tenant=second, batch=2).first()
    Message.objects.filter(pk=dead.pk).update(status="dead", dead_since=now, provider_id=None)
    assert dead_letters.retry(Message.objects.filter(pk=dead.pk), by=user, now=now).retried == 1
    Message.objects.filter(pk=dead.pk).update(status="dead", dead_since=now)
    account = registry.account("telnyx")
    breaker.force(account, BreakerState.FORCED_OPEN, by=user, reason="a test", now=now)
    breaker.release(account, by=user, now=now)
    assert spend.current(first.pk, now).parts == 22
    assert status_report.report(first.pk, now=now)["spend"]["parts"] == 22

    office = Client()
    office.force_login(user)
    for name in (
        "deadletter",
        "breakertransition",
        "optout",
        "webhookevent",
        "spendlimit",
        "stoprequest",
    ):
        assert office.get(reverse(f"admin:delivery_{name}_changelist")).status_code == 200, name
    letter = reverse("admin:delivery_deadletter_change", args=[dead.pk])
    assert office.get(letter).status_code == 200
    assert office.post(letter, {"_review": "1"}).status_code == 302
    form = reverse("admin:delivery_spendlimit_change", args=[quote(first.pk)])
    assert office.post(form, {"cap": "7"}).status_code == 302
    assert spend.current(first.pk, now).cap == 7
    for command in (["delivery_status", "--json"], ["dead_letters", "list"], ["breaker", "show"]):
        call_command(*command)


if __name__ == "__main__":
    django.setup()
    {"write": write, "use": use}[sys.argv[1]]()
    sys.stdout.write("done")
