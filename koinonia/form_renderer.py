"""The widgets of forms, written in Python: Django renders one template for each option of a select.

The HTML is that of Django's templates. Other templates, such as those of the admin, are rendered by Django.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import SafeString, mark_safe

_FOLDER = "django/forms/widgets/"
_INPUTS = (
    "checkbox", "color", "date", "datetime", "email", "file", "hidden", "input", "number", "password",
    "search", "tel", "text", "time", "url",
)  # fmt: skip

Widget = Mapping[str, Any]


class FormRenderer(DjangoTemplates):
    """Django's renderer of forms, quicker for the usual widgets (``FORM_RENDERER``)."""

    def render(
        self, template_name: str, context: dict[str, Any], request: Any = None
    ) -> SafeString:
        """Return the HTML of a widget or a form."""
        write = _WRITERS.get(template_name)
        if write is None:
            return mark_safe(super().render(template_name, context, request))  # noqa: S308 -- rendered by Django
        # Each value below is escaped.
        return mark_safe(write(context["widget"], self))  # noqa: S308 -- its writer escapes


def _attributes(given: Mapping[str, Any]) -> str:
    written = []
    for name, value in given.items():
        if value is True:
            written.append(f" {conditional_escape(name)}")
        elif value is not False:
            written.append(f' {conditional_escape(name)}="{_escaped(value)}"')
    return "".join(written)


def _escaped(value: Any) -> str:
    return conditional_escape(value if isinstance(value, str) else str(value))


def _input(widget: Widget, _renderer: FormRenderer) -> str:
    value = widget["value"]
    shown = "" if value is None else f' value="{_escaped(value)}"'
    name, attributes = _escaped(widget["name"]), _attributes(widget["attrs"])
    return f'<input type="{_escaped(widget["type"])}" name="{name}"{shown}{attributes}>'


def _input_option(widget: Widget, renderer: FormRenderer) -> str:
    written = _input(widget, renderer)
    if not widget["wrap_label"]:
        return written
    key = widget["attrs"].get("id")
    belongs = f' for="{_escaped(key)}"' if key else ""
    return f"<label{belongs}>{written} {_escaped(widget['label'])}</label>"


def _textarea(widget: Widget, _renderer: FormRenderer) -> str:
    value = _escaped(widget["value"]) if widget["value"] else ""
    # A browser drops the first line break, so that one of the value stays.
    name, attributes = _escaped(widget["name"]), _attributes(widget["attrs"])
    return f'<textarea name="{name}"{attributes}>\n{value}</textarea>'


def _select(widget: Widget, renderer: FormRenderer) -> str:
    written = [f'<select name="{_escaped(widget["name"])}"{_attributes(widget["attrs"])}>']
    for group, options, _index in widget["optgroups"]:
        if group:
            written.append(f'\n  <optgroup label="{_escaped(group)}">')
        written += [f"\n  {one}" for one in _options(options, renderer)]
        if group:
            written.append("\n  </optgroup>")
    return "".join([*written, "\n</select>"])


def _select_option(widget: Widget, _renderer: FormRenderer) -> str:
    attributes = _attributes(widget["attrs"])
    return f'<option value="{_escaped(widget["value"])}"{attributes}>{_escaped(widget["label"])}</option>'


def _multiple_input(widget: Widget, renderer: FormRenderer) -> str:
    own = {name: widget["attrs"].get(name) or False for name in ("id", "class")}
    written = [f"<div{_attributes(own)}>"]
    for group, options, _index in widget["optgroups"]:
        if group:
            written.append(f"\n  <div><label>{_escaped(group)}</label>")
        written += [f"<div>\n    {one}</div>" for one in _options(options, renderer)]
        if group:
            written.append("\n  </div>")
    return "".join([*written, "\n</div>"])


def _options(options: Iterable[Widget], renderer: FormRenderer) -> Iterable[str]:
    for option in options:
        yield renderer.render(option["template_name"], {"widget": option})


_WRITERS: dict[str, Callable[[Widget, FormRenderer], str]] = {
    **{f"{_FOLDER}{name}.html": _input for name in _INPUTS},
    f"{_FOLDER}textarea.html": _textarea,
    f"{_FOLDER}select.html": _select,
    f"{_FOLDER}select_option.html": _select_option,
    f"{_FOLDER}radio.html": _multiple_input,
    f"{_FOLDER}radio_option.html": _input_option,
    f"{_FOLDER}checkbox_select.html": _multiple_input,
    f"{_FOLDER}checkbox_option.html": _input_option,
}
