"""Invitations to the staff of a church: owners make them, the invited users accept them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from koinonia import audit
from koinonia.accounts import invitations, mail
from koinonia.api.key_scopes import InScope
from koinonia.api.pagination import single_page, single_page_schema
from koinonia.api.schema import refusal
from koinonia.api.serializers.churches import MembershipSerializer
from koinonia.api.serializers.invitations import (
    InvitationSerializer,
    MyInvitationSerializer,
    NewInvitationSerializer,
)
from koinonia.api.views.base import ReportView
from koinonia.models import Church, Invitation, Role, Staff

_MAIL_UNAVAILABLE = refusal(503, "The mail could not be sent, so there is no invitation.")


class MailUnavailableError(APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = gettext_lazy(
        "The mail could not be sent, so there is no invitation. Try again later."
    )


class InvitationsView(ReportView):
    """Open invitations to the staff. For owners; at most 25 at a time."""

    read_role = write_role = Role.OWNER
    throttle_policies = {"POST": ["invitations"]}
    item_route = "api:invitation"

    @extend_schema(responses=single_page_schema("InvitationsPage", InvitationSerializer))
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the open invitations, newest first."""
        found = Invitation.objects.filter(church=self.church).open(timezone.now())
        shown = InvitationSerializer(found.order_by("-created_at", "-pk"), many=True).data
        return single_page(shown)

    @extend_schema(
        request=NewInvitationSerializer,
        responses={201: InvitationSerializer, **_MAIL_UNAVAILABLE},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make an invitation by e-mail or by user name. The mail contains a link; a user finds the invitation in
        `me/invitations/`. The answer does not reveal whether an account exists."""
        invitation = invited(self.church, self.user, self.checked(NewInvitationSerializer))
        return self.created(invitation, InvitationSerializer(invitation).data)


class InvitationView(ReportView):
    """An invitation."""

    read_role = write_role = Role.OWNER

    @extend_schema(responses={204: None})
    def delete(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Withdraw the invitation: its link stops working."""
        invitation = self.item_of(cast(QuerySet[Invitation], self.church.invitations.all()))
        if not invitations.withdraw(invitation):
            raise Http404
        audit.record(self.church, self.user, "staff.withdrawn", invitation)
        return Response(status=status.HTTP_204_NO_CONTENT)


class MyInvitationsView(APIView):
    """Invitations that name the user."""

    permission_classes = [InScope]

    @extend_schema(responses=single_page_schema("MyInvitationsPage", MyInvitationSerializer))
    def get(self, request: Request) -> Response:
        """List the open invitations by user name, newest first. Those by e-mail have a link."""
        user = cast(User, request.user)
        found = invitations.for_user(user, timezone.now())[: invitations.MAX_SHOWN]
        shown = MyInvitationSerializer(found, many=True).data
        return single_page(shown)


class AcceptInvitationView(APIView):
    """The acceptance of an invitation."""

    permission_classes = [InScope]

    @extend_schema(request=None, responses=MembershipSerializer)
    def post(self, request: Request, token: str) -> Response:
        """Join the staff of the church. 404 if the invitation has ended or is for another user."""
        user = User.objects.get(pk=cast(User, request.user).pk)
        now = timezone.now()
        invitation = invitations.find(token, user, now)
        membership = invitations.accept(invitation, user, now) if invitation else None
        if membership is None:
            raise Http404
        return Response(MembershipSerializer(membership).data)


def invited(church: Church, user: User, given: dict[str, Any]) -> Invitation:
    """Make and mail an invitation. Raise ValidationError or MailUnavailableError; nothing is made then."""
    _refuse_staff(given, church.pk)
    try:
        invitation, token = invitations.invite(church, **given, invited_by=user, now=timezone.now())
    except invitations.TooManyInvitationsError:
        sentence = _("%(most)s invitations are open already: withdraw one first.")
        sentence %= {"most": invitations.MAX_OPEN}
        raise serializers.ValidationError({"non_field_errors": [sentence]}) from None
    if invitation.email:
        _mail(invitation, token)
    audit.record(church, user, "staff.invited", invitation, {"role": invitation.role})
    return invitation


def _refuse_staff(given: dict[str, Any], church: int) -> None:
    """Refuse a user of the staff. Owners can see the staff, so the refusal reveals nothing."""
    name = User.normalize_username(given.get("username", ""))
    if name and Staff.objects.filter(church=church, user__username=name).exists():
        sentence = _("This user is on the staff of this church already.")
        raise serializers.ValidationError({"username": [sentence]})


def _mail(invitation: Invitation, token: str) -> None:
    try:
        mail.send_invitation(invitation, token)
    except mail.MailFailedError as error:
        invitations.withdraw(invitation)
        raise MailUnavailableError from error
