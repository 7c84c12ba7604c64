from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import and_
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers

from delivery.models import OptOut
from delivery.recipients import release
from koinonia.api.serializers.fields import ChurchItemField
from koinonia.api.serializers.people import MemberSerializer
from koinonia.api.views.base import (
    CancellingDeleteView,
    ChurchView,
    CreateView,
    ItemView,
    ListView,
    UpdateView,
)
from koinonia.models import Member
from koinonia.names import search_key


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
    collections = ("members", "groups")

    def get_queryset(self) -> QuerySet[Member]:
        members = Member.objects.filter(church=self.church).prefetch_related("groups")
        opted_out = OptOut.objects.filter(tenant=OuterRef("church"), number=OuterRef("phone"))
        return members.annotate(opted_out=Exists(opted_out))


@extend_schema_view(post=extend_schema(responses={201: MemberSerializer}))
class MembersView(_Members, ListView, CreateView):
    """The members of the church."""

    query_serializer = MemberQuerySerializer

    def filter_queryset(self, queryset: Any) -> Any:
        query = self.query()
        if group := query.get("group"):
            queryset = queryset.filter(groups=group)
        if words := query.get("search", "").split():
            queryset = queryset.filter(reduce(and_, map(_has, words)))
        return super().filter_queryset(queryset)

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

    def cancel_waiting(self, instance: Member, now: datetime) -> int:
        return release([instance.pk], now)


def _has(word: str) -> Q:
    """Return a condition: the name contains ``word``, or the number contains its digits."""
    found = Q(search_key__contains=search_key(word))
    digits = "".join(letter for letter in word if letter in "0123456789")
    return found | Q(phone__contains=digits) if digits else found
