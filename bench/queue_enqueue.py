"""Give texts to one contender: ``python bench/queue_enqueue.py NAME COUNT WORDS [--roll-back]``.

All of them are given in one transaction of the caller, by the call for many if the library has one. Prints
the seconds and the CPU seconds of that as JSON; the start of Django is not in them.
"""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable, Iterable

import django
from django.db import transaction
from django.utils import timezone


class _RolledBackError(Exception):
    pass


def delivery(texts: Iterable[str]) -> None:
    from delivery.accept import accept_batch
    from delivery.drafts import Draft
    from tests.delivery.alone.host.models import Gym

    gym = Gym.objects.create(number="+13125550100")
    drafts = (Draft(to=f"+1312{2000000 + n}", text=text) for n, text in enumerate(texts))
    accept_batch(gym, drafts, batch=time.time_ns() // 1000, now=timezone.now())


def q2(texts: Iterable[str]) -> None:
    from django_q.tasks import async_task

    for text in texts:
        async_task("queue_tasks.q2_send", text, uuid.uuid4().hex)


def celery(texts: Iterable[str]) -> None:
    from queue_tasks import celery_send

    for text in texts:
        celery_send.delay(text)


def procrastinate(texts: Iterable[str]) -> None:
    from queue_tasks import procrastinate_send

    procrastinate_send.batch_defer(*({"text": text} for text in texts))


def django_tasks(texts: Iterable[str]) -> None:
    from queue_tasks import django_send

    for text in texts:
        django_send.enqueue(text)


ENQUEUE: dict[str, Callable[[Iterable[str]], None]] = {
    "delivery": delivery,
    "django-q2": q2,
    "Celery": celery,
    "procrastinate": procrastinate,
    "django-tasks-db": django_tasks,
}


def main() -> None:
    name, count, words, *rest = sys.argv[1:]
    enqueue = ENQUEUE[name.partition(",")[0]]
    django.setup()
    import queue_tasks  # noqa: F401  # its import is a part of the start

    began, cpu = time.perf_counter(), time.process_time()
    try:
        with transaction.atomic():
            enqueue(f"{words} {number}" for number in range(int(count)))
            if rest:
                raise _RolledBackError
    except _RolledBackError:
        pass
    taken = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu}
    sys.stdout.write(json.dumps(taken) + "\n")


if __name__ == "__main__":
    main()
