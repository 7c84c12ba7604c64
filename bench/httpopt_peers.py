"""The same list with other libraries; a library that is not installed is skipped.

``pip install -r bench/requirements-httpopt.txt`` installs them. drf-flex-fields runs without its
FilterBackend, which cannot be imported on DRF 3.18, so that its SQL reads all columns.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.db.models import QuerySet
from django.urls import path
from httpopt_contenders import (
    AuthorSerializer,
    MemberSerializer,
    MessageSerializer,
    PlainMessagesView,
)

LIBRARIES = {
    "django-http-compression": "django_http_compression",
    "drf-flex-fields": "rest_flex_fields",
    "drf-extensions": "rest_framework_extensions",
}


def installed(library: str) -> bool:
    return find_spec(LIBRARIES[library]) is not None


def urlpatterns() -> list[Any]:
    patterns = []
    if installed("drf-flex-fields"):
        patterns.append(path("flex/<slug:church>/messages/", _flex().as_view()))
    if installed("drf-extensions"):
        patterns.append(path("extensions/<slug:church>/messages/", _extensions().as_view()))
    return patterns


def _flex() -> type[PlainMessagesView]:
    """Return the view for ``?fields=id,status,member.name`` as in the README, with manual joins."""
    from rest_flex_fields.serializers import (  # type: ignore[import-not-found] # optional
        FlexFieldsSerializerMixin,
    )

    class Member(FlexFieldsSerializerMixin, MemberSerializer):  # type: ignore[misc] # optional
        pass

    class Author(FlexFieldsSerializerMixin, AuthorSerializer):  # type: ignore[misc] # optional
        pass

    class Message(FlexFieldsSerializerMixin, MessageSerializer):  # type: ignore[misc] # optional
        member = None
        author = None
        expandable_fields = {
            "member": (Member, {"source": "recipient"}),
            "author": Author,
        }

        class Meta(MessageSerializer.Meta):
            fields = [
                name for name in MessageSerializer.Meta.fields if name not in ("member", "author")
            ]

    class FlexMessagesView(PlainMessagesView):
        serializer_class = Message

        def get_serializer_context(self) -> dict[str, Any]:
            # The viewsets of the library set this for the action ``list``.
            return {**super().get_serializer_context(), "permitted_expands": ["member", "author"]}

    return FlexMessagesView


def _extensions() -> type[PlainMessagesView]:
    """Return the view with an ETag over all rows of the page.

    The default key of the library covers only the request, and so answers 304 after a change; its
    ListModelKeyBit covers only the first 20 rows.
    """
    from rest_framework_extensions.etag.decorators import (  # type: ignore[import-not-found] # optional
        etag,
    )
    from rest_framework_extensions.key_constructor import (  # type: ignore[import-not-found] # optional
        bits,
        constructors,
    )

    class PageBit(bits.KeyBitBase):  # type: ignore[misc] # optional
        def get_data(self, view_instance: Any, **_: Any) -> str:
            rows: QuerySet[Any] = view_instance.filter_queryset(view_instance.get_queryset())
            return str(list(rows.order_by("-id")[:51].values_list("pk", "updated_at")))

    class Key(constructors.DefaultKeyConstructor):  # type: ignore[misc] # optional
        page = PageBit()
        query = bits.QueryParamsKeyBit("*")
        user = bits.UserKeyBit()

    class ExtensionsMessagesView(PlainMessagesView):
        @etag(Key())  # type: ignore[untyped-decorator] # optional
        def get(self, *args: Any, **kwargs: Any) -> Any:
            return super().get(*args, **kwargs)

    return ExtensionsMessagesView
