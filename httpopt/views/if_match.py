from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

from django.db import router, transaction
from django.db.models import F, Model
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from httpopt import conf
from httpopt.validators.etags import ANY, ETag, MalformedTagsError, Tags, parse_tags
from httpopt.validators.preconditions import (
    PreconditionFailedError,
    PreconditionRequiredError,
    if_none_match,
)
from httpopt.views.versioned import VersionedViewMixin

_WRITES = ("PATCH", "PUT", "DELETE")
_ITEM_TAG = re.compile(r"([0-9]{1,18})(?:\.[0-9a-z.]+-[\w-]+\.[igbz])?")


class IfMatchMixin(VersionedViewMixin):
    """Allows PATCH, PUT and DELETE only in the state that the client has read (If-Match).

    The mixin compares the version of the item, so a tag of a compressed or sparse answer is accepted
    too. A conditional UPDATE in the transaction of the write prevents lost updates.
    """

    version_field: ClassVar[str] = "version"
    _if_match: Tags | None = None
    _tag_after: ETag | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in _WRITES and request.method in self.allowed_methods:
            self._if_match = _parse(request.headers.get("If-Match"))
            self._evaluate_write(request)

    def _evaluate_write(self, request: Request) -> None:
        """Refuse a stale client before its body is parsed: 412 takes precedence over 400."""
        unwanted = if_none_match(request.headers)
        if self._if_match is None and not unwanted:
            if conf.require_if_match():
                raise PreconditionRequiredError
            return
        item = self.get_object()  # type: ignore[attr-defined] # of GenericAPIView, later in the MRO
        version = getattr(item, self.version_field)
        if self._if_match not in (None, ANY) and version not in versions_of(self._if_match or ()):
            raise PreconditionFailedError
        if unwanted == ANY or version in versions_of(unwanted):
            raise PreconditionFailedError

    @contextmanager
    def claim(self, instance: Model) -> Iterator[None]:
        """Open a transaction that first locks the row in the expected version.

        Raises PreconditionFailedError if another client has written in between.
        """
        with transaction.atomic(using=router.db_for_write(type(instance), instance=instance)):
            if self._if_match is not None and not self._lock(instance, self._if_match):
                raise PreconditionFailedError
            yield

    def _lock(self, instance: Model, expected: Tags) -> bool:
        rows = type(instance)._default_manager.filter(pk=instance.pk)
        if expected != ANY:
            rows = rows.filter(**{f"{self.version_field}__in": versions_of(expected)})
        # The update changes no column, but it locks the row, and the trigger raises the version.
        return rows.update(**{self.version_field: F(self.version_field)}) == 1

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        item: Any = serializer.instance
        with self.claim(item):
            super().perform_update(serializer)  # type: ignore[misc] # of UpdateModelMixin, later in the MRO
            self.renew_tag(item)

    def perform_destroy(self, instance: Model) -> None:
        with self.claim(instance):
            super().perform_destroy(instance)  # type: ignore[misc] # of DestroyModelMixin, later in the MRO

    def renew_tag(self, instance: Model) -> None:
        """Read the new version after a write, in its transaction, and make the tag of a GET."""
        instance.refresh_from_db(fields=[self.version_field])
        self._tag_after = self.tag_for(self.read_versions())

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        # A PUT may only return a tag if the stored bytes are the sent bytes (9.3.4); ours are not.
        if response.status_code == 200 and self._tag_after and request.method == "PATCH":
            response.headers["ETag"] = str(self._tag_after)
        return response


def versions_of(tags: Tags) -> list[int]:
    """Return the item versions of these tags, weak tags included (docs/decisions/0025)."""
    matches = [_ITEM_TAG.fullmatch(tag.opaque) for tag in tags if isinstance(tag, ETag)]
    return [int(match[1]) for match in matches if match]


def _parse(value: str | None) -> Tags | None:
    if value is None:
        return None
    try:
        return parse_tags(value)
    except MalformedTagsError as error:
        raise ParseError(f"If-Match: {error}") from error
