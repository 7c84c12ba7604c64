"""Answers that are lost for good; the provider's ledger is the evidence."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from delivery.models import Message
from delivery.providers.telnyx.simulator import TelnyxSimulator
from delivery.providers.telnyx.simulator.faults import fault
from delivery.sending.drain import Drain
from delivery.sending.threads import Threads
from delivery.statuses import UNFINISHED, Status
from delivery.tracking.watchdog import reconcile_now as reconcile
from koinonia.models import Church
from tests.delivery.engine.scripted import write
from tests.delivery.redis_state import fresh
from tests.support.simulator import telnyx, telnyx_process_wide  # noqa: F401  # fixtures
from tests.support.waiting import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

TAKEN, NEVER_TAKEN = "+17735550001", "+17735550002"


@pytest.mark.parametrize("origin", ["https://texts.example", ""])
def test_ambiguous_messages_are_looked_up_and_not_sent_again(
    origin: str,
    grace: Church,
    settings: Any,
    telnyx: TelnyxSimulator,  # noqa: F811  # the fixture
) -> None:
    telnyx.account.options.change({"webhooks": False})
    telnyx.account.plan.add(fault("accepted_504"), to=TAKEN)
    telnyx.account.plan.add(fault("close"), to=NEVER_TAKEN)
    fresh(
        settings, API_BASE=telnyx.base, API_KEY=telnyx.api_key, PUBLIC_URL=origin,
        RETRY_DELAYS=(0.01, 0.01, 0.01),
    ).close()  # fmt: skip
    write(grace, to=TAKEN)
    write(grace, to=NEVER_TAKEN)
    drain = Drain(Threads(2))
    wait_until(lambda: _ran(drain) and not Message.objects.filter(status__in=UNFINISHED).exists())
    assert set(Message.objects.values_list("status", "attempts")) == {(Status.UNKNOWN, 4)}
    [entry] = telnyx.ledger.entries

    wait_until(lambda: telnyx.account.messages.all()[0].status == "delivered")
    assert reconcile(timezone.now() + timedelta(minutes=20)) == 1
    found = Message.objects.get(to_number=TAKEN)
    assert (found.status, found.provider_id) == (Status.DELIVERED, entry.id)
    assert Message.objects.get(to_number=NEVER_TAKEN).status == Status.UNKNOWN
    assert telnyx.ledger.summary()["accepted"] == 1


def _ran(drain: Drain) -> bool:
    drain.run()
    return True
