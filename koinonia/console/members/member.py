"""The page of one member: number, groups, consent, notes, and the texts to and fro."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse

from delivery.models import Message, OptOut
from delivery.opt_outs import history
from koinonia.api.pagination import NewestFirst
from koinonia.api.views.sending import shown
from koinonia.console.members.base import MembersView
from koinonia.console.members.number import number_checks
from koinonia.console.paging import paged

_MOST_CHANGES = 20


class MemberPage(MembersView):
    def get(self, request: Any, key: str) -> HttpResponse:
        member = self.member(key)
        texts = shown(Message.objects.filter(tenant=self.church, recipient=member))
        opt_out = OptOut.objects.filter(tenant=self.church, number=member.phone).first()
        return self.page(
            "koinonia/console/members/member.html",
            {
                "member": member,
                "groups": sorted(member.groups.all(), key=lambda group: group.name),
                "number": number_checks(member.phone),
                "opt_out": opt_out,
                "changes": history(self.church.pk, member.phone)[:_MOST_CHANGES],
                "page": paged(request, texts, NewestFirst),
            },
        )
