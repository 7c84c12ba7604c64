"""``python -m delivery.worker.nightly``: the work of the night, once, if it is due."""

from __future__ import annotations

import signal
import sys
import threading

import django

if __name__ == "__main__":
    django.setup()

    from delivery import nightly

    _stop = threading.Event()
    for _signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(_signal, lambda *_: _stop.set())
    sys.exit(nightly.run(_stop.is_set))
