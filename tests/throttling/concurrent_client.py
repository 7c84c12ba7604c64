"""A process that charges buckets as fast as it can: ``concurrent_client.py URL TRIES NAME=RATE …``.

It starts when it reads a line, so that many processes start together, and prints how often it was
allowed.
"""

from __future__ import annotations

import sys

import redis

from throttling.buckets import Bucket, BucketStore, parse


def main(url: str, tries: int, wanted: list[str]) -> int:
    store = BucketStore(lambda: redis.Redis.from_url(url), "concurrent")
    buckets = [
        Bucket(name, parse(rate)) for name, _, rate in (text.partition("=") for text in wanted)
    ]
    store.client.ping()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    return sum(store.take(buckets).granted for _ in range(tries))


if __name__ == "__main__":
    sys.stdout.write(f"{main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])}\n")
