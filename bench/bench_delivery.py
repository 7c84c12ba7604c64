"""Measure the delivery: ``python bench/bench_delivery.py [--texts 5000] [--rounds 3] [--memory 50000]``.

The whole system runs as under ``manage.py up`` (one worker; SQLite, or PostgreSQL with ``DATABASE_URL``),
without rate limits, against a stub that answers after 20 ms. Each figure stands beside its goal and its
floor, which the same run measures. The floor of the send rate is a process with as many threads as the
worker that only makes the calls.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

from tests.delivery.worker.running_worker import cluster_of  # noqa: E402  # found by the path above
from tests.support.running_system import RunningSystem  # noqa: E402  # found by the path above
from tests.up.descendants import one  # noqa: E402  # found by the path above

if TYPE_CHECKING:
    from koinonia.models import Church

LATER = timedelta(hours=1)
_BURST, _BURST_RATE = 600, 60
"""Texts of the burst behind which retries come due, and texts a second."""
_WRITERS = 8
KEY = Ed25519PrivateKey.generate()


@contextmanager
def stub() -> Iterator[str]:
    """Run the stub of the provider, and yield its URL."""
    process = subprocess.Popen(  # noqa: S603  # a file of this repository
        [sys.executable, str(ROOT / "bench" / "delivery_stub.py")],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None  # noqa: S101  # because of stdout=PIPE
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait(10)


def load(*arguments: object) -> dict[str, float]:
    command = [sys.executable, str(ROOT / "bench" / "delivery_load.py"), *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603  # a file of this repository
    found: dict[str, float] = json.loads(done.stdout)
    return found


class Bench:
    """A running system with one church of ``texts`` members, and the figures of this run."""

    def __init__(self, system: RunningSystem, stub: str, texts: int) -> None:
        self.system, self.stub, self.texts = system, stub, texts
        self.church = _church(texts)
        self._headers = {"Authorization": f"Bearer {system.token('grace-owner')}"}
        self.lines: list[tuple[str, str, str, str, str]] = []

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        url = f"{self.system.url}/api/v1/churches/{self.church.slug}/{path}"
        answer = requests.post(url, json=body, headers=self._headers, timeout=60)
        answer.raise_for_status()
        created: dict[str, Any] = answer.json()
        return created

    def broadcast(self, text: str, **over: Any) -> float:
        """Send a broadcast, and return the seconds until the API accepts it."""
        start = time.perf_counter()
        self.post("broadcasts/", {"text": text, "audience": {"all": True}, **over})
        return time.perf_counter() - start

    def say(self, what: str, figure: str, floor: str = "", ratio: str = "", goal: str = "") -> None:
        self.lines.append((what, figure, floor, ratio, goal))
        _say(f"  {what}: {figure} ({', '.join(filter(None, [floor, ratio, goal]))})")


def send_rate(bench: Bench, rounds: int) -> None:
    """Measure from the acceptance of a broadcast until the database holds each text as sent."""
    from delivery import conf

    ours, floors, threads = list[float](), list[float](), conf.threads()
    for number in range(rounds):
        floors.append(load("pool", f"{bench.stub}/messages", bench.texts, threads)["per_second"])
        bench.broadcast(f"Rate {number}")
        ours.append(bench.texts / _seconds_until_sent(f"Rate {number}"))
        bench.say(f"round {number + 1}", f"{ours[-1]:.0f}/s", f"{floors[-1]:.0f}/s")
        bench.lines.pop()
    ratio = median(a / b for a, b in zip(ours, floors, strict=True))
    bench.say(
        "end-to-end send rate", f"{median(ours):.0f}/s", f"pool of {threads} {median(floors):.0f}/s",
        f"{ratio:.2f}", "≥ 0.6",
    )  # fmt: skip


def lateness_of_retries(bench: Bench, name: str) -> float:
    """Measure how late retries start. The stub answers every tenth text with 503 three times."""
    from delivery.models import Attempt

    began = time.perf_counter()

    def write(number: int) -> None:
        time.sleep(max(0.0, began + number / _BURST_RATE - time.perf_counter()))
        fails = " [fails 3]" if number % 10 == 0 else ""
        bench.post("messages/", {"to": f"+1206556{number:04}", "text": f"{name} {number}{fails}"})

    with ThreadPoolExecutor(_WRITERS) as writers:
        list(writers.map(write, range(_BURST)))
    rate = _BURST / (time.perf_counter() - began)
    _seconds_until_sent(f"{name} ")
    rows = Attempt.objects.filter(message__text__startswith=f"{name} ")
    rows = rows.order_by("message", "number")
    late = []
    for before, after in pairwise(rows):
        if before.message_id == after.message_id:
            delay = timedelta(seconds=(1, 2, 4)[before.number - 1], milliseconds=before.duration_ms)
            late.append((after.started_at - before.started_at - delay).total_seconds())
    bench.say(
        f"lateness of retries {name}, p95", _ms(_p(late, 95)), f"{rate:.0f} texts/s",
        goal="≤ 200 ms",
    )  # fmt: skip
    return _p(late, 95)


def lateness_under_webhooks(bench: Bench) -> None:
    """Measure the same while the stub reports twice on each text that it accepts."""
    target = {"url": f"{bench.system.url}/webhooks/telnyx/", "seed": _seed()}
    requests.put(f"{bench.stub}/webhooks", json=target, timeout=10).raise_for_status()
    p95 = lateness_of_retries(bench, "under webhooks")
    _wait(_all_applied, 300)
    _say(json.dumps({"name": "retry_lateness_p95", "value": round(p95, 3), "unit": "s"}))


def post_to_provider(bench: Bench, texts: int = 100) -> None:
    posted = {}
    for number in range(texts):
        text = f"Single {number}"
        posted[text] = time.time()
        bench.post("messages/", {"to": f"+1206557{number:04}", "text": text})
        time.sleep(0.05)
    _seconds_until_sent("Single ")
    arrivals = requests.get(f"{bench.stub}/arrivals", timeout=30).json()
    took = [arrivals[text] - at for text, at in posted.items()]
    floor = []
    for _ in range(texts):
        start = time.perf_counter()
        requests.get(f"{bench.system.url}/healthz", timeout=10).raise_for_status()
        floor.append(time.perf_counter() - start)
    bench.say(
        "POST to provider, p50 (p95)", f"{_ms(median(took))} ({_ms(_p(took, 95))})",
        f"GET /healthz {_ms(median(floor))}", "", "p50 ≤ 150 ms",
    )  # fmt: skip


def broadcast_accepted(bench: Bench, rounds: int) -> None:
    from django.utils import timezone

    ours, floors = list[float](), list[float]()
    for number in range(rounds):
        floors.append(_bulk_create(bench))
        later = (timezone.now() + LATER).isoformat()
        ours.append(bench.broadcast(f"Accepted {number} {{first_name}}", send_at=later))
    bench.say(
        f"broadcast of {bench.texts} accepted", f"{median(ours):.2f} s",
        f"bulk_create {median(floors):.2f} s", f"{median(ours) / median(floors):.1f} x", "≤ 2 s",
    )  # fmt: skip


def webhooks(bench: Bench) -> None:
    seed = _seed()
    ids = bench.system.data_dir / "provider_ids"
    ids.write_text("\n".join(_provider_ids()))
    url, alive = f"{bench.system.url}/webhooks/telnyx/", f"{bench.system.url}/healthz"
    floor = load("post", alive, 8, 0, 8)
    most = load("post", url, 8, 0, 8, seed, ids)
    ratio = most["per_second"] / floor["per_second"]
    bench.say(
        "webhooks accepted, as fast as possible", f"{most['per_second']:.0f}/s",
        f"GET /healthz {floor['per_second']:.0f}/s", f"{ratio:.2f}", "≥ 200/s",
    )  # fmt: skip
    _wait(_all_applied, 300)
    at_200 = load("post", url, 15, 200, 64, seed, ids)
    bench.say(
        "webhook at 200/s, p99 (longest)", f"{_ms(at_200['p99'])} ({_ms(at_200['longest'])})",
        goal="< 2000 ms",
    )  # fmt: skip
    bench.say("webhooks not answered 200", f"{most['wrong'] + at_200['wrong']:.0f}", goal="0")
    _wait(_all_applied, 300)


def memory(bench: Bench, texts: int) -> None:
    """Measure whether the resident size of the sending process grows."""
    sizes = [_worker_megabytes(bench)]
    for number in range(-(-texts // bench.texts)):
        bench.broadcast(f"Memory {number}")
        _seconds_until_sent(f"Memory {number}")
        sizes.append(_worker_megabytes(bench))
    sent = (len(sizes) - 1) * bench.texts
    middle = sizes[len(sizes) // 2]
    bench.say(
        f"worker after {sent} more texts", f"{sizes[-1]:.0f} MB",
        f"halfway {middle:.0f} MB", f"{sizes[-1] / middle:.2f}", "flat",
    )  # fmt: skip


def _church(members: int) -> Church:
    from koinonia.models import Church, Member

    church = Church.objects.get(slug="grace")
    church.members.all().delete()
    Member.objects.bulk_create(
        Member(church=church, first_name=f"Name{number}", phone=f"+1206555{number:04}")
        for number in range(members)
    )
    return church


def _bulk_create(bench: Bench) -> float:
    """Return the seconds to insert the rows of a broadcast without the API; delete them again."""
    from django.db import transaction
    from django.utils import timezone

    from delivery.models import Message, Priority
    from delivery.statuses import Status

    now = timezone.now()
    rows = [
        Message(
            tenant=bench.church, status=Status.SCHEDULED, to_number=f"+1206555{number:04}",
            from_number=bench.church.phone_number, text=f"Bare Name{number}", priority=Priority.BULK,
            batch=2**40, created_at=now, updated_at=now, scheduled_at=now + LATER,
            next_attempt_at=now + LATER,
        )
        for number in range(bench.texts)
    ]  # fmt: skip
    start = time.perf_counter()
    with transaction.atomic():
        Message.objects.bulk_create(rows, batch_size=500)
    taken = time.perf_counter() - start
    Message.objects.filter(batch=2**40).delete()
    return taken


def _seed() -> str:
    return base64.b64encode(KEY.private_bytes_raw()).decode()


def _provider_ids() -> list[str]:
    from delivery.models import Message

    sent = Message.objects.filter(provider_id__isnull=False)
    return [str(provider_id) for provider_id in sent.values_list("provider_id", flat=True)]


def _seconds_until_sent(text: str) -> float:
    from delivery.models import Message
    from delivery.statuses import UNFINISHED

    waiting = Message.objects.filter(text__startswith=text, status__in=UNFINISHED)
    return _wait(lambda: not waiting.exists(), 600)


def _all_applied() -> bool:
    from delivery.models import WebhookEvent

    return not WebhookEvent.objects.filter(applied_at__isnull=True).exists()


def _wait(condition: Callable[[], bool], seconds: float) -> float:
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > seconds:
            raise TimeoutError(f"The condition was not met within {seconds} s.")
        time.sleep(0.05)
    return time.perf_counter() - start


def _worker_megabytes(bench: Bench) -> float:
    pid = cluster_of(one(bench.system.data_dir, "manage.py worker"))["worker"]
    status = Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


def _p(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def running(texts: int) -> Iterator[Bench]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, stub() as address:
        data_dir = Path(directory) / "var"
        data_dir.mkdir()
        system = RunningSystem(
            data_dir,
            TELNYX_API_BASE=address,
            TELNYX_API_KEY="KEY_OF_THE_BENCH",
            TELNYX_PUBLIC_KEY=base64.b64encode(KEY.public_key().public_bytes_raw()).decode(),
            THROTTLING_ENABLED="0",
            DELIVERY_ACCOUNT_RATE="100000",
            DELIVERY_SENDER_RATE="100000",
            DELIVERY_DAILY_PARTS="none",
            **{name: os.environ[name] for name in ("DATABASE_URL",) if name in os.environ},
        )
        with system:
            os.environ.update(DATA_DIR=str(data_dir), DJANGO_SETTINGS_MODULE="koinonia.settings")
            import django

            django.setup()
            yield Bench(system, address, texts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=5000, help="texts of one broadcast")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", type=int, default=50_000, help="texts for the memory figure")
    parser.add_argument("--lateness", action="store_true", help="measure the lateness alone")
    options = parser.parse_args()
    with running(options.texts) as bench:
        if options.lateness:
            lateness_of_retries(bench, "alone")
            lateness_under_webhooks(bench)
            return
        send_rate(bench, options.rounds)
        lateness_of_retries(bench, "alone")
        post_to_provider(bench)
        broadcast_accepted(bench, options.rounds)
        webhooks(bench)
        lateness_under_webhooks(bench)
        if options.memory:
            memory(bench, options.memory)
    _say(f"\n{'':42}{'figure':>18}  {'floor':24}{'ratio':>8}  goal")
    for what, figure, floor, ratio, goal in bench.lines:
        _say(f"{what:42}{figure:>18}  {floor:24}{ratio:>8}  {goal}")


if __name__ == "__main__":
    main()
