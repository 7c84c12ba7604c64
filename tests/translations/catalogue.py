"""The Spanish catalogues, made from the sources without gettext's programs.

``locale/es/LC_MESSAGES/django.po`` of an app holds its sentences in the order of their letters, and
no places of theirs, so that a change of the code is a small change of the file. ``django.mo`` is the
form that Django reads; it is committed too, because no machine makes it at its start.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tests.support.running_system import ROOT

APPS = ("koinonia", "delivery", "throttling")
"""The apps with sentences for the office. Each has its catalogue: delivery is installed alone, too."""
ENGLISH = frozenset({"admin", "desk", "api_docs.html"})
"""Pages for the operator, the support and programmers, who read English."""
_KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext_lazy": ((1, "c"), 2, 3),
    "gettext_noop": None,
}
_HEADER = """\
# The Spanish sentences of {app}. `make translations` renews this file: docs/how-to/translate.md
msgid ""
msgstr ""
"Language: es\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""
_AT = datetime(2026, 1, 1, tzinfo=UTC)
"""The time in the compiled file: always the same, so that equal sentences make an equal file."""


def path(app: str) -> Path:
    return ROOT / app / "locale" / "es" / "LC_MESSAGES" / "django.po"


def committed(app: str) -> Catalog:
    """Read the catalogue of the app, or return an empty one."""
    if not path(app).exists():
        return _empty()
    with path(app).open("rb") as file:
        return read_po(file, locale="es")


def renewed(app: str) -> Catalog:
    """Return the catalogue made from the sources, with the known Spanish sentences."""
    known, made = committed(app), _empty()
    for message in sorted(_in_sources(app), key=_order):
        before = known.get(message.id, message.context)
        spanish = before.string if before and before.id == message.id else ""
        made.add(message.id, spanish, context=message.context, flags=message.flags)
    return made


def sentences(catalogue: Catalog) -> list[Message]:
    """Return the sentences without the header."""
    return [message for message in catalogue if message.id]


def forms(message: Message) -> list[tuple[str, str]]:
    """Return the English sentence with the Spanish one; two pairs for a sentence with a plural."""
    english, spanish = message.id, message.string
    if isinstance(english, str):
        return [(english, str(spanish))]
    given = spanish if isinstance(spanish, tuple | list) else ()
    return list(zip(english, [*given, "", ""], strict=False))


def untranslated(catalogue: Catalog) -> list[str]:
    return [
        english
        for message in sentences(catalogue)
        for english, spanish in forms(message)
        if not spanish.strip() or message.fuzzy
    ]


def as_text(app: str, catalogue: Catalog) -> str:
    """Return the catalogue as a ``.po`` file."""
    file = BytesIO()
    write_po(
        file, catalogue, width=0, no_location=True, omit_header=True, sort_output=True,
        ignore_obsolete=True,
    )  # fmt: skip
    return _HEADER.format(app=app) + file.getvalue().decode().strip() + "\n"


def compiled(catalogue: Catalog) -> bytes:
    """Return the catalogue as a ``.mo`` file."""
    file = BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


def save(app: str, catalogue: Catalog) -> None:
    path(app).parent.mkdir(parents=True, exist_ok=True)
    path(app).write_text(as_text(app, catalogue), encoding="utf-8")
    path(app).with_suffix(".mo").write_bytes(compiled(catalogue))


def _empty() -> Catalog:
    return Catalog(locale="es", fuzzy=False, creation_date=_AT, revision_date=_AT)


def _in_sources(app: str) -> Iterator[Message]:
    found: dict[tuple[str, str | None], Message] = {}
    for file in sorted((ROOT / app).rglob("*")):
        text = _as_python(file)
        for line, words, _comments, context in extract("python", BytesIO(text), _KEYWORDS):
            message = Message(words, context=context)
            first = words if isinstance(words, str) else words[0]
            known = found.setdefault((first, context), message)
            if known.id != words and isinstance(words, tuple):
                if isinstance(known.id, tuple):
                    raise ValueError(f"{file}:{line}: {first!r} has two plurals.")
                found[first, context] = message
    yield from found.values()


def _as_python(file: Path) -> bytes:
    """Return the source, or a template with its tags as calls of gettext; else nothing."""
    if not ENGLISH.isdisjoint(file.relative_to(ROOT).parts):
        return b""
    if file.suffix == ".py":
        return file.read_bytes()
    if file.suffix not in (".html", ".txt") or "templates" not in file.parts:
        return b""
    text = templatize(file.read_text(encoding="utf-8"), origin=str(file))
    return "\n".join(line.strip() for line in text.splitlines()).encode()


def _order(message: Message) -> tuple[str, str]:
    first = message.id if isinstance(message.id, str) else message.id[0]
    return first, message.context or ""
