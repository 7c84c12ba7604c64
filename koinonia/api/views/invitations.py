"""Invitations to a church's staff, made by owners and accepted by the invited."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from koinonia.accounts import invitations, mail
from koinonia.api.serializers.churches import PlaceSerializer
from koinonia.api.serializers.invitations import (
    InvitationSerializer,
    MyInvitationSerializer,
    NewInvitationSerializer,
)
from koinonia.api.views.base import ReportView
from koinonia.models import Invitation, Role, Staff


def _page(name: str, of: type[serializers.Serializer[Any]]) -> Any:
    """Return the schema of a list that is short enough for one page."""
    link = serializers.URLField(allow_null=True)
    return inline_serializer(name, {"next": link, "previous": link, "results": of(many=True)})


class MailUnavailableError(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = "The mail could not be sent, and nobody was invited. Try again later."


class InvitationsView(ReportView):
    """Open invitations to the staff. For owners; at most 25 at a time."""

    read_role = write_role = Role.OWNER
    throttle_policies = {"POST": ["invitations"]}
    item_route = "api:invitation"
    example_body = {"email": "", "role": Role.VIEWER}

    @extend_schema(responses=_page("InvitationsPage", InvitationSerializer))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the open invitations, newest first."""
        found = Invitation.objects.filter(church=self.church).open(timezone.now())
        shown = InvitationSerializer(found.order_by("-created_at", "-pk"), many=True).data
        return Response({"next": None, "previous": None, "results": shown})

    @extend_schema(request=NewInvitationSerializer, responses={201: InvitationSerializer})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Invite by e-mail, which carries the link, or by user name, which the user finds in
        `me/invitations/`. The answer does not tell whether either exists."""
        given = self.checked(NewInvitationSerializer)
        _refuse_staff(given, self.church.pk)
        try:
            invitation, token = invitations.invite(
                self.church, **given, invited_by=self.user, now=timezone.now()
            )
        except invitations.TooManyInvitationsError:
            told = f"{invitations.MAX_OPEN} invitations are open already: withdraw one first."
            raise serializers.ValidationError({"non_field_errors": [told]}) from None
        if invitation.email:
            _mail(invitation, token)
        return self.created(invitation, InvitationSerializer(invitation).data)


class InvitationView(ReportView):
    """One invitation."""

    http_method_names = ["delete", "head", "options"]
    read_role = write_role = Role.OWNER

    @extend_schema(responses={204: None})
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Withdraw it: its link ends."""
        invitation = self.item_of(cast(QuerySet[Invitation], self.church.invitations.all()))
        if not invitations.withdraw(invitation):
            raise Http404
        return Response(status=status.HTTP_204_NO_CONTENT)


class MyInvitationsView(APIView):
    """Invitations that name the user."""

    permission_classes = [IsAuthenticated]

    @extend_schema(responses=_page("MyInvitationsPage", MyInvitationSerializer))
    def get(self, request: Request) -> Response:
        """List those that can be accepted now, newest first; those by e-mail are in the mail."""
        user = cast(User, request.user)
        found = invitations.for_user(user, timezone.now())[: invitations.MAX_SHOWN]
        shown = MyInvitationSerializer(found, many=True).data
        return Response({"next": None, "previous": None, "results": shown})


class AcceptInvitationView(APIView):
    """The consent of the invited."""

    permission_classes = [IsAuthenticated]

    @extend_schema(request=None, responses=PlaceSerializer)
    def post(self, request: Request, token: str) -> Response:
        """Join the church's staff. 404 where the invitation is not for this user, or has ended."""
        user = User.objects.get(pk=cast(User, request.user).pk)
        now = timezone.now()
        invitation = invitations.find(token, user, now)
        place = invitations.accept(invitation, user, now) if invitation else None
        if place is None:
            raise Http404
        return Response(PlaceSerializer(place).data)


def _refuse_staff(given: dict[str, Any], church: int) -> None:
    """Refuse a user who is on the staff: an owner sees the staff, so that much may be told."""
    name = User.normalize_username(given.get("username", ""))
    if name and Staff.objects.filter(church=church, user__username=name).exists():
        told = "This user is on the staff of this church already."
        raise serializers.ValidationError({"username": [told]})


def _mail(invitation: Invitation, token: str) -> None:
    try:
        mail.send_invitation(invitation, token)
    except mail.MailFailedError as error:
        invitations.withdraw(invitation)
        raise MailUnavailableError from error
