"""``python -m delivery.worker``: one cluster, in the foreground."""

from __future__ import annotations

import sys

import django

if __name__ == "__main__":
    django.setup()

    from delivery.worker.cluster import run

    sys.exit(run())
