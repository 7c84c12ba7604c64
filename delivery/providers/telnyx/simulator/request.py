"""A request as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message as Headers
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, kw_only=True)
class Request:
    method: str
    path: str
    query: str = ""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @classmethod
    def of(cls, method: str, target: str, headers: Headers, body: bytes) -> Request:
        parts = urlsplit(target)
        return cls(method=method, path=parts.path, query=parts.query, headers=headers, body=body)

    def header_values(self, name: str) -> list[str]:
        return [str(value) for value in self.headers.get_all(name, [])]

    def parameters(self) -> dict[str, str]:
        return dict(parse_qsl(self.query))
