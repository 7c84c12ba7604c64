"""The keywords of the church: list, add, change, delete."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.utils.translation import gettext as _

from koinonia import audit, ids
from koinonia.answers import sentences
from koinonia.answers.keywords import MAX_KEYWORDS
from koinonia.api.serializers.answers import KeywordSerializer
from koinonia.console import saving
from koinonia.console.groups.base import GroupsView
from koinonia.console.groups.forms import KeywordForm
from koinonia.models import Keyword, Role


class KeywordsPage(GroupsView):
    def get(self, request: Any) -> HttpResponse:
        rows = Keyword.objects.filter(church=self.church).select_related("group")
        keywords = list(rows.order_by("word", "pk")[:MAX_KEYWORDS])
        for keyword in keywords:
            keyword.shown = sentences.joined(keyword, keyword.group, self.church)  # type: ignore[attr-defined] # for the template
        return self.page("koinonia/console/groups/keywords.html", {"keywords": keywords})


class NewKeywordPage(GroupsView):
    read_role = Role.SENDER

    def get(self, request: Any) -> HttpResponse:
        return self._shown(
            KeywordForm(self.church, initial={"group": request.GET.get("group", "")})
        )

    def post(self, request: Any) -> HttpResponse:
        form = KeywordForm(self.church, request.POST)
        if form.is_valid() and (
            saved := saving.save(form, self.judge(KeywordSerializer, form.cleaned_data))
        ):
            told = _("Whoever texts %(word)s joins %(group)s now.")
            self.notice(
                told % {"word": saved.word, "group": saved.group.name}, accepted="keyword-new"
            )
            return self.go(self.path("keywords"))
        return self._shown(form, 422)

    def _shown(self, form: KeywordForm, status: int = 200) -> HttpResponse:
        return self.page("koinonia/console/groups/keyword.html", {"form": form}, status)


class EditKeywordPage(GroupsView):
    read_role = Role.SENDER

    def get(self, request: Any, key: str) -> HttpResponse:
        keyword = self.keyword(key)
        return self._shown(KeywordForm(self.church, initial=_values(keyword)), keyword)

    def post(self, request: Any, key: str) -> HttpResponse:
        keyword = self.keyword(key)
        form = KeywordForm(self.church, request.POST)
        if form.is_valid():
            saved = saving.save(
                form, self.judge(KeywordSerializer, form.cleaned_data, keyword),
                seen=request.POST.get("version", ""), present=lambda: _values(self.keyword(key)),
            )  # fmt: skip
            if saved:
                self.notice(_("Saved."), accepted=f"keyword-{key}")
                return self.go(self.path("keywords"))
        return self._shown(form, self.keyword(key), 422)

    def _shown(self, form: KeywordForm, keyword: Keyword, status: int = 200) -> HttpResponse:
        context = {"form": form, "keyword": keyword}
        return self.page("koinonia/console/groups/keyword.html", context, status)


class DeleteKeywordPage(GroupsView):
    """Asks before it deletes a keyword."""

    read_role = Role.SENDER

    def get(self, request: Any, key: str) -> HttpResponse:
        keyword = self.keyword(key)
        shown = {"word": keyword.word, "group": keyword.group.name}
        return self.ask(
            _("Delete the keyword %(word)s?") % shown,
            [
                _("A text with %(word)s adds nobody to %(group)s any more.") % shown,
                _("The people who joined by it stay in the group."),
            ],
            yes=_("Delete this keyword"), back=self.path("keyword", key),
        )  # fmt: skip

    def post(self, request: Any, key: str) -> HttpResponse:
        keyword = self.keyword(key)
        with transaction.atomic():
            audit.record(self.church, self.user, "keyword.deleted", keyword)
            if not Keyword.objects.filter(pk=keyword.pk).delete()[0]:
                raise Http404
        told = _("%(word)s is no keyword now. Whoever joined by it stays in the group.")
        self.notice(told % {"word": keyword.word})
        return self.go(self.path("keywords"))


def _values(keyword: Keyword) -> dict[str, Any]:
    return {
        "word": keyword.word,
        "group": ids.encode(keyword.group_id),
        "answer": keyword.answer,
    }
