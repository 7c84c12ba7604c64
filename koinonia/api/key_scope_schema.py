"""The scopes of API keys in the OpenAPI schema: in each operation, and in the security scheme."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.urls import Resolver404, resolve

from koinonia.api.key_scopes import ROUTES, Scopes
from koinonia.models import KeyScope

_SCHEME = "bearer"
_WHAT_THEY_OPEN = {
    KeyScope.READ: "GETs of texts, conversations, broadcasts and the church, and events",
    KeyScope.SEND: "texts, broadcasts, answers and dead letters",
    KeyScope.PEOPLE: "members, groups and notes, reading them too",
}


def describe(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Name the scope of each operation. drf-spectacular calls this with the whole schema."""
    schemes = result["components"].get("securitySchemes", {})
    if _SCHEME in schemes:
        schemes[_SCHEME]["description"] = _explanation()
    for path, item in result["paths"].items():
        methods = ROUTES.get(_route(path), {})
        for verb, operation in _operations(item):
            if _is_secured(operation) and verb.upper() in methods:
                _describe(operation, methods[verb.upper()])
    return result


def _operations(item: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for verb, operation in item.items():
        if isinstance(operation, dict) and "responses" in operation:
            yield verb, operation


def _route(path: str) -> str:
    try:
        return resolve(re.sub(r"\{\w+\}", "x", path)).url_name or ""
    except Resolver404:
        return ""


def _is_secured(operation: dict[str, Any]) -> bool:
    return any(_SCHEME in one for one in operation.get("security", ()))


def _describe(operation: dict[str, Any], needed: Scopes) -> None:
    names = [str(scope) for scope in KeyScope.values if scope in needed]
    if len(names) == len(KeyScope):
        sentence = "Scope of an API key: any."
    elif names:
        sentence = f"Scope of an API key: {' or '.join(f'`{name}`' for name in names)}."
    else:
        sentence = "Closed to API keys with scopes."
    description = operation.get("description", "")
    operation["description"] = f"{description}\n\n{sentence}".strip()
    if len(names) < len(KeyScope):
        operation["responses"].setdefault("403", {"description": "The API key lacks the scope."})


def _explanation() -> str:
    lines = [f"* `{scope}`: {opened}" for scope, opened in _WHAT_THEY_OPEN.items()]
    begin = "The token of a login, or an API key. An API key may be limited to scopes:"
    end = "A key may also be bound to one `church`: every other church is 404 to it. A request beyond the scopes is answered with 403, the code `insufficient_scope`, and RFC 6750's `WWW-Authenticate`."
    return "\n".join([begin, "", *lines, "", end])
