"""The hooks, the audit, the switch ENABLED, and the system checks."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.core import checks
from django.core.cache import cache
from django.test import AsyncClient, Client, override_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from httpopt.audit import stale_not_modified
from httpopt.validators.etags import ETag, MalformedTagsError, parse_tags
from httpopt.versions.tracked import Tracked
from tests.httpopt.alone.library.models import Book, Library

ANN = {"Authorization": "Name ann"}
TRACKED = "tests.httpopt.alone.library.tracked.TRACKED"
not_modified: list[str] = []


def note(request: Any) -> None:
    not_modified.append(request.path)


def where(request: Any, view: Any) -> str | None:
    return f"library:{view.kwargs['library']};e;7" if "library" in view.kwargs else None


def test_the_hook_is_called_once_per_304(library: Library) -> None:
    not_modified.clear()
    paths = [f"/{library.pk}/books/", "/page/"]
    with override_settings(HTTPOPT={"ON_NOT_MODIFIED": f"{__name__}.note"}):
        for path in paths:
            for tag in (Client().get(path, headers=ANN)["ETag"], "*", '"other"'):
                Client().get(path, headers={**ANN, "If-None-Match": tag})
    assert not_modified == [paths[0], paths[0], paths[1], paths[1]]


async def test_the_hook_is_called_under_asgi() -> None:
    not_modified.clear()
    with override_settings(HTTPOPT={"ON_NOT_MODIFIED": f"{__name__}.note"}):
        await AsyncClient().get("/page/", headers={"If-None-Match": "*"})
    assert not_modified == ["/page/"]


def test_every_200_and_no_304_has_the_position(library: Library) -> None:
    path = f"/{library.pk}/books/"
    with override_settings(HTTPOPT={"POSITION": f"{__name__}.where"}):
        first = Client().get(path, headers=ANN)
        again = Client().get(path, headers={**ANN, "If-None-Match": first["ETag"]})
        other = Client().get("/for-a-while/", headers=ANN)
    assert first["Stream-Position"] == f"library:{library.pk};e;7"
    assert not again.has_header("Stream-Position")
    assert not other.has_header("Stream-Position")


class TestAudit:
    def ask(self, library: Library, tag: str = "") -> Any:
        headers = {**ANN, **({"If-None-Match": tag} if tag else {})}
        return Client().get(f"/{library.pk}/books/", headers=headers)

    @pytest.fixture(autouse=True)
    def _every_304(self) -> Any:
        cache.clear()
        with override_settings(HTTPOPT={"AUDIT": 1.0, "TRACKED": TRACKED}):
            yield

    def test_a_correct_304_stays_a_304(
        self, library: Library, caplog: pytest.LogCaptureFixture
    ) -> None:
        tag = self.ask(library)["ETag"]
        assert self.ask(library, tag).status_code == 304
        assert not caplog.records

    def test_a_stale_304_becomes_a_200_and_is_reported(
        self,
        library: Library,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        reported: list[str] = []
        stale_not_modified.connect(lambda **sent: reported.append(sent["path"]), weak=False)
        tag = self.ask(library)["ETag"]
        monkeypatch.setattr(
            "tests.httpopt.alone.library.serializers.BookSerializer.get_label",
            lambda self, book: "another",
        )
        with caplog.at_level(logging.ERROR, "httpopt.audit"):
            answer = self.ask(library, tag)
        assert (answer.status_code, answer["ETag"]) == (200, tag)
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert reported == [f"/{library.pk}/books/"]

    def test_a_change_during_rendering_is_not_reported(
        self,
        library: Library,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        tag = self.ask(library)["ETag"]

        def label(self: Any, book: Book) -> str:
            Book.objects.filter(pk=book.pk).update(pages=1)
            return "another"

        monkeypatch.setattr(
            "tests.httpopt.alone.library.serializers.BookSerializer.get_label", label
        )
        assert self.ask(library, tag).status_code == 304
        assert not caplog.records


class TestOff:
    @pytest.fixture(autouse=True)
    def _off(self) -> Any:
        with override_settings(HTTPOPT={"ENABLED": False}):
            yield

    def test_no_answer_is_encoded(self) -> None:
        response = Client().get("/page/", headers={"Accept-Encoding": "gzip"})
        assert not response.has_header("Content-Encoding")
        assert "Accept-Encoding" not in response.get("Vary", "")

    def test_no_answer_is_a_304(self, library: Library) -> None:
        for path in (f"/{library.pk}/books/", "/page/"):
            tag = Client().get(path, headers=ANN).get("ETag", "*")
            again = Client().get(path, headers={**ANN, "If-None-Match": tag})
            assert again.status_code == 200

    def test_fields_are_ignored(self, library: Library) -> None:
        whole = Client().get(f"/{library.pk}/books/", headers=ANN).json()
        for fields in ("id", "nope", ""):
            some = Client().get(f"/{library.pk}/books/?fields={fields}", headers=ANN).json()
            assert some["results"] == whole["results"]

    def test_errors_are_still_never_stored(self) -> None:
        assert Client().get("/nowhere/")["Cache-Control"] == "no-store"


def found(**httpopt: Any) -> list[str | None]:
    with override_settings(HTTPOPT=httpopt):
        return [message.id for message in checks.run_checks() if "httpopt" in str(message.id)]


LOST = [Tracked(Book, "books", tenant="nowhere")]
NO_KEY = [Tracked(Book, "books", tenant="title__library")]
BAD_NAME = [Tracked(Book, "bo'oks", tenant="library")]

MISTAKES = [
    ({}, []),
    ({"TRACKED": TRACKED, "AUDIT": 0.01, "REQUIRE_IF_MATCH": True}, []),
    ({"TRACKD": TRACKED}, ["httpopt.E002"]),
    ({"MINIMUM_BYTES": "1k"}, ["httpopt.E003"]),
    ({"PADDING_BYTES": -1}, ["httpopt.E003"]),
    ({"ENABLED": "0"}, ["httpopt.E003"]),
    ({"TRACKED": 5}, ["httpopt.E003"]),
    ({"AUDIT": 2}, ["httpopt.E004"]),
    ({"TRACKED": "nowhere.to.find"}, ["httpopt.E005"]),
    ({"POSITION": "nowhere.to.find"}, ["httpopt.E005"]),
    ({"ON_NOT_MODIFIED": "nowhere.to.find"}, ["httpopt.E005"]),
    ({"TRACKED": f"{__name__}.LOST"}, ["httpopt.E006"]),
    ({"TRACKED": f"{__name__}.NO_KEY"}, ["httpopt.E006"]),
    ({"TRACKED": f"{__name__}.BAD_NAME"}, ["httpopt.E007"]),
]


@pytest.mark.parametrize(("given_settings", "ids"), MISTAKES)
def test_each_mistake_in_the_settings_has_its_id(
    given_settings: dict[str, Any], ids: list[str]
) -> None:
    assert found(**given_settings) == ids


def test_the_settings_must_be_a_dict() -> None:
    with override_settings(HTTPOPT=["ENABLED"]):
        assert [one.id for one in checks.run_checks()] == ["httpopt.E001"]


@pytest.mark.parametrize(
    ("order", "ids"),
    [
        (["django.middleware.common.CommonMiddleware", "httpopt.middleware.CompressionMiddleware"],
         ["httpopt.E008"]),
        (["httpopt.middleware.ContentHashMiddleware"], ["httpopt.W002"]),
        ([], []),
    ],
)  # fmt: skip
def test_a_wrong_order_of_middleware_is_reported(order: list[str], ids: list[str]) -> None:
    with override_settings(MIDDLEWARE=order):
        assert [one.id for one in checks.run_checks() if "httpopt" in str(one.id)] == ids


@pytest.mark.django_db
def test_missing_triggers_are_a_warning_so_that_migrate_can_run() -> None:
    with override_settings(HTTPOPT={"TRACKED": f"{__name__}.MORE"}):
        messages = checks.run_checks(databases=["default"])
    assert [one.id for one in messages] == ["httpopt.W001"]


MORE = [Tracked(Library, "libraries", tenant="id")]

HEADERS = st.dictionaries(
    st.sampled_from(["Accept-Encoding", "If-None-Match", "If-Match", "Accept", "Range"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f")),
)


@settings(max_examples=150, deadline=None)
@given(headers=HEADERS, fields=st.none() | st.text(max_size=30))
def test_no_header_and_no_fields_cause_an_error(headers: dict[str, str], fields: Any) -> None:
    query = {} if fields is None else {"fields": fields}
    response = Client().get("/page/", query, headers={**ANN, **headers})
    assert response.status_code in (200, 304, 400, 412)
    response = Client().get("/schema/", headers={**ANN, **headers})
    assert response.status_code in (200, 304, 400, 406, 412)


TAG_TEXT = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0xFF, exclude_characters='"\x7f'), max_size=8
)
GAPS = st.sampled_from([",", ", ", " ,", ",,", " , ,"])


@given(
    tags=st.lists(st.builds(ETag, TAG_TEXT.filter(str.isascii), st.booleans()), min_size=1),
    gap=GAPS,
)
def test_every_well_formed_list_of_tags_is_parsed(tags: list[ETag], gap: str) -> None:
    assert parse_tags(gap.join(map(str, tags))) == tuple(tags)


@given(st.text(max_size=40))
def test_a_malformed_list_of_tags_is_refused(text: str) -> None:
    try:
        tags = parse_tags(text)
    except MalformedTagsError:
        return
    assert tags == "*" or all(str(tag).strip('W/"') in text for tag in tags)
