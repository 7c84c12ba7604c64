"""The staff of the church: roles, invitations, and the end of a membership. For owners."""

from __future__ import annotations

from typing import Any, cast

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from koinonia import audit, ids
from koinonia.accounts import invitations, mail, staff_changes
from koinonia.accounts.last_owner import KEEP_ONE_OWNER
from koinonia.accounts.staff_changes import LastOwnerError
from koinonia.api.serializers.churches import StaffSerializer
from koinonia.api.serializers.invitations import NewInvitationSerializer
from koinonia.api.views.invitations import MailUnavailableError, invited
from koinonia.console.forms import add_errors
from koinonia.console.office.base import OfficeView
from koinonia.console.office.forms import InvitationForm
from koinonia.models import Invitation, Role, Staff
from throttling import limits
from throttling.allowlist import Caller
from throttling.drf import LimitExceeded

MOST_STAFF = 200


class _OwnersView(OfficeView):
    read_role = write_role = Role.OWNER

    def colleague(self, key: str) -> Staff:
        """Return the membership with this id. Raise Http404 if this church has none."""
        number = ids.decode(key)
        rows = Staff.objects.filter(church=self.church).select_related("user", "church")
        found = rows.filter(pk=number).first() if number is not None else None
        if found is None:
            raise Http404
        return found


class StaffPage(_OwnersView):
    """The staff with their roles, and the open invitations. A POST invites."""

    def get(self, request: Any) -> HttpResponse:
        return self._shown(InvitationForm())

    def post(self, request: Any) -> HttpResponse:
        form = InvitationForm(request.POST)
        if form.is_valid() and (invitation := self._invited(form)):
            whom = invitation.email or invitation.username
            self.notice(_("%(whom)s is invited.") % {"whom": whom}, accepted="invite")
            return self.go(self.path("staff"))
        return self._shown(form, 422)

    def _invited(self, form: InvitationForm) -> Invitation | None:
        judged = self.judge(NewInvitationSerializer, form.values())
        names = {"email": "whom", "username": "whom"}
        if not judged.is_valid():
            add_errors(form, judged.errors, names)
            return None
        who = Caller(user=str(self.user.pk))
        result = limits.charge("invitations", self.church.slug, caller=who)
        if not result.allowed:
            raise LimitExceeded(result)
        try:
            return invited(self.church, self.user, dict(judged.validated_data))
        except ValidationError as error:
            add_errors(form, error, names)
        except MailUnavailableError as error:
            form.add_error("whom", str(error.detail))
        return None

    def _shown(self, form: InvitationForm, status: int = 200) -> HttpResponse:
        staff = Staff.objects.filter(church=self.church).select_related("user")
        found = Invitation.objects.filter(church=self.church).open(timezone.now())
        context = {
            "form": form,
            "staff": list(staff.order_by("user__username", "pk")[:MOST_STAFF]),
            "invitations": list(found.order_by("-created_at", "-pk")[: invitations.MAX_OPEN]),
            "mail_stays_here": not mail.is_delivered(),
        }
        return self.page("koinonia/console/office/staff.html", context, status)


class RolePage(_OwnersView):
    """Changes a role. It asks before owners take their own rights away."""

    def post(self, request: Any, key: str) -> HttpResponse:
        colleague = self.colleague(key)
        judged = self.judge(StaffSerializer, {"role": request.POST.get("role", "")}, colleague)
        if not judged.is_valid():
            raise Http404("There is no such role.")
        role = judged.validated_data["role"]
        is_own = colleague.user_id == self.user.pk and role != Role.OWNER
        if is_own and "sure" not in request.POST:
            return self.ask(
                _("Give up your own rights as an owner?"),
                [_("Only another owner can give them back to you.")],
                yes=_("Change my role"), back=self.path("staff"),
                kept={"role": role, "sure": "yes"},
            )  # fmt: skip
        try:
            staff_changes.change_role(colleague, role, self.user)
        except LastOwnerError:
            self.notice(str(KEEP_ONE_OWNER), level=40)
            return self.go(self.path("staff"))
        told = _("%(name)s is %(role)s now.")
        named = colleague.get_role_display().lower()
        self.notice(told % {"name": colleague.user.get_username(), "role": named})
        return self.go(self.path("today" if colleague.user == self.user else "staff"))


class RemovePage(_OwnersView):
    """Asks before it ends the membership of a colleague."""

    def get(self, request: Any, key: str) -> HttpResponse:
        return self.page("koinonia/console/office/remove.html", {"colleague": self.colleague(key)})

    def post(self, request: Any, key: str) -> HttpResponse:
        colleague = self.colleague(key)
        name = colleague.user.get_username()
        try:
            staff_changes.remove(colleague, self.user)
        except LastOwnerError:
            self.notice(str(KEEP_ONE_OWNER), level=40)
            return self.go(self.path("staff"))
        self.notice(_("%(name)s is not on the staff any more.") % {"name": name})
        return self.go(self.path("staff"))


class WithdrawPage(_OwnersView):
    """Asks before it withdraws an invitation."""

    def get(self, request: Any, key: str) -> HttpResponse:
        invitation = self._invitation(key)
        whom = invitation.email or invitation.username
        return self.ask(
            _("Withdraw the invitation of %(whom)s?") % {"whom": whom},
            [_("Its link does not work any more. You can invite the person again.")],
            yes=_("Withdraw"), back=self.path("staff"),
        )  # fmt: skip

    def _invitation(self, key: str) -> Invitation:
        number = ids.decode(key)
        mine = cast(QuerySet[Invitation], self.church.invitations.all())
        invitation = mine.filter(pk=number).first() if number is not None else None
        if invitation is None:
            raise Http404
        return invitation

    def post(self, request: Any, key: str) -> HttpResponse:
        invitation = self._invitation(key)
        with transaction.atomic():
            if not invitations.withdraw(invitation):
                raise Http404
            audit.record(self.church, self.user, "staff.withdrawn", invitation)
        self.notice(_("The invitation is withdrawn. Its link does not work any more."))
        return self.go(self.path("staff"))
