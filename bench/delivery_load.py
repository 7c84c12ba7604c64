"""What is measured against, and what pushes: each in a process of its own, started by bench_delivery.

``pool URL TEXTS THREADS``: so many texts posted by threads with a ``requests.Session`` each.
``post URL SECONDS RATE THREADS [SEED PUBLIC]``: requests at a rate (0: as fast as they go), signed
webhooks where a key is given. Each prints one line of JSON.
"""

from __future__ import annotations

import base64
import http.client
import json
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


def pool(url: str, texts: int, threads: int) -> dict[str, float]:
    """The floor of the send rate: nothing but the calls."""

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
    """How long answers take. At a rate the clock of each starts when it was due, not when sent."""
    parts = urlsplit(url)
    due = _times(seconds, rate)
    lock, taken, wrong = threading.Lock(), list[float](), list[int]()
    sign = _signer(key[0]) if key else None

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


def _signer(seed: str) -> Callable[[], tuple[bytes, dict[str, str]]]:
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(seed))

    def sign() -> tuple[bytes, dict[str, str]]:
        body = json.dumps(_event()).encode()
        at = str(int(time.time()))
        signature = base64.b64encode(key.sign(at.encode() + b"|" + body)).decode()
        return body, {
            "Content-Type": "application/json",
            "telnyx-timestamp": at,
            "telnyx-signature-ed25519": signature,
        }

    return sign


def _event() -> dict[str, object]:
    """A text from somebody, as large as Telnyx's are."""
    payload = {
        "id": str(uuid.uuid4()), "direction": "inbound", "type": "SMS", "media": [], "errors": [],
        "from": {"phone_number": "+13125550150", "carrier": "T-Mobile USA", "line_type": "Wireless"},
        "to": [{"phone_number": "+13125550001", "status": "webhook_delivered"}],
        "text": "Thank you, we shall be there.", "received_at": "2026-11-22T14:03:07.412+00:00",
    }  # fmt: skip
    data = {
        "event_type": "message.received", "id": str(uuid.uuid4()), "record_type": "event",
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
