"""A test runs this in a separate process: a message is sent in a project without koinonia."""

from __future__ import annotations

import sys

import django
from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

if __name__ == "__main__":
    django.setup()
    call_command("migrate", verbosity=0)
    call_command("check")
    call_command("makemigrations", "delivery", "--check", "--dry-run", verbosity=0)

    from delivery.accept import accept_message
    from delivery.drafts import Draft
    from delivery.models import Message
    from delivery.sending.drain import drain
    from tests.delivery.alone.host.models import Gym

    settings.DELIVERY["PROVIDERS"]["telnyx"]["API_BASE"] = sys.argv[1]
    gym = Gym.objects.create(number="+13125550111")
    accept_message(gym, Draft(to="+13125550112", text="Hello"), now=timezone.now())
    drain()
    assert not apps.is_installed("koinonia")
    assert "koinonia" not in sys.modules
    sys.stdout.write(Message.objects.get().status)
