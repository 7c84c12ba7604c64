"""Every count that a person reads has the separators of the language: 10,302."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template, base
from django.templatetags import i18n
from django.test import Client
from django.utils import timezone, translation

from delivery.models import Message, OptOut
from delivery.statuses import Status
from koinonia.broadcasts.audience import Audience
from koinonia.broadcasts.send import send_broadcast
from koinonia.conversations import conversation_with
from koinonia.ids import encode
from koinonia.models import Broadcast, Church, Conversation, Group, InboxState, Member
from koinonia.numbers import grouped
from koinonia.texts.send import send_text
from tests.console.page_roles import PAGES
from tests.console.visible import visible_words
from tests.support import cast
from tests.support.running_system import ROOT

TEMPLATES = ROOT / "koinonia/templates/koinonia/console"
COUNTS = frozenset({"count", "left", "n", "number", "parts", "people", "texts", "total", "waiting"})
_ALWAYS_SMALL = frozenset({"seconds"})
"""Values that a template shows below 90 only."""
_NO_COUNTS = {
    ("koinonia/member_import/people.py", "number"): "a phone number, or the place of a column",
    ("koinonia/member_import/comparison.py", "number"): "the place of a column",
    ("koinonia/member_import/header_row.py", "number"): "the place of a column",
    ("koinonia/console/sent/audience_words.py", "people"): "names of groups and people",
    ("koinonia/console/sent/lines.py", "number"): "decides between singular and plural",
    ("koinonia/console/sent/lines.py", "n"): "per cent, beside grouped numbers",
}


@pytest.mark.parametrize(
    ("language", "written"),
    [("en", ["7", "999", "1,000", "10,302"]), ("es", ["7", "999", "1,000", "10,302"])],
)
def test_a_number_is_written_as_the_language_does(language: str, written: list[str]) -> None:
    with translation.override(language):
        assert [grouped(number) for number in (7, 999, 1000, 10302)] == written


_BLOCK = re.compile(r"\{% blocktranslate ([^%]*?)%\}(.*?)\{% endblocktranslate %\}", re.DOTALL)


def bare_counts_of(template: str) -> list[str]:
    """Return the names that a template counts by and also prints, without separators."""
    return [
        name
        for head, body in _BLOCK.findall(template)
        for name in re.findall(r"\bcount (\w+)=", head)
        if f"{{{{ {name} }}}}" in body and name not in _ALWAYS_SMALL
    ]


def test_no_template_prints_the_number_that_it_counts_by() -> None:
    files = sorted(TEMPLATES.rglob("*.html"))
    assert len(files) > 60
    found = {file.name: names for file in files if (names := bare_counts_of(file.read_text()))}
    assert found == {}, "Write `count many=x with n=x|number`."


def test_a_number_that_a_template_counts_by_is_noticed() -> None:
    bare = "{% blocktranslate trimmed count n=people %}{{ n }} man{% plural %}{{ n }} men{% endblocktranslate %}"
    assert bare_counts_of(bare) == ["n"]
    assert bare_counts_of(bare.replace("count n=people", "count many=people with n=x|number")) == []


def bare_counts_in(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and name of the values of sentences that count something and are printed as they are."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mod):
            values: ast.expr = node.right
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Mod):
            values = node.value
        else:
            continue
        if isinstance(values, ast.Dict):
            for key, value in zip(values.keys, values.values, strict=True):
                name = key.value if isinstance(key, ast.Constant) else ""
                is_small = not any(
                    isinstance(inner, ast.Name) and not inner.id.isupper()
                    for inner in ast.walk(value)
                )
                if name in COUNTS and not is_small and not isinstance(value, ast.Call):
                    yield value.lineno, str(name)


def test_no_sentence_of_the_console_prints_a_bare_count() -> None:
    folders = ("console", "broadcasts", "member_import", "templatetags", "texts", "people")
    files = [file for name in folders for file in (ROOT / "koinonia" / name).rglob("*.py")]
    found = [
        (place, line, name)
        for place in (str(file.relative_to(ROOT)) for file in files)
        for line, name in bare_counts_in((ROOT / place).read_text())
        if (place, name) not in _NO_COUNTS
    ]
    assert found == [], "Use koinonia.numbers.grouped."


def test_a_bare_count_of_a_sentence_is_noticed() -> None:
    source = 'a = _("%(n)s gone") % {"n": gone}\nb = _("%(n)s") % {"n": grouped(gone)}\nc %= {"n": MOST}\n'
    assert list(bare_counts_in(source)) == [(1, "n")]


_MARK = "⟦{}⟧"
_TO_ALL = {"who": "all", "text": "í" * 100}
FORMS = {"send/parts/preview/": _TO_ALL, "send/": {**_TO_ALL, "action": "send"}}


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let templates mark each integer that they print as it is."""
    render = base.render_value_in_context

    def marking(value: Any, context: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool):
            return _MARK.format(value)
        return render(value, context)

    monkeypatch.setattr(base, "render_value_in_context", marking)
    monkeypatch.setattr(i18n, "render_value_in_context", marking)


@pytest.fixture
def full(grace: Church, grace_owner: User) -> list[str]:
    """Fill the church, and return the paths of its pages."""
    now, tomorrow = timezone.now(), timezone.now() + timedelta(days=1)
    choir = Group.objects.create(church=grace, name="Choir")
    people = [cast.member(grace, f"Anna{n}", f"+1312555{n:04}") for n in range(60)]
    choir.members.add(*people[:30])
    anna = people[0]
    for number in (anna.phone, "+13125559977"):
        Message.objects.create(
            tenant=grace, direction="inbound", status=Status.RECEIVED, to_number=grace.phone_number,
            from_number=number, text="Yes", thread=conversation_with(grace, number, now=now).pk,
            created_at=now, updated_at=now,
        )  # fmt: skip
    Conversation.objects.update(state=InboxState.OPEN, inbox_at=now, unread_count=2)
    text = send_text(grace, "í" * 100, to=anna.phone, author=grace_owner, now=now)
    send_text(grace, "Later", to=anna.phone, author=grace_owner, now=now, send_at=tomorrow)
    send_text(grace, "Lost", to=anna.phone, author=grace_owner, now=now)
    Message.objects.filter(text="Lost").update(
        status=Status.FAILED, error_code="40008", error_class="carrier"
    )
    OptOut.objects.create(tenant=grace, number=people[1].phone, source="staff", created_at=now)
    everyone = Audience(everyone=True, as_sent={"all": True})
    for at in (None, tomorrow):
        send_broadcast(grace, "To all", everyone, author=grace_owner, now=now, scheduled_at=at)
    key, talk = encode(anna.pk), encode(Conversation.objects.earliest("pk").pk)
    sending = encode(Broadcast.objects.earliest("pk").pk)
    return [
        *PAGES,
        *(f"members/{key}/{page}" for page in ("", "edit/", "delete/")),
        "members/?search=anna",
        f"groups/{encode(choir.pk)}/",
        f"groups/{encode(choir.pk)}/?find=anna",
        f"groups/{encode(choir.pk)}/delete/",
        f"inbox/{talk}/",
        "inbox/?search=yes",
        "send/parts/recipients/?find=anna&kind=to",
        f"sent/texts/{encode(text.pk)}/",
        "sent/texts/?person=anna",
        f"sent/broadcasts/{sending}/?show=way",
    ]


def test_no_page_prints_an_integer_as_it_is(
    owner: Client, marked: None, full: list[str], anna: Member
) -> None:
    bare, opened = dict[str, list[str]](), 0
    for path in full:
        answer = owner.get(f"/churches/grace/{path}")
        assert answer.status_code == 200, path
        opened += 1
        words = visible_words(answer.content.decode())
        if found := [one for one in words if "⟦" in one]:
            bare[path] = found
    for path, form in FORMS.items():
        words = visible_words(owner.post(f"/churches/grace/{path}", form).content.decode())
        assert any("60" in one or "2 parts" in one for one in words), words
        bare |= {path: found} if (found := [one for one in words if "⟦" in one]) else {}
    assert bare == {}
    assert opened > 40


def test_an_integer_of_a_template_is_marked(marked: None) -> None:
    made = Template("<p>{{ n }}</p><i data-n='{{ n }}'></i>").render(Context({"n": 5}))
    assert visible_words(made) == ["⟦5⟧"]


def _scripts() -> list[Path]:
    return sorted((ROOT / "koinonia/static/koinonia/console").glob("*.js"))


def test_the_scripts_group_the_numbers_of_their_sentences() -> None:
    filled = re.compile(r'replace\("\{(\w+)\}", ([^)]*)\)')
    found = [
        (file.name, name, value)
        for file in _scripts()
        for name, value in filled.findall(file.read_text())
        if not value.startswith("grouped(")
    ]
    # A name, ten seconds, and a limit of ten parts.
    assert {name for _, name, _ in found} <= {"name", "n", "limit"}
