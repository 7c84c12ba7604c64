"""Clients for bench_delivery.py, each started in its own process; each prints one line of JSON.

``pool URL TEXTS THREADS`` measures the floor: threads, each with a ``requests.Session``, post the texts.
``post URL SECONDS RATE THREADS [SEED IDS]`` sends requests at a rate (0: as fast as possible). With a key
(SEED), the requests are signed webhooks that report on the message ids in the lines of the file IDS.
"""

from __future__ import annotations

import base64
import http.client
import itertools
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def pool(url: str, texts: int, threads: int) -> dict[str, float]:
    """Measure the floor of the send rate: a process that only makes the calls."""

    def work(count: int) -> None:
        session = requests.Session()
        session.trust_env = False
        for number in range(count):
            body = json.dumps({"from": "+13125550001", "to": "+13125550002", "text": f"{number}"})
            headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
            session.post(url, data=body, headers=headers, timeout=10).raise_for_status()

    start = time.perf_counter()
    _together(lambda: work(texts // threads), threads)
    return {"per_second": texts // threads * threads / (time.perf_counter() - start)}


def post(url: str, seconds: float, rate: float, threads: int, *key: str) -> dict[str, float]:
    """Measure how long answers take; with a rate, from the due time of each request."""
    parts = urlsplit(url)
    due = _times(seconds, rate)
    lock, taken, wrong = threading.Lock(), list[float](), list[int]()
    sign = _signer(*key) if key else None

    def work() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
        while True:
            with lock:
                at = next(due, None)
            if at is None:
                return
            time.sleep(max(0.0, at - time.perf_counter()))
            method, body, headers = ("POST", *sign()) if sign else ("GET", b"", {})
            began = at if rate else time.perf_counter()
            connection.request(method, parts.path, body, headers)
            answer = connection.getresponse()
            answer.read()
            with lock:
                taken.append(time.perf_counter() - began)
                if answer.status != 200:
                    wrong.append(answer.status)

    start = time.perf_counter()
    _together(work, threads)
    taken.sort()
    return {
        "per_second": len(taken) / (time.perf_counter() - start),
        "p50": taken[len(taken) // 2],
        "p99": taken[int(len(taken) * 0.99)],
        "longest": taken[-1],
        "wrong": len(wrong),
    }


def _times(seconds: float, rate: float) -> Iterator[float]:
    start = time.perf_counter()
    if rate:
        for number in range(int(seconds * rate)):
            yield start + number / rate
    else:
        while (now := time.perf_counter()) < start + seconds:
            yield now


def _signer(seed: str, ids: str) -> Callable[[], tuple[bytes, dict[str, str]]]:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))
    told = itertools.cycle(
        [
            (provider_id, *step)
            for provider_id in Path(ids).read_text().split()
            for step in (("message.sent", "sent"), ("message.finalized", "delivered"))
        ]
    )

    def sign() -> tuple[bytes, dict[str, str]]:
        body = json.dumps(telnyx_event(*next(told))).encode()
        at = str(int(time.time()))
        signature = base64.b64encode(key.sign(at.encode() + b"|" + body)).decode()
        return body, {
            "Content-Type": "application/json",
            "telnyx-timestamp": at,
            "telnyx-signature-ed25519": signature,
        }

    return sign


def telnyx_event(provider_id: str, event_type: str, status: str) -> dict[str, object]:
    """Return a webhook as large as those from Telnyx."""
    to = {"phone_number": "+13125550150", "status": status, "carrier": "T-MOBILE USA, INC."}
    payload = {
        "id": provider_id, "direction": "outbound", "type": "SMS", "media": [], "errors": [],
        "from": {"phone_number": "+13125550001", "carrier": "Telnyx", "line_type": "Wireless"},
        "to": [to], "text": "Choir practice is at seven, and not at eight as it was announced.",
        "encoding": "GSM-7", "parts": 1, "cost": {"amount": "0.0051", "currency": "USD"},
        "messaging_profile_id": str(uuid.uuid4()), "organization_id": str(uuid.uuid4()),
        "sent_at": "2026-11-22T14:03:06.862+00:00", "record_type": "message",
    }  # fmt: skip
    data = {
        "event_type": event_type, "id": str(uuid.uuid4()), "record_type": "event",
        "occurred_at": "2026-11-22T14:03:07.412+00:00", "payload": payload,
    }  # fmt: skip
    return {"data": data, "meta": {"attempt": 1, "delivered_to": "https://example.com/webhooks"}}


def _together(work: Callable[[], None], threads: int) -> None:
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()


if __name__ == "__main__":
    what, url, *numbers = sys.argv[1:]
    if what == "pool":
        found = pool(url, int(numbers[0]), int(numbers[1]))
    else:
        found = post(url, float(numbers[0]), float(numbers[1]), int(numbers[2]), *numbers[3:])
    sys.stdout.write(json.dumps(found) + "\n")
