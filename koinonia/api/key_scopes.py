"""The scope of each route of the API, for API keys.

``ROUTES`` names every route and method: a test walks over the routes. A route without a line is closed to
keys with scopes. Sessions, login tokens and keys without scopes may use every route.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from knox.models import AuthToken
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from koinonia.models import Church, KeyScope
from koinonia.models.church import ChurchQuerySet

Scopes = frozenset[KeyScope]

READ: Final = frozenset({KeyScope.READ})
SEND: Final = frozenset({KeyScope.SEND})
PEOPLE: Final = frozenset({KeyScope.PEOPLE})
ANY: Final = frozenset(KeyScope)
"""Each key may use the route, to read about itself or to end itself."""
NONE: Final[Scopes] = frozenset()
"""No key with scopes may use the route, such as one of staff, settings, webhooks and credentials."""

_OTHERS_TOO = (
    "An API key of one church cannot do this, because it is about all churches of the user."
)
_READ_ONLY = {"GET": READ}
_TEXTS = {"GET": READ, "POST": SEND}
_TEXT = {"GET": READ, "PATCH": SEND}
_KEPT = {"GET": READ, "PATCH": SEND, "DELETE": SEND}
_ACT = {"POST": SEND}
_PEOPLE = {"GET": PEOPLE, "POST": PEOPLE}
_PERSON = {"GET": PEOPLE, "PATCH": PEOPLE, "DELETE": PEOPLE}

ROUTES: Final[Mapping[str, Mapping[str, Scopes]]] = {
    # The key itself, and the documents.
    "schema": {"GET": ANY},
    "docs": {"GET": ANY},
    "me": {"GET": ANY},
    "logout": {"POST": ANY},
    # The church and its events.
    "churches": _READ_ONLY,
    "church": {"GET": READ, "PATCH": NONE},
    "delivery": _READ_ONLY,
    "events": _READ_ONLY,
    "my-events": _READ_ONLY,
    "ticket": {"POST": READ},
    # Texts.
    "messages": _TEXTS,
    "message": _TEXT,
    "attempts": _READ_ONLY,
    "message-cancel": _ACT,
    "broadcasts": _TEXTS,
    "broadcast": _TEXT,
    "broadcast-preview": _ACT,
    "broadcast-cancel": _ACT,
    "series": _TEXTS,
    "series-item": _KEPT,
    "series-skip": _ACT,
    "templates": _TEXTS,
    "template": _KEPT,
    "media": _TEXTS,
    "media-item": _READ_ONLY,
    "dead-letters": _READ_ONLY,
    "dead-letter": _READ_ONLY,
    "dead-letters-retry": _ACT,
    "dead-letter-retry": _ACT,
    "dead-letter-discard": _ACT,
    "dead-letters-export": _READ_ONLY,
    # Conversations.
    "conversations": _READ_ONLY,
    "conversation": _TEXT,
    "conversation-messages": _TEXTS,
    "conversation-read": _ACT,
    "colleagues": _READ_ONLY,
    "keywords": {"GET": READ, "POST": NONE},
    "keyword": {"GET": READ, "PATCH": NONE, "DELETE": NONE},
    # People.
    "members": _PEOPLE,
    "member": _PERSON,
    "import": {"POST": PEOPLE},
    "members-export": {"GET": PEOPLE},
    "member-merge": {"POST": PEOPLE},
    "groups": _PEOPLE,
    "group": _PERSON,
    "group-members": {"POST": PEOPLE},
    "notes": _PEOPLE,
    "note": {"GET": PEOPLE, "DELETE": PEOPLE},
    "conversation-opt-out": {"POST": PEOPLE},
    "message-not-a-stop": {"POST": PEOPLE},
    # Closed: credentials, staff, settings.
    "my-password": {"POST": NONE},
    "my-tokens": {"GET": NONE, "POST": NONE},
    "my-token": {"DELETE": NONE},
    "logout-everywhere": {"POST": NONE},
    "my-invitations": {"GET": NONE},
    "invitation-accept": {"POST": NONE},
    "staff": {"GET": NONE},
    "staff-member": {"PATCH": NONE, "DELETE": NONE},
    "invitations": {"GET": NONE, "POST": NONE},
    "invitation": {"DELETE": NONE},
    "settings": {"GET": NONE, "PATCH": NONE},
    "audit": {"GET": NONE},
    "webhooks": {"GET": NONE, "POST": NONE},
    "webhook": {"GET": NONE, "PATCH": NONE, "DELETE": NONE},
    "webhook-rotate": {"POST": NONE},
    "webhook-test": {"POST": NONE},
    "webhook-redeliver": {"POST": NONE},
    "webhook-deliveries": {"GET": NONE},
    "webhook-delivery-redeliver": {"POST": NONE},
}
"""Name of the route -> method -> scopes: a key needs at least one of them. Open routes have no line."""


OF_A_CHURCH: Final = frozenset({"schema", "docs", "me", "logout", "churches", "ticket"})
"""The routes outside a church that a key of one church may use. ``me`` and ``churches`` show this church alone."""


class InsufficientScopeError(APIException):
    """403 of RFC 6750, section 3.1: the key is valid and lacks the scope."""

    status_code = HTTPStatus.FORBIDDEN
    default_code = "insufficient_scope"
    extra = {"code": default_code}

    def __init__(self, needed: Scopes, sentence: str = "") -> None:
        super().__init__(sentence or _sentence(needed))
        self.auth_header = _challenge(needed)


class InScope(IsAuthenticated):
    """Allows each user; an API key with scopes needs one that ``ROUTES`` names for the request."""

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        scopes = request.auth.scopes if isinstance(request.auth, AuthToken) else None
        if scopes is None:
            return True
        needed = needed_by(request)
        if not scopes & needed:
            raise InsufficientScopeError(needed)
        if church_of_key(request) is not None and not _is_of_a_church(request, view):
            raise InsufficientScopeError(NONE, _OTHERS_TOO)
        return True


def church_of_key(request: Request) -> int | None:
    """Return the only church of the API key, or None for any other credential."""
    key = request.auth
    return cast("int | None", key.church_id) if isinstance(key, AuthToken) else None


def churches_of(request: Request) -> ChurchQuerySet:
    """Return the churches of the user, or the only church of the API key."""
    churches = Church.objects.of(request.user)
    only = church_of_key(request)
    return churches if only is None else churches.filter(pk=only)


def _is_of_a_church(request: Request, view: Any) -> bool:
    return "church" in view.kwargs or _route(request) in OF_A_CHURCH


def needed_by(request: Request) -> Scopes:
    """Return the scopes of this request: a key needs at least one of them. Nothing opens an empty set."""
    methods = ROUTES.get(_route(request), {})
    if request.method == "OPTIONS":
        return NONE.union(*methods.values())
    return methods.get("GET" if request.method == "HEAD" else request.method or "", NONE)


def _route(request: Request) -> str:
    match = request._request.resolver_match
    return match.url_name or "" if match and match.namespace == "api" else ""


def _sentence(needed: Scopes) -> str:
    if not needed:
        return "An API key with scopes cannot do this. Sign in instead."
    names = " or ".join(f"“{scope}”" for scope in KeyScope.values if scope in needed)
    return f"This API key lacks the scope {names}. Make a key with it in your account."


def _challenge(needed: Scopes) -> str:
    scope = " ".join(scope for scope in KeyScope.values if scope in needed)
    challenge = 'Bearer error="insufficient_scope"'
    return f'{challenge}, scope="{scope}"' if scope else challenge
