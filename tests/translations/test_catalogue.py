"""The Spanish catalogues hold every sentence, say the same as the English ones, and are compiled."""

from __future__ import annotations

import ast
import gettext
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.support.running_system import ROOT
from tests.translations import catalogue

pytestmark = pytest.mark.any_database

_PARTS = re.compile(r"%\(\w+\)[srd]|%%|\{\w+(?:!r)?\}|</?\w+>")
"""Placeholders, and tags of HTML."""
RENEW = "Run `make translations` and write the Spanish of new sentences: docs/how-to/translate.md."


@pytest.mark.parametrize("app", catalogue.APPS)
def test_the_catalogue_has_each_sentence_of_the_sources_in_spanish(app: str) -> None:
    made = catalogue.renewed(app)
    assert catalogue.untranslated(made) == [], RENEW
    assert catalogue.as_text(app, made) == catalogue.path(app).read_text(encoding="utf-8"), RENEW


@pytest.mark.parametrize("app", catalogue.APPS)
def test_the_compiled_catalogue_has_the_same_sentences(app: str) -> None:
    with catalogue.path(app).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in catalogue.sentences(catalogue.committed(app)):
        for number, (english, spanish) in enumerate(catalogue.forms(message), 1):
            if isinstance(message.id, tuple):
                found = compiled.ngettext(message.id[0], message.id[1], number)
            elif message.context:
                found = compiled.pgettext(message.context, english)
            else:
                found = compiled.gettext(english)
            assert found == spanish, RENEW


@pytest.mark.parametrize("app", catalogue.APPS)
def test_a_spanish_sentence_has_the_placeholders_and_tags_of_the_english_one(app: str) -> None:
    different = [
        spanish
        for message in catalogue.sentences(catalogue.committed(app))
        for english, spanish in catalogue.forms(message)
        if sorted(set(_PARTS.findall(english))) != sorted(set(_PARTS.findall(spanish)))
    ]
    assert different == []


@pytest.mark.parametrize("app", catalogue.APPS)
def test_a_spanish_sentence_ends_as_the_english_one(app: str) -> None:
    different = [
        (english, spanish)
        for message in catalogue.sentences(catalogue.committed(app))
        for english, spanish in catalogue.forms(message)
        if _end(english) != _end(spanish) and "e-mail" not in english and "Hello" not in english
    ]
    assert different == []


def _end(words: str) -> str:
    return "".join(re.findall(r"([.:?!…])[”\"]?\s*$", words))


class _Visible(HTMLParser):
    """Collects the visible words of a template without its tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_code = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_code += tag == "code"
        named = {name: value or "" for name, value in attrs}
        for name in ("title", "aria-label", "placeholder", "alt", "aria-description"):
            self._note(named.get(name, ""))
        if tag == "input" and named.get("type") in ("submit", "button"):
            self._note(named.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_code -= tag == "code"

    def handle_data(self, data: str) -> None:
        if not self._in_code:
            self._note(data)

    def _note(self, words: str) -> None:
        if re.search(r"[A-Za-z]{2}", words.replace("Koinonia", "")):
            self.found.append(" ".join(words.split()))


_TRANSLATED = re.compile(r"\{%\s*blocktrans.*?endblocktrans\w*\s*%\}", re.DOTALL)
_BLOCK_OF_CLASSES = re.compile(r"\{% block page %\}.*?\{% endblock %\}")
_TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", re.DOTALL)


def literal_words(template: Path) -> list[str]:
    text = _TRANSLATED.sub("", template.read_text(encoding="utf-8"))
    visible = _Visible()
    visible.feed(_TAGS.sub("", _BLOCK_OF_CLASSES.sub("", text)))
    return visible.found


def test_no_template_shows_words_that_are_not_translated() -> None:
    folders = (ROOT / "koinonia/templates/koinonia", ROOT / "koinonia/templates/throttling")
    found = [file for folder in folders for file in folder.rglob("*.html")]
    templates = [
        file for file in found if catalogue.ENGLISH.isdisjoint(file.relative_to(ROOT).parts)
    ]
    assert len(templates) > 80
    assert {file.name: words for file in templates if (words := literal_words(file))} == {}


def test_words_outside_of_the_tags_are_noticed(tmp_path: Path) -> None:
    template = tmp_path / "page.html"
    template.write_text('<p title="{% translate \'Yes\' %}">Hello {{ name }}</p><img alt="A dog">')
    assert literal_words(template) == ["Hello", "A dog"]


_GETTEXT = {"_", "gettext", "gettext_lazy", "gettext_noop", "ngettext", "ngettext_lazy", "pgettext",
            "pgettext_lazy", "npgettext"}  # fmt: skip
_NOT_SHOWN = {
    "Http404",
    "AssertionError",
    "debug",
    "info",
    "warning",
    "error",
    "exception",
    *_GETTEXT,
}
_SENTENCE = re.compile(r"\A\s*([“A-Z][^\n]* [^\n]*[.?!:…])\s*\Z")


def untranslated_sentences(source: str) -> Iterator[str]:
    """Yield the sentences of Python code that no call of gettext, log or Http404 has."""
    tree = ast.parse(source)
    passed: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in _NOT_SHOWN:
                passed |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.Expr):
            passed.add(id(node.value))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in passed
        ):
            yield from _SENTENCE.findall(node.value)


@pytest.mark.parametrize(
    "folder", ["koinonia/console", "koinonia/member_import", "koinonia/answers"]
)
def test_no_sentence_of_the_console_is_left_out_of_the_catalogue(folder: str) -> None:
    files = sorted((ROOT / folder).rglob("*.py"))
    found = {file.name: list(untranslated_sentences(file.read_text())) for file in files}
    assert {name: words for name, words in found.items() if words} == {}


def hidden_sentences(source: str) -> list[str]:
    """Return the calls of gettext within an f-string: xgettext does not read them."""
    return [
        ast.unparse(call)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.JoinedStr)
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") in _GETTEXT
    ]


def test_no_sentence_is_hidden_in_an_f_string() -> None:
    files = [file for app in catalogue.APPS for file in sorted((ROOT / app).rglob("*.py"))]
    found = {file.name: hidden_sentences(file.read_text(encoding="utf-8")) for file in files}
    assert {name: calls for name, calls in found.items() if calls} == {}


def test_a_sentence_in_an_f_string_is_noticed() -> None:
    assert hidden_sentences("f\"{name}: {_('It waits.')}\"") == ["_('It waits.')"]


def test_a_sentence_outside_of_gettext_is_noticed() -> None:
    source = (
        'def say():\n    """Say it."""\n    log.info("It is said.")\n    return "Say it once."\n'
    )
    assert list(untranslated_sentences(source)) == ["Say it once."]
