"""The OpenAPI schema as generated clients read it: drf-spectacular's second postprocessing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_REF = "#/components/schemas/"
_PROBLEM = {"application/problem+json": {"schema": {"$ref": f"{_REF}Problem"}}}


def for_typed_clients(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Say what each answer really holds; a typed client fails on what is said otherwise."""
    components = result["components"]["schemas"]
    for verbs in result["paths"].values():
        for operation in verbs.values():
            for code, response in operation["responses"].items():
                _describe(code, response)
            for body in (operation.get("requestBody", {}), *operation["responses"].values()):
                _texts_are_text(body)
            if _offers_fields(operation):
                _nothing_is_required(operation["responses"]["200"], components)
    return result


def _describe(code: str, response: dict[str, Any]) -> None:
    """Every refusal is a problem: without content, clients drop it and return nothing."""
    if int(code) >= 400 and "content" not in response:
        response["content"] = _PROBLEM


def _texts_are_text(body: dict[str, Any]) -> None:
    """Describe a text as text: ``format: binary`` makes clients read a file into bytes."""
    for media_type, content in body.get("content", {}).items():
        if media_type.startswith("text/"):
            content["schema"] = {"type": "string"}


def _offers_fields(operation: dict[str, Any]) -> bool:
    return any(one["name"] == "fields" for one in operation.get("parameters", ()))


def _nothing_is_required(response: dict[str, Any], components: dict[str, Any]) -> None:
    """``fields`` may leave out any property of an item, and of what is within it; not the page's."""
    for content in response.get("content", {}).values():
        for name in _named_below(_item_of(content["schema"], components), components):
            components[name].pop("required", None)
            _within(components[name])


def _item_of(schema: dict[str, Any], components: dict[str, Any]) -> Any:
    """Return the schema of one item: of a page, that of its results."""
    page = components.get(schema.get("$ref", "").removeprefix(_REF), {})
    results = page.get("properties", {}).get("results")
    return results if results and "next" in page["properties"] else schema


def _within(schema: Any) -> None:
    """Drop ``required`` from the schemas written inside this one."""
    for inner in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(inner, dict):
            inner.pop("required", None) if isinstance(inner.get("required"), list) else None
        if isinstance(inner, dict | list):
            _within(inner)


def _named_below(schema: Any, components: dict[str, Any]) -> Iterator[str]:
    """Yield the name of each component that ``schema`` refers to, and those refer to, once."""
    waiting, seen = [schema], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            name = str(part.get("$ref", "")).removeprefix(_REF)
            if name in components and name not in seen:
                seen.add(name)
                yield name
                waiting.append(components[name])
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
