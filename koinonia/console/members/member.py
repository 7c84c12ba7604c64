"""The page of one member: number, groups, consent, notes, and the texts to and fro."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from delivery.models import Message, OptOut
from delivery.opt_outs import history
from koinonia import ids
from koinonia.api.pagination import NewestFirst
from koinonia.api.prepared_list import PreparedList
from koinonia.api.prepared_query import Parameter, PreparedQuery
from koinonia.api.serializers.notes import NewNoteSerializer
from koinonia.console.forms import add_errors
from koinonia.console.members.base import MembersView
from koinonia.console.members.forms import NoteForm
from koinonia.console.members.number import number_checks
from koinonia.console.paging import paged
from koinonia.conversations import conversation_with
from koinonia.inbox import notes
from koinonia.models import Group, Member, Note

_MOST_CHANGES = 20
_MOST_NOTES = 20


# Statements that are compiled once: the page asks nine questions, and Django compiles each one again.
_GROUPS = PreparedQuery(lambda: Group.objects.filter(members=Parameter("member")))
_OPT_OUT = PreparedQuery(
    lambda: OptOut.objects.filter(tenant=Parameter("church"), number=Parameter("phone"))[:1]
)
_CHANGES = PreparedQuery(lambda: history(Parameter("church"), Parameter("phone"))[:_MOST_CHANGES])
_NOTES = PreparedQuery(
    lambda: (
        Note.objects.filter(church=Parameter("church"), conversation=Parameter("thread"))
        .select_related("author")
        .order_by("-pk")[:_MOST_NOTES]
    )
)
_TEXTS = PreparedList(
    lambda: Message.objects.filter(tenant=Parameter("church"), recipient=Parameter("member"))
)


class MemberPage(MembersView):
    def get(self, request: Any, key: str) -> HttpResponse:
        return self._shown(self.member(key), NoteForm())

    def post(self, request: Any, key: str) -> HttpResponse:
        """Add a note about the member."""
        member = self.member(key)
        form = NoteForm(request.POST)
        if form.is_valid() and self._noted(form, member):
            self.notice(_("The note is kept."), accepted=f"note-{key}")
            return self.go(self.path_of(member))
        return self._shown(member, form, 422)

    def _noted(self, form: NoteForm, member: Member) -> bool:
        given = {"member": ids.encode(member.pk), "text": form.cleaned_data["text"]}
        serializer = NewNoteSerializer(data=given, context={"church": self.church})
        if not serializer.is_valid():
            add_errors(form, serializer.errors)
            return False
        now = timezone.now()
        try:
            with transaction.atomic():
                thread = conversation_with(self.church, member.phone, now=now)
                text = serializer.validated_data["text"]
                notes.add(self.church, thread, text, author=self.user, now=now)
        except notes.TooManyNotesError:
            form.add_error("text", _("There are too many notes. Delete old ones first."))
            return False
        return True

    def _shown(self, member: Member, form: NoteForm, status: int = 200) -> HttpResponse:
        church, key, phone = self.church.pk, member.pk, member.phone
        thread = member.thread or 0  # type: ignore[attr-defined] # annotated
        context = {
            "member": member,
            "groups": sorted(_GROUPS.objects(member=key), key=lambda group: group.name),
            "number": number_checks(phone),
            "opt_out": _OPT_OUT.first(church=church, phone=phone),
            "changes": _CHANGES.objects(church=church, phone=phone),
            "others": self.others(member),
            "notes": _NOTES.objects(church=church, thread=thread),
            "form": form,
            "page": paged(self.request, _TEXTS.of(church=church, member=key), NewestFirst),
        }
        return self.page("koinonia/console/members/member.html", context, status)
