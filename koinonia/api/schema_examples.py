"""Names of operations, summaries, tags and examples in the OpenAPI schema."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.utils import timezone

from koinonia.api.examples.recorded import recorded, sample_id
from koinonia.api.examples.requests import REQUESTS, filled
from koinonia.api.idempotency import HEADER
from koinonia.api.operations import TAGS, derived, known
from koinonia.api.problems import MEDIA_TYPE

_EXAMPLES = "#/components/examples/"
_NAMES = {
    "400": "BadInput", "401": "NotSignedIn", "403": "NotAllowed", "404": "NotFound",
    "406": "NotAcceptable", "409": "Conflict", "409 key": "KeyInProgress", "412": "Changed", "413": "TooLarge", "415": "UnsupportedMediaType",
    "422": "KeyUsedTwice", "428": "PreconditionRequired", "429": "TooManyRequests",
    "503": "Unavailable",
}  # fmt: skip
_FILE = "first_name,last_name,phone,groups\nAnna,Lee,+12025550123,Choir;Youth\n"
_PATH_EXAMPLES = {"church": "grace", "id": "Uk", "token": "Uk", "delivery": "Uk"}


def describe_operations(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Set the id, the summary and the examples of each operation (a hook of drf-spectacular)."""
    used: set[str] = set()
    for path, verb, operation in _operations(result):
        named = known(path, verb) or derived(path, verb, operation)
        operation["operationId"], operation["summary"] = named
        operation.setdefault("description", f"{named.summary}.")
        _add_parameter_examples(operation)
        _add_body_examples(operation)
        used |= _add_answer_examples(operation)
    problems = recorded()["problems"]
    result["components"]["examples"] = {
        _NAMES[code]: {"value": problems[code]} for code in sorted(used & problems.keys())
    }
    tags = {tag for _, _, one in _operations(result) for tag in one.get("tags", ())}
    in_order = [*TAGS, *sorted(tags - set(TAGS))]
    result["tags"] = [
        {"name": name, "description": TAGS.get(name, f"Operations of {name}.")}
        for name in in_order
        if name in tags
    ]
    return result


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for path, item in result["paths"].items():
        for verb, operation in item.items():
            yield path, verb, operation


def _add_parameter_examples(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["name"] in _PATH_EXAMPLES:
            parameter["example"] = _PATH_EXAMPLES[parameter["name"]]


def _add_body_examples(operation: dict[str, Any]) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    example = REQUESTS.get(operation["operationId"])
    if "application/json" in content and example is not None:
        body = filled(example, sample_id, now=timezone.now())
        content["application/json"]["example"] = body
    if "text/csv" in content:
        content["text/csv"]["example"] = _FILE


def _add_answer_examples(operation: dict[str, Any]) -> set[str]:
    """Add the examples of all answers. Return the codes of the errors that share one."""
    answers = recorded()["answers"].get(operation["operationId"], {})
    shared = set()
    keyed = any(one["name"] == HEADER for one in operation.get("parameters", ()))
    for code, response in operation["responses"].items():
        response["description"] = response.get("description") or HTTPStatus(int(code)).phrase
        for media_type, content in response.get("content", {}).items():
            if code == "409":
                own = {"State": {"value": answers[code]}} if code in answers else {}
                kinds = ["409 key", code] if keyed else [code]
                content["examples"] = own | _references(kinds)
                shared |= {*kinds}
            elif code in answers:
                content["example"] = answers[code]
            elif media_type == MEDIA_TYPE and code in recorded()["problems"]:
                content["examples"] = _references([code])
                shared.add(code)
    return shared


def _references(codes: list[str]) -> dict[str, Any]:
    return {_NAMES[code]: {"$ref": _EXAMPLES + _NAMES[code]} for code in codes}
