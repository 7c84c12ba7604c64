"""The list of groups, and adding, changing and deleting one."""

from __future__ import annotations

from typing import Any

from django.db.models import Count
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from koinonia import group_changes
from koinonia.api.serializers.people import GroupSerializer
from koinonia.console import saving
from koinonia.console.groups.base import GroupsView
from koinonia.console.groups.forms import GroupForm
from koinonia.kept_by_version import KeptByVersion
from koinonia.models import Church, Group, Keyword, Member, Role
from koinonia.models.group import group_key
from koinonia.numbers import grouped

MOST_GROUPS = 300


class GroupsPage(GroupsView):
    """Groups by name, with their numbers of members and their keywords."""

    def get(self, request: Any) -> HttpResponse:
        words = request.GET.get("search", "")[:100].strip()
        groups = Group.objects.filter(church=self.church)
        if words:
            groups = groups.filter(key__contains=group_key(words))
        named = groups.prefetch_related("keywords").order_by("name", "pk")
        shown, sizes = list(named[: MOST_GROUPS + 1]), _SIZES.of(self.church)
        for group in shown:
            group.members_count = sizes.get(group.pk, 0)  # type: ignore[attr-defined] # shown
        context = {"groups": shown[:MOST_GROUPS], "more": len(shown) > MOST_GROUPS, "search": words}
        return self.page("koinonia/console/groups/list.html", {**context, "most": MOST_GROUPS})


class NewGroupPage(GroupsView):
    read_role = Role.SENDER

    def get(self, request: Any) -> HttpResponse:
        return self._shown(GroupForm())

    def post(self, request: Any) -> HttpResponse:
        form = GroupForm(request.POST)
        if form.is_valid():
            group = saving.save(form, self.judge(GroupSerializer, form.cleaned_data))
            if group:
                self.notice(
                    _("The group %(name)s is made. Add its members.") % {"name": group.name},
                    accepted="group-new",
                )
                return self.go(self.path_of(group))
        return self._shown(form, 422)

    def _shown(self, form: GroupForm, status: int = 200) -> HttpResponse:
        return self.page("koinonia/console/groups/edit.html", {"form": form}, status)


class EditGroupPage(GroupsView):
    read_role = Role.SENDER

    def get(self, request: Any, key: str) -> HttpResponse:
        group = self.group(key)
        return self._shown(GroupForm(initial=_values(group)), group)

    def post(self, request: Any, key: str) -> HttpResponse:
        group = self.group(key)
        form = GroupForm(request.POST)
        if form.is_valid():
            saved = saving.save(
                form, self.judge(GroupSerializer, form.cleaned_data, group),
                seen=request.POST.get("version", ""), present=lambda: _values(self.group(key)),
            )  # fmt: skip
            if saved:
                self.notice(_("Saved."), accepted=f"group-{key}")
                return self.go(self.path_of(group))
        return self._shown(form, self.group(key), 422)

    def _shown(self, form: GroupForm, group: Group, status: int = 200) -> HttpResponse:
        return self.page(
            "koinonia/console/groups/edit.html", {"form": form, "group": group}, status
        )


class DeleteGroupPage(GroupsView):
    """Asks before the deletion of a group, and counts its broadcasts."""

    read_role = Role.SENDER

    def get(self, request: Any, key: str) -> HttpResponse:
        group = self.group(key)
        context = {
            "group": group,
            "members": Member.groups.through.objects.filter(group=group).count(),
            "broadcasts": group_changes.broadcasts_waiting_for(group),
            "keywords": list(Keyword.objects.filter(group=group).order_by("word")[:20]),
        }
        return self.page("koinonia/console/groups/delete.html", context)

    def post(self, request: Any, key: str) -> HttpResponse:
        group = self.group(key)
        name = group.name
        cancelled = group_changes.delete(group, self.user, now=timezone.now())
        if cancelled is None:
            raise Http404
        told = _("The group %(name)s is deleted. Its members stay.") % {"name": name}
        if cancelled:
            told += " " + ngettext(
                "%(n)s scheduled broadcast is cancelled.",
                "%(n)s scheduled broadcasts are cancelled.",
                cancelled,
            ) % {"n": grouped(cancelled)}
        self.notice(told)
        return self.go(self.path("groups"))


def _sizes(church: Church) -> dict[int, int]:
    """Return the number of members of each group that has any."""
    belonging = Member.groups.through.objects.filter(group__church=church).order_by()
    return dict(belonging.values_list("group").annotate(number=Count("pk")))


_SIZES = KeptByVersion("members", _sizes)
"""The groups of 50,000 members take 10 ms to count."""


def _values(group: Group) -> dict[str, Any]:
    return {"name": group.name, "welcome_text": group.welcome_text}
