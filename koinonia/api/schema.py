"""Additions to the OpenAPI schema that drf-spectacular cannot derive from views and serializers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.utils import OpenApiResponse

from koinonia import ids
from koinonia.api import idempotency
from koinonia.api.problems import MEDIA_TYPE

_COMPONENTS = "#/components/schemas/"
_PROBLEM_REF = {"$ref": f"{_COMPONENTS}Problem"}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `errors` names what is wrong with the input, by field.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "object",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
        "code": {
            "type": "string",
            "description": "A name of the error, where the status has several: a 403 of an API key has `insufficient_scope`.",
        },
        "violated-policies": {
            "type": "array",
            "items": {"type": "string"},
            "description": "429: the names of the limits.",
        },
    },
}
_PATH_SCHEMAS = {
    "id": ids.SCHEMA,
    "delivery": ids.SCHEMA,
    "church": {"type": "string", "description": "The slug of the church."},
    "token": {
        "type": "string",
        "description": "From the link in the mail, or from `me/invitations/`.",
    },
}
_VERBS = ("get", "post", "patch", "delete")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # untyped upstream
    target_class = "koinonia.api.authentication.BearerAuthentication"
    name = "bearer"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class ItemsOfChurch(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call] # untyped upstream
    """A list of items of the church, written as ``[id]``."""

    target_class = "koinonia.api.serializers.fields.ChurchItemsField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "array", "items": _PATH_SCHEMAS["id"]}


class GroupsOfMember(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call] # untyped upstream
    """The groups of a member: read as ``[{id,name}]``, written as ``[id]``."""

    target_class = "koinonia.api.serializers.people.GroupsField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "array", "items": _group(direction)}


class GroupOfKeyword(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call] # untyped upstream
    """The group of a keyword: read as ``{id,name}``, written as ``id``."""

    target_class = "koinonia.api.serializers.answers.GroupOfKeywordField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return _group(direction)


def _group(direction: str) -> dict[str, Any]:
    """Return the schema of a group within another item."""
    an_id: dict[str, Any] = _PATH_SCHEMAS["id"]
    properties = {"id": an_id, "name": {"type": "string"}}
    read = {"type": "object", "required": ["id", "name"], "properties": properties}
    return an_id if direction == "request" else read


def refusal(code: int, sentence: str) -> dict[Any, OpenApiResponse]:
    """Return an entry of ``extend_schema(responses=…)`` for an error that is special to a view."""
    return {(code, MEDIA_TYPE): OpenApiResponse(_PROBLEM_REF, sentence)}


_CONFLICTING = "The request conflicts with the current state, or with another request."
_WRITES_NOTHING = "/broadcasts/preview/"
"""The end of the path of a POST that cannot conflict."""
CONFLICT = refusal(409, _CONFLICTING)


def complete(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add the types of path parameters, and the errors that many operations share."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, item in result["paths"].items():
        for verb in _VERBS:
            if verb in item:
                _complete(item[verb], path, verb)
    return result


def _complete(operation: dict[str, Any], path: str, verb: str) -> None:
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path":
            parameter["schema"] = _PATH_SCHEMAS[parameter["name"]]
    # The header comes last: generated clients take parameters in this order.
    parameters.sort(key=lambda parameter: bool(parameter["name"] == idempotency.HEADER))
    errors = _common_errors(path, verb, operation)
    if verb != "get" and not path.endswith(_WRITES_NOTHING):
        errors["409"] = _CONFLICTING
    if any(parameter["name"] == idempotency.HEADER for parameter in parameters):
        errors["422"] = "The Idempotency-Key was used with another body."
    for code, description in errors.items():
        response = {"description": description, "content": {MEDIA_TYPE: {"schema": _PROBLEM_REF}}}
        operation["responses"].setdefault(code, response)


def _common_errors(path: str, verb: str, operation: dict[str, Any]) -> dict[str, str]:
    bodies = operation.get("requestBody", {}).get("content", {})
    checked = {one["name"] for one in operation.get("parameters", ()) if one["in"] != "path"}
    errors = {
        "401": "The credential is missing or invalid.",
        "429": "Too many requests.",
        "503": "The database is away. `Retry-After` says when to ask again.",
    }
    if "{church}" in path:
        errors |= {
            "403": "The role is too low, or the API key lacks the scope.",
            "404": "It does not exist in a church of this user.",
        }
    elif "{" in path:
        errors["404"] = "It does not exist, or belongs to another user."
    if verb == "get":
        errors["406"] = "`Accept` names no media type of this answer."
    elif any(operation.get("security", ())):
        errors.setdefault("403", "The session has no CSRF token, or the API key lacks the scope.")
    if bodies or checked - {"If-None-Match"}:
        errors["400"] = "Bad input: `errors` lists the problems by field."
    if bodies:
        errors["415"] = "The body is of another media type."
    # The parser of forms keeps large files on disk; the view refuses them with 400.
    if bodies.keys() - {"multipart/form-data"}:
        errors["413"] = "The body is too large."
    return errors


def for_typed_clients(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Describe each answer exactly: a generated, typed client fails on any difference."""
    components = result["components"]["schemas"]
    for verbs in result["paths"].values():
        for operation in verbs.values():
            for code, response in operation["responses"].items():
                _add_problem(code, response)
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                _describe_text(body)
            if _offers_fields(operation):
                _require_nothing(operation["responses"]["200"], components)
    return result


def _add_problem(code: str, response: dict[str, Any]) -> None:
    """Describe the content of an error. Without content, clients drop the error."""
    if int(code) >= 400 and "content" not in response:
        response["content"] = {MEDIA_TYPE: {"schema": _PROBLEM_REF}}


def _describe_text(body: dict[str, Any]) -> None:
    """Describe a text as a string: ``format: binary`` makes clients read a file into bytes."""
    for media_type, content in body.get("content", {}).items():
        if media_type.startswith("text/"):
            content["schema"] = {"type": "string"}


def _offers_fields(operation: dict[str, Any]) -> bool:
    return any(one["name"] == "fields" for one in operation.get("parameters", ()))


def _require_nothing(response: dict[str, Any], components: dict[str, Any]) -> None:
    """Make every property of an item optional, for ``fields`` may leave it out."""
    for content in response.get("content", {}).values():
        for name in _names_below(_item_of(content["schema"], components), components):
            components[name].pop("required", None)
            _require_nothing_within(components[name])


def _item_of(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    """Return the schema of one item; for a page, that is the schema of its results."""
    page = components.get(schema.get("$ref", "").removeprefix(_COMPONENTS), {})
    results = page.get("properties", {}).get("results")
    return results if results and "next" in page["properties"] else schema


def _require_nothing_within(schema: Any) -> None:
    """Drop ``required`` from the schemas that are written inside this one."""
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict):
            inner.pop("required", None) if isinstance(inner.get("required"), list) else None
        if isinstance(inner, dict | list):
            _require_nothing_within(inner)


def _names_below(schema: Any, components: dict[str, Any]) -> Iterator[str]:
    """Yield the name of each component below ``schema`` once, references included."""
    waiting, seen = [schema], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).removeprefix(_COMPONENTS)
            if name in components and name not in seen:
                seen.add(name)
                yield name
                waiting.append(components[name])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def null_as_a_type(result: Any, **_kwargs: Any) -> Any:
    """Replace ``nullable`` of OpenAPI 3.0, which hand-written parts of the schema use, by a type."""
    if isinstance(result, list):
        return [null_as_a_type(one) for one in result]
    if not isinstance(result, dict):
        return result
    part = {name: null_as_a_type(value) for name, value in result.items() if name != "nullable"}
    if result.get("nullable") is True and isinstance(part.get("type"), str):
        part["type"] = [part["type"], "null"]
    elif result.get("nullable") is True:
        part = {"anyOf": [part, {"type": "null"}]}
    return part
