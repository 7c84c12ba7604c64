"""Feed an inbox of the demo church: ``python bench/inbox_feed.py texts|events RATE SECONDS``.

``texts`` come in as from a provider. ``events`` are appended to the log alone, for texts that are there
already: that is as much work for a page, and much less for the database.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

PEOPLE = 60
_BURST = 20


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "koinonia.settings")
    import django

    django.setup()
    kind, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
    feed, size = (_text_feed(), 1) if kind == "texts" else (_event_feed(), _BURST)
    begin, fed = time.monotonic(), 0
    while fed < rate * seconds:
        pause = begin + fed / rate - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        feed()
        fed += size
    sys.stdout.write(f"{fed} {time.monotonic() - begin:.1f}\n")


def _text_feed() -> Callable[[], object]:
    from koinonia.models import Church
    from tests.koinonia.inbox.conftest import receive

    church = Church.objects.order_by("pk")[0]
    numbers = cycle(range(PEOPLE))
    return lambda: receive(
        church, "Yes, we come on Sunday, all four of us.", f"+1312555{3000 + next(numbers)}"
    )


def _event_feed() -> Callable[[], object]:
    from django.db import transaction
    from django.utils import timezone

    from delivery.models import Direction, Message
    from koinonia import events
    from koinonia.models import Church
    from realtime import log

    church = Church.objects.order_by("pk")[0]
    texts = Message.objects.filter(tenant=church, direction=Direction.INBOUND)
    known = cycle([events.message_created(text) for text in texts.order_by("-pk")[:200]])
    stream = f"church:{church.slug}"

    def feed() -> Any:
        with transaction.atomic():
            log.append({stream: [next(known) for _ in range(_BURST)]}, now=timezone.now())

    return feed


if __name__ == "__main__":
    main()
