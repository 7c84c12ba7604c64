"""Adding, changing and deleting a member. A colleague's change in between is shown, not lost."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from delivery.opt_outs import opted_out
from koinonia import ids
from koinonia.api.serializers.people import MemberSerializer
from koinonia.console.forms import add_errors
from koinonia.console.members.base import MembersView, version_in
from koinonia.console.members.forms import FIELDS, MemberForm, values_of
from koinonia.console.saving import claim
from koinonia.models import Member
from koinonia.models.member import called
from koinonia.numbers import grouped
from koinonia.people.deletion import delete_member, waiting_work
from koinonia.phone import UnusableNumberError, normalise

_CHANGED = 412


class _FormPage(MembersView):
    read_role = MembersView.write_role

    def saved(
        self, form: MemberForm, member: Member | None = None, version: int = 0
    ) -> Member | None:
        """Save the values, if the member still has ``version``.

        Return None with errors in the form. Raise Member.DoesNotExist if the version is another.
        """
        if not form.is_valid():
            return None
        context = {"church": self.church, "request": self.request}
        serializer = MemberSerializer(
            member, data=form.values(), partial=member is not None, context=context
        )
        if not serializer.is_valid():
            add_errors(form, serializer.errors)
            return None
        with transaction.atomic():
            if member and not claim(member, str(version)):
                raise Member.DoesNotExist
            return serializer.save()

    def member_with_opt_out(self, key: str) -> Member:
        member = self.member(key)
        member.opted_out = bool(opted_out(self.church.pk, [member.phone]))  # type: ignore[attr-defined] # as the API annotates it
        return member

    def sharing(self, member: Member) -> str:
        """Return a sentence about the others at a new number; empty if there are none."""
        names = [other.name or _("somebody without a name") for other in self.others(member)]
        if not names:
            return ""
        return " " + _("The same number belongs to: %(names)s.") % {"names": ", ".join(names)}


class NewMemberPage(_FormPage):
    def get(self, request: Any) -> HttpResponse:
        return self._shown(MemberForm(self.church))

    def post(self, request: Any) -> HttpResponse:
        form = MemberForm(self.church, request.POST)
        member = self.saved(form)
        if member is None:
            return self._shown(form, 422)
        sentence = _("%(name)s is added.") % {"name": called(member, self.church.country)}
        self.notice(f"{sentence}{self.sharing(member)}", accepted="member-new")
        return self.go(self.path("new") if "another" in request.POST else self.path_of(member))

    def _shown(self, form: MemberForm, status: int = 200) -> HttpResponse:
        return self.page("koinonia/console/members/edit.html", {"form": form}, status)


class EditMemberPage(_FormPage):
    def get(self, request: Any, key: str) -> HttpResponse:
        member = self.member_with_opt_out(key)
        form = MemberForm(
            self.church, keeps_initial=True, initial=values_of(member, self.church, opted_out=False)
        )
        if member.opted_out:  # type: ignore[attr-defined] # set below
            del form.fields["opted_out"]
        return self._shown(form, member, member.version)

    def post(self, request: Any, key: str) -> HttpResponse:
        member = self.member_with_opt_out(key)
        theirs = values_of(member, self.church, opted_out=member.opted_out)  # type: ignore[attr-defined] # set below
        given = request.POST.copy()
        for name in FIELDS:
            if given.get(f"take-{name}") == "theirs":
                _set(given, name, theirs[name])
        form = MemberForm(self.church, given, keeps_initial=True)
        if member.opted_out:  # type: ignore[attr-defined] # set below
            del form.fields["opted_out"]
        version, number = version_in(given), member.phone
        if version != member.version and form.is_valid():
            return self._conflict(form, member, theirs)
        try:
            saved = self.saved(form, member, version)
        except Member.DoesNotExist:
            return self.post(request, key)
        if saved is None:
            return self._shown(form, member, version, 422)
        sentence = _("%(name)s is saved.") % {"name": called(saved, self.church.country)}
        shared = self.sharing(saved) if saved.phone != number else ""
        self.notice(f"{sentence}{shared}", accepted=f"member-{key}")
        return self.go(self.path_of(saved))

    def _conflict(self, form: MemberForm, member: Member, theirs: dict[str, Any]) -> HttpResponse:
        """Show the typed values beside the ones that a colleague has saved.

        The colleague's value is marked where the person changed nothing.
        """
        names = dict(form.names)
        mine = form.values()
        rows = [
            {
                "name": name,
                "label": form.fields[name].label,
                "mine": _words(mine[name], names),
                "theirs": _words(theirs[name], names),
                "is_changed": name in form.changed_data,
            }
            for name in FIELDS
            if name in mine and self._comparable(name, mine) != self._comparable(name, theirs)
        ]
        if not rows:
            sentence = _("A colleague has saved the same meanwhile.")
            self.notice(sentence, accepted=f"member-{ids.encode(member.pk)}")
            return self.go(self.path_of(member))
        context = {"form": form, "member": member, "version": member.version, "rows": rows}
        return self.page("koinonia/console/members/conflict.html", context, _CHANGED)

    def _comparable(self, name: str, values: dict[str, Any]) -> Any:
        value = values[name]
        if name == "phone":
            # People write one number in many ways.
            with suppress(UnusableNumberError):
                return normalise(value, self.church.country)
        return sorted(value) if isinstance(value, list) else value

    def _shown(
        self, form: MemberForm, member: Member, version: int, status: int = 200
    ) -> HttpResponse:
        context = {"form": form, "member": member, "version": version}
        return self.page("koinonia/console/members/edit.html", context, status)


class OptOutPage(_FormPage):
    """Never texts the number of the member again."""

    http_method_names = ["post"]

    def post(self, request: Any, key: str) -> HttpResponse:
        member = self.member_with_opt_out(key)
        context = {"church": self.church, "request": request}
        judged = MemberSerializer(member, data={"opted_out": True}, partial=True, context=context)
        with transaction.atomic():
            # The number that the page showed: a colleague may have changed it since.
            if judged.is_valid(raise_exception=True) and claim(
                member, request.POST.get("version", "")
            ):
                judged.save()
                self.notice(
                    _("This number is opted out. Only a START from the number allows texts again.")
                )
            else:
                self.notice(
                    _("A colleague has changed this member meanwhile. Look again."), level=30
                )
        return self.go(self.path_of(member))


class DeleteMemberPage(_FormPage):
    def get(self, request: Any, key: str) -> HttpResponse:
        return self._shown(self.member(key))

    def post(self, request: Any, key: str) -> HttpResponse:
        member = self.member(key)
        if version_in(request.POST) != member.version:
            return self._shown(member, _CHANGED)
        try:
            cancelled = delete_member(member, by=self.user, now=timezone.now())
        except Member.DoesNotExist:
            raise Http404("This church has no such member.") from None
        sentence = _("%(name)s is deleted.") % {"name": called(member, self.church.country)}
        if cancelled:
            counted = ngettext(
                "%(number)s waiting text is cancelled.",
                "%(number)s waiting texts are cancelled.",
                cancelled,
            )
            sentence = f"{sentence} {counted % {'number': grouped(cancelled)}}"
        self.notice(sentence)
        return self.go(self.path("list"))

    def _shown(self, member: Member, status: int = 200) -> HttpResponse:
        context = {"member": member, "waiting": waiting_work(member), "changed": status == _CHANGED}
        return self.page("koinonia/console/members/delete.html", context, status)


def _set(given: Any, name: str, value: Any) -> None:
    """Set a field of a form's data to a value of the API."""
    if isinstance(value, list):
        given.setlist(name, value)
    elif value is True:
        given[name] = "on"
    elif value is False:
        given.pop(name, None)
    else:
        given[name] = value


def _words(value: Any, names: dict[str, str]) -> str:
    """Return a value as people read it."""
    if isinstance(value, list):
        return ", ".join(sorted(str(names.get(key, key)) for key in value)) or _("None")
    if isinstance(value, bool):
        return _("Yes") if value else _("No")
    return str(value or _("Empty"))
