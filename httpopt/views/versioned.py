"""View mixins: cache policy, and entity tags made of the versions of the data."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Collection
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, QuerySet
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from httpopt import audit, conf
from httpopt.cache import PRIVATE, CachePolicy
from httpopt.compression.negotiation import coding_of
from httpopt.validators.etags import ETag, MalformedTagsError
from httpopt.validators.preconditions import (
    PreconditionFailedError,
    PreconditionResult,
    evaluate_read,
    note_not_modified,
)
from httpopt.versions.counters import Scope, Versions, read

_SAFE = ("GET", "HEAD")
_VARIANT_BYTES = 9
# Every view knows the parameters of paging and of the choice of fields.
_ALWAYS_KNOWN = {"cursor", "page", "page_size", "limit", "offset", "fields"}


class CachePolicyMixin(APIView):
    """Applies ``cache_policy`` to every 200 and 304; other answers are never stored."""

    cache_policy: ClassVar[CachePolicy] = PRIVATE

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        if request.method in _SAFE and response.status_code in (200, 304):
            user = getattr(request, "_user", None)
            authenticated = user is not None and user.is_authenticated
            self.cache_policy.apply(response, authenticated=authenticated)
            patch_vary_headers(response, self._varies_by())
        return response

    def _varies_by(self) -> list[str]:
        """Return the headers that select the user or the format.

        ``Authorization`` is left out if every use is revalidated, because the tag then names the
        user: RFC 9110, 12.5.5, does not need it.
        """
        return ["Accept", "Cookie", *(["Authorization"] if self.cache_policy.max_age else [])]


class _NotModified(Exception):  # noqa: N818 -- not an error: it leaves the view early
    """Ends a view early with a 304."""


class _NotModifiedResponse(Response):
    """A 304. It skips the renderer, which may not be able to render nothing."""

    def __init__(self) -> None:
        super().__init__(status=304)

    @property
    def rendered_content(self) -> str:
        """Return an empty body without a Content-Type."""
        self.headers.pop("Content-Type", None)
        return ""


class VersionedViewMixin(CachePolicyMixin):
    """Gives a view a strong ETag before its body exists, and a 304 that costs one query.

    Name in ``collections`` all data that the answer shows, nested parts included. The versions are
    read after authentication, permission and throttle, and before the queries of the view: new data
    under an old tag is corrected by the next read, old data under a new tag would stay.
    """

    collections: ClassVar[tuple[str, ...]] = ()
    query_parameters: tuple[str, ...] | None = None
    """The query parameters that change the answer, beside paging and ``fields``; None: all."""

    _tag: ETag | None = None
    _position: str | None = None
    _check_body_first: bool = False
    """Answer 304 only after the view has made a 200."""
    _fail_if_found: bool = False
    """Answer 412 only after the view has made a 200."""

    def get_version_tenant(self) -> int:
        raise ImproperlyConfigured(
            f"{type(self).__name__} needs get_version_tenant() or get_version_scope()."
        )

    def get_version_scope(self) -> Scope:
        """Return the tenant of each collection; override to show data of several tenants."""
        tenant = self.get_version_tenant() if self.collections else 0
        return dict.fromkeys(self.collections, tenant)

    def get_item_version(self) -> QuerySet[Model] | None:
        """Return a queryset of the version column of one row, for an item with a version."""
        return None

    def get_rights(self) -> str:
        """Return the rights that change the answer; the user is part of the tag anyway."""
        return ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self._is_read(request) and self.collections and _is_data(request):
            self._tag = self.tag_for(self.read_versions())
            self._evaluate_read(request, self._tag)
        hook = conf.position()
        self._position = hook(request, self) if hook else None

    def _is_read(self, request: Request) -> bool:
        """Return False for a method that becomes a 405: preconditions come later (13.2.1)."""
        return request.method in _SAFE and request.method in self.allowed_methods

    def read_versions(self) -> Versions:
        return read(self.get_version_scope(), self.get_item_version())

    def tag_for(self, versions: Versions) -> ETag:
        """Return the tag that a GET of this URL by this client has at these versions."""
        variant = _variant(self.request, self.get_rights(), self.query_parameters)
        coding = coding_of(self.request._request)
        return ETag(f"{versions}-{variant}.{coding.suffix}")

    def _evaluate_read(self, request: Request, tag: ETag) -> None:
        try:
            result = evaluate_read(request.headers, tag)
        except MalformedTagsError as error:
            raise ParseError(f"If-Match: {error}") from error
        if result is PreconditionResult.FAILED:
            # Wait for the view: another refusal takes precedence (13.2.1).
            self._fail_if_found = True
            return
        if not conf.enabled() or result is PreconditionResult.PROCEED:
            return
        if result is PreconditionResult.NOT_MODIFIED and not audit.is_due():
            raise _NotModified
        self._check_body_first = True

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _NotModified):
            return _NotModifiedResponse()
        return super().handle_exception(exc)

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        if self._fail_if_found and response.status_code == 200:
            self._fail_if_found = False
            response = self.handle_exception(PreconditionFailedError())
        response = super().finalize_response(request, response, *args, **kwargs)
        if response.streaming:
            # A stream has no tag: its data is read after the versions were.
            self._tag, self._check_body_first = None, False
        if self._tag is not None and response.status_code in (200, 304):
            response.headers["ETag"] = str(self._tag)
        if self._check_body_first and self._tag is not None and response.status_code == 200:
            return self._checked(self._tag, request, response, *args, **kwargs)
        if self._tag is not None and response.status_code == 200 and request.method in _SAFE:
            audit.remember(self._tag, response)
        if response.status_code == 304:
            note_not_modified(request._request)
        elif response.status_code == 200 and self._position:
            response.headers["Stream-Position"] = self._position
        return response

    def _checked(
        self, tag: ETag, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        """Return a 304 in place of the 200, or the 200 if the audit finds that a 304 were stale."""
        self._check_body_first = False
        if audit.was_stale(tag, response) and self.tag_for(self.read_versions()) == tag:
            audit.report(tag, request)
            return response
        return self.finalize_response(request, _NotModifiedResponse(), *args, **kwargs)


def _is_data(request: Request) -> bool:
    """Return False for HTML pages: they contain CSRF tokens, so they get a content-based tag."""
    return getattr(request.accepted_renderer, "format", None) not in ("api", "html", "admin")


def _variant(request: Request, rights: str, parameters: Collection[str] | None) -> str:
    """Return a keyed hash of everything but the data that decides the bytes of the answer."""
    renderer = request.accepted_renderer
    parts = (
        request.build_absolute_uri(request.path),
        urlencode(sorted(_known_query(request, parameters))),
        request.accepted_media_type,
        renderer.charset,
        translation.get_language(),
        timezone.get_current_timezone_name(),
        getattr(request.user, "pk", None),
        rights,
        conf.release(),
    )
    digest = salted_hmac("httpopt.variant", repr(parts), algorithm="sha256").digest()
    return urlsafe_b64encode(digest[:_VARIANT_BYTES]).decode()


def _known_query(request: Request, parameters: Collection[str] | None) -> list[tuple[str, str]]:
    return [
        (name, one)
        for name, every in request.query_params.lists()
        if parameters is None or name in _ALWAYS_KNOWN or name in parameters
        for one in every
    ]
