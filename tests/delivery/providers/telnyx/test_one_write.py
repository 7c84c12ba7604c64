"""The adapter that sends a request in one write: head and body arrive unchanged, with and without
TLS."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from pytest_httpserver import HTTPServer

from delivery.providers.one_call import OneWriteAdapter
from tests.support.certificates import self_signed

BODY = b'{"text":"Hello"}' * 1000


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_signed(tmp_path / "telnyx.pem")


@pytest.fixture
def secure(certificate: Path) -> Iterator[HTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with HTTPServer(host="127.0.0.1", ssl_context=context) as server:
        yield server


def _post(server: HTTPServer, trusted: Path | None = None) -> requests.Response:
    server.expect_request("/messages", method="POST", data=BODY).respond_with_data("taken")
    request = requests.Request("POST", server.url_for("/messages"), data=BODY).prepare()
    return OneWriteAdapter().send(request, timeout=5, verify=str(trusted) if trusted else True)


def test_head_and_body_arrive_whole(httpserver: HTTPServer) -> None:
    assert _post(httpserver).text == "taken"


def test_head_and_body_arrive_whole_through_tls(secure: HTTPServer, certificate: Path) -> None:
    assert _post(secure, certificate).text == "taken"


def test_an_untrusted_certificate_gets_no_request(secure: HTTPServer) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        _post(secure)
    assert not secure.log
