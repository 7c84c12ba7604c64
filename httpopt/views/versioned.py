from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from httpopt import audit, conf
from httpopt.compression.request import coding_of
from httpopt.validators.errors import PreconditionFailedError
from httpopt.validators.etags import ETag, MalformedTagsError
from httpopt.validators.not_modified import give_back
from httpopt.validators.preconditions import Verdict, judge_read
from httpopt.validators.variant import variant_of
from httpopt.versions.counters import Scope, Versions, read
from httpopt.views.cached import CachePolicyMixin

_SAFE = ("GET", "HEAD")


class _NotModified(Exception):  # noqa: N818 -- not an error: the way out of a view that is done early
    """The client has what the view would render."""


class _NotModifiedResponse(Response):
    """Nothing is rendered: a renderer that makes tables need not know how to make none."""

    def __init__(self) -> None:
        super().__init__(status=304)

    @property
    def rendered_content(self) -> str:
        self.headers.pop("Content-Type", None)
        return ""


class VersionedViewMixin(CachePolicyMixin):
    """A strong ETag known before the body, and a 304 that costs one query.

    Name in ``collections`` all that the answer shows, nested parts too. The versions are read after
    authentication, permission and throttle, and before the view's own queries: new data under an
    old tag heals itself, old data under a new tag would stay.
    """

    collections: ClassVar[tuple[str, ...]] = ()
    query_parameters: tuple[str, ...] | None = None
    """The query parameters that change the answer, beside paging and ``fields``; None: any."""

    _tag: ETag | None = None
    _position: str | None = None
    _to_confirm: bool = False
    _to_refuse: bool = False

    def get_version_tenant(self) -> int:
        raise ImproperlyConfigured(
            f"{type(self).__name__} needs get_version_tenant() or get_version_scope()."
        )

    def get_version_scope(self) -> Scope:
        """Collection to tenant, or to a queryset of tenants' ids; override for several tenants."""
        tenant = self.get_version_tenant() if self.collections else 0
        return dict.fromkeys(self.collections, tenant)

    def get_item_version(self) -> QuerySet[Model] | None:
        """For an item with a version of its own: a queryset of that one column of that one row."""
        return None

    def get_rights(self) -> str:
        """What of the user's rights decides what they see; the user is counted anyway."""
        return ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self._is_read(request) and self.collections and _is_data(request):
            self._tag = self.tag_for(self.read_versions())
            self._judge(request, self._tag)
        hook = conf.position()
        self._position = hook(request, self) if hook else None

    def _is_read(self, request: Request) -> bool:
        """What would be a 405 has no preconditions (RFC 9110, 13.2.1)."""
        return request.method in _SAFE and request.method in self.allowed_methods

    def read_versions(self) -> Versions:
        return read(self.get_version_scope(), self.get_item_version())

    def tag_for(self, versions: Versions) -> ETag:
        """The tag of a GET of this URL by this client, at these versions."""
        variant = variant_of(
            self.request, rights=self.get_rights(), parameters=self.query_parameters
        )
        coding = coding_of(self.request._request)
        return ETag(f"{versions}-{variant}.{coding.suffix}")

    def _judge(self, request: Request, tag: ETag) -> None:
        try:
            verdict = judge_read(request.headers, tag)
        except MalformedTagsError as error:
            raise ParseError(f"If-Match: {error}") from error
        if verdict is Verdict.FAILED:
            # If there is a 200 at all: what would be another refusal stays that (13.2.1).
            self._to_refuse = True
            return
        if not conf.enabled() or verdict is Verdict.PROCEED:
            return
        if verdict is Verdict.NOT_MODIFIED and not audit.is_due():
            raise _NotModified
        self._to_confirm = True

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _NotModified):
            return _NotModifiedResponse()
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        if self._to_refuse and response.status_code == 200:
            self._to_refuse = False
            response = self.handle_exception(PreconditionFailedError())
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.streaming:
            # Its bytes come after the tag was read: it has none.
            self._tag, self._to_confirm = None, False
        if self._tag is not None and response.status_code in (200, 304):
            response.headers["ETag"] = str(self._tag)
        if self._to_confirm and self._tag is not None and response.status_code == 200:
            return self._confirmed(self._tag, request, response, *args, **kwargs)
        if self._tag is not None and response.status_code == 200 and request.method in _SAFE:
            audit.remember(self._tag, response)
        if response.status_code == 304:
            give_back(request._request)
        elif response.status_code == 200 and self._position:
            response.headers["Stream-Position"] = self._position
        return response

    def _confirmed(
        self, tag: ETag, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """The 304 that was put off until the 200 was there, unless it would have been wrong."""
        self._to_confirm = False
        if audit.was_stale(tag, response) and self.tag_for(self.read_versions()) == tag:
            audit.shout(tag, request)
            return response
        return self.finalize_response(request, _NotModifiedResponse(), *args, **kwargs)


def _is_data(request: Request) -> bool:
    """The browsable API's pages hold forms and tokens: they go by content."""
    return getattr(request.accepted_renderer, "format", None) not in ("api", "html", "admin")
