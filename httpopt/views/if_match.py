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
from httpopt.validators.errors import PreconditionFailedError, PreconditionRequiredError
from httpopt.validators.etags import ANY, ETag, MalformedTagsError, Tags, parse_tags
from httpopt.validators.preconditions import if_none_match
from httpopt.views.versioned import VersionedViewMixin

_WRITES = ("PATCH", "PUT", "DELETE")
_ITEM_TAG = re.compile(r"([0-9]{1,18})(?:\.[0-9a-z.]+-[\w-]+\.[igbz])?")


class IfMatchMixin(VersionedViewMixin):
    """PATCH, PUT and DELETE of one item only in the state that the client has seen.

    Compares the item's own version, so that a tag got compressed or sparse will do, and claims it
    by a conditional UPDATE in the transaction of the write.
    """

    version_field: ClassVar[str] = "version"
    _claimed: Tags | None = None
    _tag_after: ETag | None = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.method in _WRITES and request.method in self.allowed_methods:
            self._claimed = _parse(request.headers.get("If-Match"))
            self._judge_write(request)

    def _judge_write(self, request: Request) -> None:
        """Before the body is looked at: a stale client with a bad body hears that it is stale."""
        unwanted = if_none_match(request.headers)
        if self._claimed is None and not unwanted:
            if conf.require_if_match():
                raise PreconditionRequiredError
            return
        item = self.get_object()  # type: ignore[attr-defined] # of GenericAPIView, further on
        version = getattr(item, self.version_field)
        if self._claimed not in (None, ANY) and version not in versions_of(self._claimed or ()):
            raise PreconditionFailedError
        if unwanted == ANY or version in versions_of(unwanted):
            raise PreconditionFailedError

    @contextmanager
    def claim(self, instance: Model) -> Iterator[None]:
        """A transaction that starts by making sure of the version, and ends with the new tag.

        Raises PreconditionFailedError, and nothing is written, where someone else was faster.
        """
        with transaction.atomic(using=router.db_for_write(type(instance), instance=instance)):
            if self._claimed is not None and not self._take(instance, self._claimed):
                raise PreconditionFailedError
            yield

    def _take(self, instance: Model, claimed: Tags) -> bool:
        rows = type(instance)._default_manager.filter(pk=instance.pk)
        if claimed != ANY:
            rows = rows.filter(**{f"{self.version_field}__in": versions_of(claimed)})
        # It changes nothing, but locks the row, and the trigger raises the version.
        return rows.update(**{self.version_field: F(self.version_field)}) == 1

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        item: Any = serializer.instance
        with self.claim(item):
            super().perform_update(serializer)  # type: ignore[misc] # of UpdateModelMixin, further on
            self.renew_tag(item)

    def perform_destroy(self, instance: Model) -> None:
        with self.claim(instance):
            super().perform_destroy(instance)  # type: ignore[misc] # of DestroyModelMixin, further on

    def renew_tag(self, instance: Model) -> None:
        """After a write, in its transaction: the version, and the tag that a GET would have now."""
        instance.refresh_from_db(fields=[self.version_field])
        self._tag_after = self.tag_for(self.read_versions())

    def finalize_response(
        self, request: Request, response: Response, *args: Any, **kwargs: Any
    ) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        # A PUT may only name the tag of what the client itself sent, byte by byte (9.3.4).
        if response.status_code == 200 and self._tag_after and request.method == "PATCH":
            response.headers["ETag"] = str(self._tag_after)
        return response


def versions_of(tags: Tags) -> list[int]:
    """Return the item versions that these tags name, weak ones included (docs/decisions/0025)."""
    matches = [_ITEM_TAG.fullmatch(tag.opaque) for tag in tags if isinstance(tag, ETag)]
    return [int(match[1]) for match in matches if match]


def _parse(value: str | None) -> Tags | None:
    if value is None:
        return None
    try:
        return parse_tags(value)
    except MalformedTagsError as error:
        raise ParseError(f"If-Match: {error}") from error
