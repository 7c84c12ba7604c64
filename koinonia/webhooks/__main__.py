"""``python -m koinonia.webhooks``: the process that sends webhooks. ``manage.py worker`` starts it."""

from __future__ import annotations

import signal
import threading

import django

if __name__ == "__main__":
    django.setup()

    from koinonia.webhooks.addresses import reach
    from koinonia.webhooks.dispatcher import LANES_EACH, Dispatcher
    from koinonia.webhooks.posting import Poster

    _stop = threading.Event()
    for _signal in (signal.SIGTERM, signal.SIGINT):
        signal.signal(_signal, lambda *_: _stop.set())
    Dispatcher(Poster(reach(), per_host=LANES_EACH), _stop.is_set).run()
