"""The settings of the church, and its automatic answers."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext as _

from delivery import conf
from delivery.limits import spend
from koinonia.api.serializers.settings import SettingsSerializer
from koinonia.console import saving
from koinonia.console.office.base import OfficeView
from koinonia.console.office.forms import (
    COMMON_ZONES,
    AnswersForm,
    SettingsForm,
    answers_of,
    with_hours_of_monday,
)
from koinonia.models import Church, Role


class _ChurchPage(OfficeView):
    """A form over the church. Staff read it, owners save it."""

    write_role = Role.OWNER
    template: ClassVar[str]
    draft: ClassVar[str]

    def form(self, data: Any = None) -> Any:
        """Return the form: bound to ``data``, or with the present values."""
        raise NotImplementedError

    def values(self, church: Church) -> dict[str, Any]:
        """Return the present values by field of the form."""
        raise NotImplementedError

    def get(self, request: Any) -> HttpResponse:
        return self._shown(self.form(), self.church.version)

    def post(self, request: Any) -> HttpResponse:
        form = self.form(request.POST)
        church = Church.objects.get(pk=self.church.pk)
        if form.is_valid():
            saved = saving.save(
                form, self.judge(SettingsSerializer, form.values(), church),
                seen=request.POST.get("version", ""),
                present=lambda: self.values(Church.objects.get(pk=church.pk)),
            )  # fmt: skip
            if saved:
                self.notice(_("Saved."), accepted=self.draft)
                return self.go(request.path)
        return self._shown(form, Church.objects.get(pk=church.pk).version, 422)

    def _shown(
        self, form: forms.Form, version: int | str, status: int = 200, *, filled_in: bool = False
    ) -> HttpResponse:
        """Show the form. ``filled_in``: the page has filled in values that are not saved yet."""
        context = {
            "form": form, "version": version, "draft": self.draft, "filled_in": filled_in,
            **self.more(),
        }  # fmt: skip
        return self.page(self.template, context, status)

    def more(self) -> dict[str, Any]:
        return {}


class SettingsPage(_ChurchPage):
    template = "koinonia/console/office/settings.html"
    draft = "settings"

    def form(self, data: Any = None) -> SettingsForm:
        return SettingsForm(data) if data else SettingsForm(initial=self.values(self.church))

    def values(self, church: Church) -> dict[str, Any]:
        names = [name for name in SettingsForm.base_fields if name != "daily_cap"]
        own = spend.caps(church.pk)[1]
        return {**{name: getattr(church, name) for name in names}, "daily_cap": own}

    def more(self) -> dict[str, Any]:
        return {
            "zones": COMMON_ZONES,
            "operator_cap": spend.caps(self.church.pk)[0],
            "operator_price": conf.part_price(),
        }


class AnswersPage(_ChurchPage):
    template = "koinonia/console/office/answers.html"
    draft = "answers"

    def form(self, data: Any = None) -> AnswersForm:
        if data:
            return AnswersForm(self.church, data)
        return AnswersForm(self.church, initial=self.values(self.church))

    def post(self, request: Any) -> HttpResponse:
        if request.POST.get("action") != "weekdays":
            return super().post(request)
        form = self.form(with_hours_of_monday(request.POST))
        return self._shown(form, request.POST.get("version", ""), filled_in=True)

    def values(self, church: Church) -> dict[str, Any]:
        return answers_of(church)
