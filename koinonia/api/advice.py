"""Errors of DRF, with sentences that name the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework import exceptions

_NO_CREDENTIAL = "No credential was sent. Send `Authorization: Bearer <token>`; POST /api/v1/auth/login/ makes a token."
_OTHER_SCHEME = "This API takes the scheme Bearer: send `Authorization: Bearer <token>`, not `Authorization: {scheme} …`."
NO_CHURCH = "No church with this slug is open to you: GET /api/v1/me/ lists the slugs."
_NO_ITEM = "There is nothing with this id here."
_MAX_SCHEME_LENGTH = 20


def explained(
    error: exceptions.APIException, context: Mapping[str, Any]
) -> exceptions.APIException:
    """Return ``error`` with a sentence that names the remedy, where the request shows one."""
    detail = _sentence(error, context.get("request"), context.get("view"))
    if detail is not None:
        # A change of the same error: its status, headers and code stay.
        error.detail = exceptions.ErrorDetail(detail, error.default_code)
    return error


def _sentence(error: exceptions.APIException, request: Any, view: Any) -> str | None:
    if isinstance(error, exceptions.NotAuthenticated):
        return _about_credential(request)
    if isinstance(error, exceptions.NotFound) and view is not None:
        return _about_missing(error, view)
    if isinstance(error, exceptions.MethodNotAllowed) and view is not None:
        return _about_method(request, view)
    if isinstance(error, exceptions.UnsupportedMediaType) and view is not None:
        return _about_media_type(request, view)
    return None


def _about_credential(request: Any) -> str:
    header = request.headers.get("Authorization", "") if request is not None else ""
    scheme = header.partition(" ")[0][:_MAX_SCHEME_LENGTH]
    if not scheme or scheme.lower() == "bearer":
        return _NO_CREDENTIAL
    return _OTHER_SCHEME.format(scheme=scheme)


def _about_missing(error: exceptions.NotFound, view: Any) -> str | None:
    """Return a sentence instead of DRF's general one; None if the error has a sentence of its own."""
    if str(error.detail) != str(error.default_detail):
        return None
    if "church" in view.kwargs and not hasattr(view, "membership"):
        return NO_CHURCH
    return _NO_ITEM


def _about_method(request: Any, view: Any) -> str:
    allowed = [name for name in view.allowed_methods if name != "OPTIONS"]
    return f"{request.method} is not allowed here. This path takes {', '.join(allowed)}."


def _about_media_type(request: Any, view: Any) -> str:
    accepted = [parser.media_type for parser in view.parser_classes]
    given = (request.content_type or "").partition(";")[0].strip()
    found = f"The body is {given}." if given else "The body has no Content-Type."
    return f"{found} Send {' or '.join(accepted)}."
