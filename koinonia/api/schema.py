"""What drf-spectacular cannot see by itself."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import (
    OpenApiAuthenticationExtension,
    OpenApiSerializerFieldExtension,
)

from koinonia import ids

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
    },
}
_PATH_SCHEMAS = {
    "id": ids.SCHEMA,
    "church": {"type": "string", "description": "The slug of the church."},
    "token": {"type": "string", "description": "Of the link in the mail, or of `me/invitations/`."},
}
_SENDING = ("/messages/", "/broadcasts/", "/retry/")
_VERBS = ("get", "post", "patch", "delete")


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call] # untyped upstream
    target_class = "koinonia.api.authentication.BearerAuthentication"
    name = "bearer"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer"}


class ItemsOfChurch(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call] # untyped upstream
    """Written as ``[id]``."""

    target_class = "koinonia.api.serializers.fields.ChurchItemsField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        return {"type": "array", "items": _PATH_SCHEMAS["id"]}


class GroupsOfMember(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call] # untyped upstream
    """Read as ``[{id,name}]``, written as ``[id]``."""

    target_class = "koinonia.api.serializers.people.GroupsField"

    def map_serializer_field(self, auto_schema: Any, direction: str) -> dict[str, Any]:
        an_id = _PATH_SCHEMAS["id"]
        properties = {"id": an_id, "name": {"type": "string"}}
        read = {"type": "object", "required": ["id", "name"], "properties": properties}
        return {"type": "array", "items": an_id if direction == "request" else read}


def complete(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Postprocessing: ids as strings, problems as the answer to whatever goes wrong, the key header."""
    result["components"].setdefault("schemas", {})["Problem"] = _PROBLEM
    for path, item in result["paths"].items():
        for verb in _VERBS:
            if verb in item:
                _complete(item[verb], path, verb)
    return result


def _complete(operation: dict[str, Any], path: str, verb: str) -> None:
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["schema"] = _PATH_SCHEMAS[parameter["name"]]
    if verb == "post" and path.endswith(_SENDING):
        operation.setdefault("parameters", []).append(_KEY)
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for code, told in _errors(path, verb).items():
        operation["responses"].setdefault(code, {"description": told, "content": content})


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_:-]{1,255}$"},
    "description": "The same request again gives the first answer, and sends nothing twice.",
}


def _errors(path: str, verb: str) -> dict[str, str]:
    errors = {
        "400": "Bad input: `errors` says what, by field.",
        "401": "No or a bad credential.",
        "429": "Too many requests.",
    }
    if "{church}" in path:
        errors |= {"403": "The role is too low.", "404": "Not there, or not of one's churches."}
    elif "{" in path:
        errors["404"] = "Not there, or not one's own."
    if path.endswith("/me/password/"):
        errors["429"] = "Too many guesses at the present password."
    if path.endswith("/invitations/") and verb == "post":
        errors["503"] = "The mail could not be sent, and nobody was invited."
    if path.endswith(_SENDING) and verb == "post":
        errors["422"] = "The Idempotency-Key was used with another body."
    if path.endswith((*_SENDING, "/cancel/", "/discard/")) and verb == "post":
        errors["409"] = "It does not fit the present state."
    if verb in ("post", "patch"):
        errors["413"] = "The body is too large."
        errors["415"] = "The body is of another media type."
    return errors
