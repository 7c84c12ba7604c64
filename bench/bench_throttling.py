"""Measure the limits: ``python bench/bench_throttling.py [--rounds 7] [--decisions 2000]``.

One run alternates between the contenders, on its own Valkey over TCP. A ratio is decisions per second divided
by those of a raw EVALSHA in the same round. Ratios and times are medians over the rounds.
"""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import throttling_contenders as contenders  # noqa: E402  # found by the path above

from koinonia.up.programs import valkey_command  # noqa: E402  # found by the path above

PROCESSES, TRIES, HITS_PER_KEY = 8, 100, 50
RAW_ONE, RAW_THREE = "raw EVALSHA of our script", "raw EVALSHA, three buckets"


@contextmanager
def server() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="bench-") as directory, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        folder = Path(directory)
        command = valkey_command(folder, folder / "socket", append_only=False)
        command[command.index("--port") + 1] = str(port)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603  # a program of this project
        try:
            _wait_for(port)
            yield f"redis://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("The Valkey of the benchmark did not start.")


def decisions_per_second(hit: contenders.Hit, decisions: int, run: str) -> float:
    start = time.perf_counter()
    for number in range(decisions):
        hit(f"{run}-{number // HITS_PER_KEY}")
    return decisions / (time.perf_counter() - start)


def speeds(rounds: int, decisions: int) -> dict[str, list[float]]:
    found = contenders.installed()
    measured: dict[str, list[float]] = {name: [] for name in found}
    for hit in found.values():
        decisions_per_second(hit, 200, "warm-up")
    for number in range(rounds):
        for name, hit in found.items():
            measured[name].append(decisions_per_second(hit, decisions, f"round-{number}"))
        _say(f"  round {number + 1} of {rounds}")
    return measured


def admitted(name: str, url: str) -> int:
    """Return how many of 800 tries, made by eight processes, a limit of 100 allows."""
    command = [sys.executable, __file__, "--hammer", name, "--url", url]
    started = [
        subprocess.Popen(  # noqa: S603  # the file itself
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(PROCESSES)
    ]
    for process in started:
        assert process.stdout is not None  # noqa: S101  # because of PIPE
        process.stdout.readline()
    for process in started:
        assert process.stdin is not None  # noqa: S101  # because of PIPE
        process.stdin.write("go\n")
        process.stdin.flush()
    return sum(int(process.communicate(timeout=60)[0]) for process in started)


def hammer(name: str) -> None:
    hit = contenders.CONTENDERS[name]()
    hit("another key")
    _say("ready")
    sys.stdin.readline()
    _say(str(sum(hit("one key") for _ in range(TRIES))))


def request_times(rounds: int) -> dict[str, float]:
    """Return the CPU microseconds of a minimal DRF request, without and with throttles.

    CPU time and not wall time: on a busy machine, wall time mainly shows the wait for other processes.
    """
    from django.core.management import call_command
    from rest_framework.request import Request
    from rest_framework.response import Response
    from rest_framework.test import APIRequestFactory, force_authenticate
    from rest_framework.throttling import UserRateThrottle
    from rest_framework.views import APIView

    from throttling.drf import PolicyThrottle
    from throttling.middleware import RateLimitHeadersMiddleware

    call_command("migrate", verbosity=0)

    class User:
        pk = 1
        is_authenticated = True

    class Many(UserRateThrottle):
        rate = "1000000/min"

    def view(*throttles: type) -> Callable[[], object]:
        class Bare(APIView):
            authentication_classes: list[type] = []
            throttle_classes = list(throttles)

            def get(self, request: Request) -> Response:
                return Response({})

        run = RateLimitHeadersMiddleware(Bare.as_view())
        request = APIRequestFactory().get("/")
        force_authenticate(request, User())  # type: ignore[arg-type]  # the throttle reads only the primary key
        return lambda: run(request)

    timed = {"a bare view": view(), "with ours": view(PolicyThrottle), "with DRF's": view(Many)}
    taken: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(rounds):
        for name, run in timed.items():
            start = time.process_time()
            for _ in range(150):
                run()
            taken[name].append((time.process_time() - start) / 150 * 1e6)
    return {name: median(times) for name, times in taken.items()}


def report(measured: dict[str, list[float]], url: str, rounds: int) -> None:
    _say(f"\n{'':38}{'per s':>8}{'to raw':>8}{'admitted of 100':>17}")
    for name, rates in measured.items():
        base = measured[RAW_THREE if "three" in name else RAW_ONE]
        ratio = median(rate / raw for rate, raw in zip(rates, base, strict=True))
        _say(f"{name:38}{median(rates):8.0f}{ratio:8.2f}{admitted(name, url):17}")
    one = measured[RAW_ONE]
    three = median(a / b for a, b in zip(measured["ours, three buckets"], one, strict=True))
    _say(f"\nours, three buckets, divided by a raw EVALSHA of one bucket: {three:.2f}")
    times = request_times(rounds * 3)
    bare = times.pop("a bare view")
    _say(f"a DRF request without a throttle: {bare:.0f} us of CPU")
    for name, taken in times.items():
        _say(f"  {name}: {taken:.0f} us, {taken - bare:.0f} us more")
    missing = contenders.CONTENDERS.keys() - measured.keys()
    if missing:
        _say(f"not installed: {', '.join(sorted(missing))} (bench/requirements-throttling.txt)")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--decisions", type=int, default=2000)
    parser.add_argument("--hammer", help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.hammer:
        contenders.configure(options.url)
        hammer(options.hammer)
        return
    with server() as url:
        contenders.configure(url)
        report(speeds(options.rounds, options.decisions), url, options.rounds)


if __name__ == "__main__":
    main()
