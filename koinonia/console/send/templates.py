"""The pages for the templates of a church."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from koinonia import audit, ids
from koinonia.api.serializers.templates import TemplateSerializer
from koinonia.console.forms import add_errors
from koinonia.console.frame import ConsoleView
from koinonia.console.send.forms import TemplateForm
from koinonia.models import Role, TextTemplate

_FOLDER = "koinonia/console/send"


class _Templates(ConsoleView):
    section = "send"

    def template_of(self, key: str) -> TextTemplate:
        found = TextTemplate.objects.filter(church=self.church, pk=ids.decode(key) or 0).first()
        if found is None:
            raise Http404
        return found

    def saved(self, form: TemplateForm, instance: TextTemplate | None = None) -> bool:
        """Save the template as the API does. Add its errors to the form and return False if it cannot."""
        form.is_valid()
        values = {name: form.cleaned_data.get(name, "") for name in form.fields}
        serializer = TemplateSerializer(
            instance, data=values, context={"church": self.church, "request": self.request}
        )
        try:
            serializer.is_valid(raise_exception=True)
            serializer.save()
        except ValidationError as error:
            add_errors(form, error)
            return False
        return True

    def back(self) -> HttpResponse:
        return self.go(reverse("console-send-templates", args=[self.church.slug]))


class TemplatesView(_Templates):
    """Show all templates, and a form for a new one."""

    def get(self, request: Any) -> HttpResponse:
        return self._show(TemplateForm())

    def post(self, request: Any) -> HttpResponse:
        form = TemplateForm(request.POST)
        if not self.saved(form):
            return self._show(form, 422)
        self.notice(_("The template is kept."), accepted="template")
        return self.back()

    def _show(self, form: TemplateForm, status: int = 200) -> HttpResponse:
        rows = TextTemplate.objects.filter(church=self.church).order_by("name", "pk")
        templates = [{"id": row.mark, "name": row.name, "text": row.text} for row in rows]
        context = {"form": form, "templates": templates}
        return self.page(f"{_FOLDER}/templates.html", context, status)


class TemplateView(_Templates):
    """Edit or delete one template."""

    def get(self, request: Any, key: str) -> HttpResponse:
        template = self.template_of(key)
        values = {"name": template.name, "text": template.text}
        return self._show(template, TemplateForm(initial=values))

    def post(self, request: Any, key: str) -> HttpResponse:
        template = self.template_of(key)
        form = TemplateForm(request.POST)
        if str(template.version) != request.POST.get("version"):
            sentence = _("A colleague has changed this template meanwhile. It now reads: %(text)s")
            form.add_error(None, sentence % {"text": template.text})
            return self._show(template, form, 422)
        if not self.saved(form, template):
            return self._show(self.template_of(key), form, 422)
        self.notice(_("The template is changed."), accepted=f"template-{key}")
        return self.back()

    def _show(self, template: TextTemplate, form: TemplateForm, status: int = 200) -> HttpResponse:
        context = {"form": form, "template": template}
        return self.page(f"{_FOLDER}/template.html", context, status)


class DeleteTemplateView(_Templates):
    """Ask before a template is deleted."""

    read_role = Role.SENDER

    def get(self, request: Any, key: str) -> HttpResponse:
        template = self.template_of(key)
        back = reverse("console-send-template", args=[self.church.slug, key])
        return self.ask(
            _("Delete the template “%(name)s”?") % {"name": template.name},
            [_("A deleted template is gone. Texts that were sent with it stay.")],
            words=template.text, yes=_("Delete the template"), back=back,
        )  # fmt: skip

    def post(self, request: Any, key: str) -> HttpResponse:
        template = self.template_of(key)
        with transaction.atomic():
            audit.record(self.church, self.user, "template.deleted", template)
            template.delete()
        self.notice(_("The template is deleted."))
        return self.back()
