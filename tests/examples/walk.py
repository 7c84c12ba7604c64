"""A walk over every operation of a running system: its example, and each error that it documents."""

from __future__ import annotations

import base64
import json
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import requests

from koinonia.api.examples.requests import REQUESTS, filled, in_the_future

ENVIRONMENT = {
    "THROTTLE_API": "1/h:5000", "THROTTLE_ANON": "100000/m", "THROTTLE_MESSAGES": "100000/m",
    "THROTTLE_BROADCASTS": "100000/h", "THROTTLE_INVITATIONS": "100000/h", "THROTTLE_LOGIN_IP": "1000/m",
    "THROTTLE_LOGIN_USER": "5/15m",
    "EMAIL_URL": "smtp://127.0.0.1:1",
}  # fmt: skip
"""The walk stays below the limits; only the bucket of one user is empty. No mail server answers."""

_KINDS = {
    "members": "member", "groups": "group", "keywords": "keyword", "messages": "message",
    "broadcasts": "broadcast", "series": "series", "conversations": "conversation", "notes": "note",
    "templates": "template", "media": "media", "dead-letters": "dead_letter", "staff": "colleague",
    "invitations": "invitation", "webhooks": "webhook",
}  # fmt: skip
_KIND_OF = {
    "update_message": "scheduled_message", "cancel_message": "spare_message",
    "mark_as_not_a_stop": "received_message", "update_broadcast": "scheduled_broadcast",
    "cancel_broadcast": "spare_broadcast", "retry_dead_letter": "spare_dead_letter",
    "discard_dead_letter": "discarded_dead_letter", "merge_member": "merged_member",
    "delete_member": "spare_member", "delete_group": "spare_group",
    "delete_keyword": "spare_keyword", "delete_template": "spare_template",
    "delete_note": "spare_note", "end_series": "spare_series", "delete_staff": "spare_colleague",
    "delete_webhook": "spare_webhook",
    "opt_out": "unread_conversation", "mark_as_read": "unread_conversation",
}  # fmt: skip
"""Each operation that changes or ends an item gets its own item."""
CONFLICTS: dict[str, tuple[str, Any]] = {
    "update_message": ("message", {"text": "Too late"}),
    "cancel_message": ("message", None),
    "update_broadcast": ("broadcast", {"text": "Too late"}),
    "cancel_broadcast": ("broadcast", None),
    "update_conversation": ("unread_conversation", {"done": True}),
    "update_series": ("ended_series", {"text": "Too late"}),
    "skip_occurrence": ("ended_series", None),
    "retry_dead_letter": ("doubtful_dead_letter", {"may_double": False}),
    "test_webhook": ("dead_webhook", None),
    "redeliver_events": ("dead_webhook", None),
    "redeliver_event": ("dead_webhook", None),
}
"""An item and a body that the operation refuses with 409."""
ONCE = {"discard_dead_letter"}
"""A second request of these, without an Idempotency-Key, is a 409."""
_ACTORS = {
    "change_password": "grace-viewer",
    "accept_invitation": "hope-owner",
    "log_out_everywhere": "hope-owner",
}
_BAD_QUERIES = {
    "audit": "action=x",
    "deliveries": "state=x",
    "export": "status=x&group=x",
    "events": "after=x",
}
_OWNERS_ONLY = {"audit", "staff", "invitations", "webhooks"}
TIRED = "tired-owner"
"""This owner has an empty bucket of the limit ``api``."""
_KEY = "an API key that may only send"
_CHANGES = 20
_LOGINS = 5
"""Wrong passwords before the next login with the same name is a 429."""
_LAST = ("delete_", "end_", "opt_out", "accept_", "change_password", "log_out")
_PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
_TABLE = "first_name,last_name,phone,groups\nAnna,Lee,+12025550129,Choir\n"
_TOO_LARGE, _TOO_LARGE_FILE = 3 * 2**20, 6 * 2**20
_RAW = ("application/json", "text/csv")


class System(Protocol):
    """A running system, or this process."""

    url: str
    password: str
    data_dir: Path

    def manage(self, *arguments: str) -> str: ...

    def token(self, username: str) -> str: ...


@dataclass
class Exchange:
    """The answer of the system to one request."""

    operation: str
    documented: Any
    status: str
    body: Any
    media_type: str
    tag: str = ""
    """The entity tag."""


@dataclass
class Walk:
    system: System
    http: requests.Session = field(default_factory=requests.Session)
    schema: Any = None
    ids: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.schema = self.schema or self._own_schema()
        script = "from tests.examples.seed import seed; seed()"
        self.ids = json.loads(self.system.manage("shell", "-c", script).splitlines()[-1])
        for kind in ("scheduled_broadcast", "spare_broadcast"):
            soon = in_the_future(datetime.now(UTC))
            self._make(kind, "broadcasts", {**REQUESTS["send_broadcast"], "send_at": soon})
        for kind in ("series", "spare_series", "ended_series"):
            self._make(kind, "series", REQUESTS["create_series"])
        self.http.delete(
            f"{self.system.url}/api/v1/churches/grace/series/{self.ids['ended_series']}/",
            headers={**self._bearer("grace-owner"), "If-Match": "*"},
            timeout=30,
        ).raise_for_status()

    def _own_schema(self) -> Any:
        url = f"{self.system.url}/api/schema/?format=json"
        answer = self.http.get(url, headers={"Accept": "application/json"}, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def _make(self, kind: str, name: str, body: Any) -> None:
        """Make an item that needs more than a row."""
        answer = self.http.post(
            f"{self.system.url}/api/v1/churches/grace/{name}/",
            json=self._body(body),
            headers=self._bearer("grace-owner"),
            timeout=30,
        )
        answer.raise_for_status()
        self.ids[kind] = answer.json()["id"]

    def _bearer(self, user: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[user]}"}

    @cached_property
    def tokens(self) -> dict[str, str]:
        users = ("grace-owner", "grace-viewer", "hope-owner", TIRED)
        made = {user: self.system.token(user) for user in users}
        answer = self.http.post(
            f"{self.system.url}/api/v1/me/tokens/",
            json={"name": "Only sends", "scopes": ["send"]},
            headers={"Authorization": f"Bearer {made['grace-owner']}"},
            timeout=30,
        )
        return {**made, _KEY: answer.json()["token"]}

    def exchanges(self) -> Iterator[Exchange]:
        """Yield the answers to each operation: its errors first."""
        yield from self._keys_in_progress()
        for verb, path, operation in self.operations():
            yield from self._errors(verb, path, operation)
            yield from self._success(verb, path, operation)

    def operations(self) -> list[tuple[str, str, Any]]:
        """Return the verb, the path and the description of each operation, in the order of the walk."""
        found = [
            (verb, path, one)
            for path, verbs in self.schema["paths"].items()
            for verb, one in verbs.items()
        ]
        return sorted(found, key=lambda one: _turn(one[2]["operationId"]))

    def _keys_in_progress(self) -> Iterator[Exchange]:
        """Yield the answers while another writer holds the database: the key waits, and gives up.

        All operations wait at the same time: 5 seconds.
        """
        keyed = [one for one in self.operations() if has(one[2], "Idempotency-Key")]
        once = {"Idempotency-Key": "held"}
        with ThreadPoolExecutor(len(keyed)) as pool, held_by_another_writer(self.system):
            yield from pool.map(lambda one: self.ask(*one, headers=once), keyed)

    def _success(self, verb: str, path: str, operation: Any) -> Iterator[Exchange]:
        name = operation["operationId"]
        extra: dict[str, str] = {}
        if has(operation, "Idempotency-Key"):
            extra = {"Idempotency-Key": f"example-{name}"}
        made = self.ask(verb, path, operation, headers=extra)
        self.note(made)
        yield made
        if verb == "get":
            yield self._unchanged(verb, path, operation, made.tag)
        if name in ONCE:
            yield self.ask(verb, path, operation)
        if extra:
            other = {**REQUESTS[name], "text": "Another text"}
            if "text" not in REQUESTS[name]:
                other = {**REQUESTS[name], "may_double": True, "first_name": "Ann"}
            yield self.ask(verb, path, operation, body=other, headers=extra)

    def note(self, made: Exchange) -> None:
        """Keep the ids that later operations need."""
        if made.operation == "create_token":
            self.ids["my_token"] = made.body["id"]
        if made.operation == "create_invitation":
            waiting = self._get("/api/v1/me/invitations/", _ACTORS["accept_invitation"])
            self.ids["token"] = waiting["results"][0]["token"]

    def _unchanged(self, verb: str, path: str, operation: Any, tag: str) -> Exchange:
        """Return the 304. If a worker changes the item in between, ask with the new tag."""
        for _ in range(_CHANGES):
            found = self.ask(verb, path, operation, headers={"If-None-Match": tag})
            if found.status == "304":
                return found
            tag = found.tag
        raise AssertionError(f"{operation['operationId']} is never a 304.")

    def _errors(self, verb: str, path: str, operation: Any) -> Iterator[Exchange]:
        ask = partial(self.ask, verb, path, operation)
        name = operation["operationId"]
        if name == "log_in":
            wrong = {"username": "nobody", "password": "wrong"}
            yield from (ask(body=wrong) for _ in range(_LOGINS + 1))
        else:
            yield ask(user=None)
            yield ask(user=TIRED)
        if verb == "get":
            yield ask(headers={"Accept": "image/png"})
        if "403" in operation["responses"]:
            by_role = verb != "get" or bool(_OWNERS_ONLY & set(path.split("/")))
            yield ask(user="grace-viewer" if by_role and "{church}" in path else _KEY)
        if "404" in operation["responses"]:
            yield ask(nowhere=True)
        if "requestBody" in operation:
            kinds = operation["requestBody"]["content"]
            if "application/json" in kinds:
                yield ask(body={**REQUESTS[name], "nonsense": 1})
            if kinds.keys() - {"multipart/form-data"}:
                size = _TOO_LARGE_FILE if "text/csv" in kinds else _TOO_LARGE
                yield ask(raw=b'{"text":"%s"}' % (b"x" * size))
            if "multipart/form-data" in kinds:
                yield ask(raw=b"--b--", media_type="multipart/form-data; boundary=b")
            yield ask(raw=b"text", media_type="text/plain")
        elif "400" in operation["responses"] and verb == "get":
            last = path.strip("/").rpartition("/")[2]
            yield ask(query=_BAD_QUERIES.get(last, "fields=nonsense"))
        if has(operation, "If-Match"):
            yield ask(headers={"If-Match": '"999999"'})
            yield ask(headers={"If-Match": "nonsense"})
        if name in CONFLICTS:
            kind, body = CONFLICTS[name]
            yield ask(kind=kind, body=body)
        if name == "merge_member":
            yield ask(kind="member")
        if name == "create_invitation":
            yield ask(body={"email": "anna@example.org", "role": "viewer"})

    def _get(self, path: str, user: str) -> Any:
        url = f"{self.system.url}{path}"
        return self.http.get(url, headers=self._bearer(user), timeout=30).json()

    def ask(
        self,
        verb: str,
        path: str,
        operation: Any,
        *,
        user: str | None = "",
        body: Any = None,
        raw: bytes | None = None,
        media_type: str = "",
        query: str = "",
        kind: str = "",
        nowhere: bool = False,
        headers: dict[str, str] | None = None,
    ) -> Exchange:
        """Send the example of the operation. The arguments replace parts of it."""
        name = operation["operationId"]
        sent = dict(headers or {})
        if user is not None and name != "log_in":
            sent |= self._bearer(user or _ACTORS.get(name, "grace-owner"))
        content = operation.get("requestBody", {}).get("content", {})
        more: dict[str, Any] = {}
        if raw is not None:
            more["data"] = raw
            sent["Content-Type"] = media_type or next(k for k in (*_RAW, *content) if k in content)  # fmt: skip
        elif "application/json" in content:
            more["json"] = self._body(REQUESTS[name] if body is None else body)
        elif "text/csv" in content:
            more["data"], sent["Content-Type"] = _TABLE, "text/csv"
        elif content:
            more["files"] = {"file": ("choir.png", _PICTURE, "image/png")}
        where = self._path(name, path, kind, nowhere=nowhere) + (f"?{query}" if query else "")
        answer = self.http.request(
            verb, f"{self.system.url}{where}", headers=sent, timeout=60, **more
        )
        return _exchange(operation, answer)

    def _path(self, name: str, path: str, kind: str, *, nowhere: bool) -> str:
        segment = re.search(r"/([a-z-]+)/\{(?:id|token)\}/", path)
        of_path = _KINDS.get(segment[1], "") if segment else ""
        wanted = kind or _KIND_OF.get(name) or of_path
        if "/me/" in path:
            wanted = "token" if "{token}" in path else "my_token"
        delivery = self.ids["dead_delivery" if kind == "dead_webhook" else "delivery"]
        path = path.replace("{delivery}", delivery)
        one = "zzzz" if nowhere else self.ids.get(wanted, "zzzz")
        return path.replace("{church}", "nowhere" if nowhere else "grace").replace("{id}", one).replace("{token}", one)  # fmt: skip

    def _body(self, example: Any) -> Any:
        body = filled(example, self.ids.__getitem__, now=datetime.now(UTC))
        return {
            key: self.system.password if value == "the password of the user" else value
            for key, value in body.items()
        }


def _exchange(operation: Any, answer: requests.Response) -> Exchange:
    media_type = answer.headers.get("Content-Type", "").partition(";")[0]
    body = answer.json() if media_type.endswith("json") else answer.text
    status = str(answer.status_code)
    documented = operation["responses"].get(status)
    tag = answer.headers.get("ETag", "")
    return Exchange(operation["operationId"], documented, status, body, media_type, tag)


def has(operation: Any, header: str) -> bool:
    return any(one["name"] == header for one in operation.get("parameters", ()))


@contextmanager
def held_by_another_writer(system: System) -> Iterator[None]:
    """Hold SQLite's lock for writing. It waits for other writers first."""
    with closing(sqlite3.connect(system.data_dir / "koinonia.sqlite3", timeout=30)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        yield


def _turn(name: str) -> tuple[bool, bool]:
    """Return the sort key: what ends items comes late, and what ends the token last."""
    return name.startswith(_LAST), name == "log_out"
