"""An idle connection is kept for longer than a proxy keeps it, or some of its requests meet a 502."""

from __future__ import annotations

import socket
import time
from typing import Any

from realtime import conf
from realtime.daphne import PatientFactory
from tests.realtime.second_project.processes import SecondProject

PROXIES_GIVE_UP_AFTER = 60
"""Seconds; the default of nginx (upstream ``keepalive_timeout``), of AWS's and other balancers."""
REQUEST = b"GET /page/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


def test_it_is_longer_than_proxies_wait() -> None:
    assert PatientFactory(server=None).timeOut > PROXIES_GIVE_UP_AFTER


def test_the_setting_counts(settings: Any) -> None:
    settings.REALTIME = {"KEEP_ALIVE_SECONDS": 120}
    assert conf.keep_alive_seconds() == 120


def test_an_idle_connection_is_closed_after_the_setting(project: SecondProject) -> None:
    brief = project.beside(PROJECT_KEEP_ALIVE="1")
    port = brief.serve()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            connection.sendall(REQUEST)
            answered = time.monotonic()
            while connection.recv(65536):
                pass
            assert 0.5 < time.monotonic() - answered < PROXIES_GIVE_UP_AFTER / 2
    finally:
        brief.close_servers()
