"""The quicker renderer of forms writes the HTML of Django's templates."""

from __future__ import annotations

from typing import Any

import pytest
from django import forms
from django.contrib.admin.widgets import AdminSplitDateTime
from django.forms.renderers import DjangoTemplates
from django.test.html import parse_html
from django.utils.translation import gettext_lazy

from koinonia.form_renderer import FormRenderer

CHOICES = [("", "Nobody"), (1, "Anna <b>& Ben"), (True, gettext_lazy("Yes"))]
GROUPED = [("Alto & tenor", [("a", "Anna"), ("b", "Ben")]), ("c", "Clara")]
ODD = '"><script>&amp;'

ROWS: list[tuple[forms.Widget, Any]] = [
    (forms.TextInput({"maxlength": 100, "required": True, "disabled": False}), ODD),
    (forms.TextInput({"data-é": ODD}), None),
    (forms.PasswordInput(), "secret"),
    (forms.NumberInput({"step": "0.01"}), 1234567.5),
    (forms.EmailInput(), "anna@example.org"),
    (forms.URLInput(), "https://example.org/?a=1&b=2"),
    (forms.HiddenInput(), 0),
    (forms.DateInput({"type": "date"}, format="%Y-%m-%d"), "2026-11-30"),
    (forms.TimeInput(), "08:00"),
    (forms.FileInput({"accept": ".csv"}), None),
    (forms.CheckboxInput(), True),
    (forms.CheckboxInput(), ""),
    (forms.Textarea({"rows": 3}), f"\nOne\n{ODD}"),
    (forms.Textarea(), None),
    (forms.Select(choices=CHOICES), 1),
    (forms.Select(choices=GROUPED), "b"),
    (forms.SelectMultiple({"class": "wide"}, choices=CHOICES), ["", 1]),
    (forms.RadioSelect({"class": "wide"}, choices=CHOICES), True),
    (forms.RadioSelect(choices=GROUPED), "a"),
    (forms.CheckboxSelectMultiple(choices=GROUPED), ["a", "c"]),
    (forms.CheckboxSelectMultiple(choices=CHOICES), None),
    (forms.ClearableFileInput(), None),
    (AdminSplitDateTime(), None),
]


@pytest.mark.parametrize("key", ["id_name", None])
@pytest.mark.parametrize(
    ("widget", "value"), ROWS, ids=[f"{n}-{type(one).__name__}" for n, (one, _) in enumerate(ROWS)]
)
def test_widgets_look_as_django_makes_them(
    widget: forms.Widget, value: Any, key: str | None
) -> None:
    attributes = {"id": key, "aria-invalid": "true"} if key else {}
    mine, djangos = (
        widget.render("name[]", value, attributes, renderer=renderer())
        for renderer in (FormRenderer, DjangoTemplates)
    )
    if isinstance(widget, forms.Textarea):
        assert mine == djangos
    else:
        # Line breaks between tags may differ.
        assert parse_html(mine) == parse_html(djangos)


def test_a_select_of_a_hundred_options_renders_no_template(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rendered: list[str] = []
    monkeypatch.setattr(
        DjangoTemplates, "render", lambda self, name, context, request=None: rendered.append(name)
    )
    options = [(number, f"Group {number}") for number in range(100)]
    for widget in (forms.Select(choices=options), forms.CheckboxSelectMultiple(choices=options)):
        assert widget.render("groups", [3], renderer=FormRenderer()).count("Group ") == 100
    assert rendered == []
