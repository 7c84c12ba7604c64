"""The walk within this process, where a test can take the database away or let another request win."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import psycopg
import requests
from django.contrib.auth.models import User
from django.db import OperationalError, connection, transaction
from django.test import Client
from requests.adapters import BaseAdapter

from koinonia.accounts import tokens
from tests.examples.seed import seed
from tests.support import cast

URL = "http://testserver"
_WRITES = ("INSERT", "UPDATE", "DELETE", "WITH")


def guarded(schema: Any) -> Iterator[tuple[str, str]]:
    """Yield the operations and statuses that only a fault or a setting provokes."""
    for verbs in schema["paths"].values():
        for verb, operation in verbs.items():
            name = operation["operationId"]
            for code in ("409", "428", "503"):
                if code in operation["responses"] and (code, verb) != ("409", "get"):
                    yield name, code
            if name == "log_out":
                yield name, "403"


class ThisProcess:
    """Stands for a running system: the data of the test, without a server."""

    url = URL
    password = cast.PASSWORD
    data_dir = Path()

    def manage(self, *arguments: str) -> str:
        """Make the items of the walk: it runs no other command."""
        with redirect_stdout(io.StringIO()) as printed:
            seed()
        return printed.getvalue()

    def token(self, username: str) -> str:
        return tokens.login_token(User.objects.get(username=username))[1]


class DjangoAdapter(BaseAdapter):
    """Sends the requests of ``requests`` to a client of Django."""

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        headers = dict(request.headers)
        body = request.body or b""
        answer = self._client.generic(
            request.method or "",
            request.path_url,
            body.encode() if isinstance(body, str) else body,
            content_type=headers.get("Content-Type", ""),
            headers=headers,
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response._content = getattr(answer, "content", b"")
        return response

    def close(self) -> None:
        """Close nothing: the client has no connection."""


def session(client: Client) -> requests.Session:
    made = requests.Session()
    made.mount(URL, DjangoAdapter(client))
    return made


@contextmanager
def another_request_wins() -> Iterator[None]:
    """Let each write fail like the victim of a deadlock, and roll the request back."""

    def deny(execute: Any, sql: str, *arguments: Any) -> Any:
        if not sql.lstrip().upper().startswith(_WRITES):
            return execute(sql, *arguments)
        deadlock = psycopg.errors.DeadlockDetected("deadlock detected")
        raise OperationalError("deadlock detected") from deadlock

    with transaction.atomic():
        with connection.execute_wrapper(deny):
            yield
        transaction.set_rollback(True)


@contextmanager
def no_database() -> Iterator[None]:
    """Let the connection of this thread look for its file where none can be. The thread has none yet."""
    there = connection.settings_dict
    connection.settings_dict = {**there, "NAME": "/proc/none/koinonia.sqlite3"}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = there
