from __future__ import annotations

from typing import Any, ClassVar, cast

from django.db.models import Model, QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from koinonia import audit
from koinonia.api.errors import AGAIN, ConflictError
from koinonia.api.idempotency import idempotent
from koinonia.api.schema import CONFLICT
from koinonia.api.serializers.fields import ChurchItemField
from koinonia.api.serializers.people import (
    MemberSerializer,
    MergedSerializer,
    MergeSerializer,
)
from koinonia.api.views.base import (
    CancellingDeleteView,
    ChurchView,
    CreateView,
    ItemView,
    ListView,
    UpdateView,
)
from koinonia.api.views.csv_answers import CsvAnswerView
from koinonia.models import Member
from koinonia.models.member import with_opt_outs
from koinonia.people import merging
from koinonia.people.deletion import delete_member
from koinonia.people.export import lines
from koinonia.people.search import matching


class MemberQuerySerializer(serializers.Serializer[Any]):
    search = serializers.CharField(
        required=False,
        max_length=100,
        help_text="Words of the name, in any case, with or without accents, or digits of the number.",
    )
    group = ChurchItemField("groups", required=False)


class _Members(ChurchView):
    serializer_class = MemberSerializer
    item_route = "api:member"
    collections: ClassVar[tuple[str, ...]] = ("members", "groups")

    def get_queryset(self) -> QuerySet[Member]:
        members = Member.objects.filter(church=self.church).prefetch_related("groups")
        return with_opt_outs(members)


class _FoundMembers(_Members):
    """The members that the query selects."""

    query_serializer = MemberQuerySerializer

    def filter_queryset(self, queryset: Any) -> Any:
        query = self.query()
        if group := query.get("group"):
            queryset = queryset.filter(groups=group)
        if words := query.get("search"):
            queryset = queryset.filter(matching(words, self.church.country))
        return super().filter_queryset(queryset)


@extend_schema_view(post=extend_schema(responses={201: MemberSerializer}))
class MembersView(_FoundMembers, ListView, CreateView):
    """The members of the church."""

    @extend_schema(parameters=[MemberQuerySerializer])
    def get(self, *args: Any, **kwargs: Any) -> Any:
        return super().get(*args, **kwargs)


@extend_schema_view(
    delete=extend_schema(
        description="Remove a member and cancel the member's waiting texts"
        " (`Cancelled-Messages` counts them)."
    )
)
class MemberView(_Members, ItemView, UpdateView, CancellingDeleteView):
    """A member. Sent texts and the opt-out stay when the member is deleted."""

    cancelled_header = "Cancelled-Messages"

    def perform_destroy(self, instance: Model) -> None:
        try:
            self._cancelled = delete_member(
                cast(Member, instance), by=self.user, now=timezone.now()
            )
        except Member.DoesNotExist:
            raise Http404 from None


class MergeMemberView(_Members):
    @extend_schema(request=MergeSerializer, responses={200: MergedSerializer, **CONFLICT})
    @idempotent
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Merge the member into another one of the same person, and delete it.

        Texts, groups, places in scheduled broadcasts and an opt-out pass to the remaining member. The
        conversation of a number that nobody has any more joins the other one. `phone` can be either
        number; missing fields keep the values of the remaining member.
        """
        member = self.get_object()
        given = self.checked(MergeSerializer)
        into: Member = given.pop("into")
        if given.get("phone", into.phone) not in (member.phone, into.phone):
            raise ValidationError({"phone": ["Neither of the two members has this number."]})
        kept = merging.Kept(
            **{name: given.get(name, getattr(into, name)) for name in merging.KEPT_FIELDS}
        )
        try:
            merged = merging.merge(
                self.church, member.pk, into.pk, kept, by=self.user, now=timezone.now()
            )
        except merging.MemberGoneError:
            raise ConflictError("Two different members of the church are needed.") from None
        except merging.MemberChangedError:
            raise ConflictError(AGAIN) from None
        shown = self.get_queryset().get(pk=into.pk)
        return Response({**vars(merged), "member": self.get_serializer(shown).data})


class ExportMembersView(CsvAnswerView, _FoundMembers):
    """The members as CSV. The import reads the same columns."""

    # The file name contains the church.
    collections = (*_FoundMembers.collections, "church")

    @extend_schema(
        parameters=[MemberQuerySerializer], responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """Return the list as CSV, with the groups separated by `;`."""
        members = self.filter_queryset(self.get_queryset())
        audit.record(self.church, self.user, "members.exported")
        name = f'attachment; filename="{self.church.slug}-members.csv"'
        return HttpResponse(
            "".join(lines(members)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": name},
        )
