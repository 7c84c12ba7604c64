"""Optimistic writes: If-Match, 412 and 428, and a race that the UPDATE decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.http.response import HttpResponseBase
from django.test import Client, override_settings

from tests.httpopt.alone.library.models import Book, Library
from tests.httpopt.alone.library.views import OneBook

ANN = {"Authorization": "Name ann"}


@pytest.fixture
def book(library: Library) -> Book:
    return library.books.earliest("id")


def url(book: Book, query: str = "") -> str:
    return f"/{book.library_id}/books/{book.pk}/{query}"


def patch(book: Book, if_match: str | None, **changes: Any) -> Any:
    headers = {**ANN, **({} if if_match is None else {"If-Match": if_match})}
    return Client().patch(
        url(book), changes or {"title": "New"}, content_type="application/json", headers=headers
    )


def test_if_match_accepts_the_etag_in_the_body(book: Book) -> None:
    etag = Client().get(url(book), headers=ANN).json()["etag"]
    answer = patch(book, etag)
    assert (answer.status_code, answer.json()["title"]) == (200, "New")
    assert patch(book, etag).status_code == 412
    assert patch(book, answer.json()["etag"]).status_code == 200


@pytest.mark.parametrize("coding", ["", "gzip", "br", "zstd"])
@pytest.mark.parametrize("query", ["", "?fields=title", "?fields=author.name"])
def test_the_tag_of_any_coding_and_selection_is_accepted(
    book: Book, coding: str, query: str
) -> None:
    tag = Client().get(url(book, query), headers={**ANN, "Accept-Encoding": coding})["ETag"]
    assert patch(book, tag).status_code == 200
    assert patch(book, tag).status_code == 412


def test_a_patch_answers_with_the_tag_of_the_next_get(book: Book) -> None:
    answer = patch(book, "*")
    assert answer["ETag"] == Client().get(url(book), headers=ANN)["ETag"]
    assert patch(book, answer["ETag"]).status_code == 200


def test_the_etag_of_an_item_in_a_list_is_accepted(book: Book) -> None:
    page = Client().get(f"/{book.library_id}/books/?fields=id,etag", headers=ANN).json()
    etags = {row["id"]: row["etag"] for row in page["results"]}
    assert patch(book, etags[book.pk]).status_code == 200


STALE = [
    '"0"',
    '"999"',
    'W/"{version}0"',
    '"{version}0"',
    '"x{version}"',
    '"{version}-x"',
    '"99999999999999999999999999"',
    '"-1"',
    '""',
]


@pytest.mark.parametrize("tag", STALE)
@pytest.mark.parametrize("method", ["patch", "put", "delete"])
def test_a_stale_tag_changes_nothing(book: Book, tag: str, method: str) -> None:
    headers = {**ANN, "If-Match": tag.replace("{version}", str(book.version))}
    send = getattr(Client(), method)
    response = send(url(book), {"title": "N"}, content_type="application/json", headers=headers)
    assert response.status_code == 412
    assert Book.objects.values_list("title", "version").get(pk=book.pk) == (
        book.title,
        Book.objects.get(pk=book.pk).version,
    )
    assert Book.objects.get(pk=book.pk).title == book.title


def test_one_matching_tag_of_a_list_is_enough(book: Book) -> None:
    etag = Client().get(url(book), headers=ANN).json()["etag"]
    assert patch(book, f'"0", {etag}').status_code == 200


@pytest.mark.parametrize("tag", ["7", "nonsense", '"a" "b"', "", '"' * 9000])
def test_a_malformed_if_match_is_a_400_and_changes_nothing(book: Book, tag: str) -> None:
    assert patch(book, tag).status_code == 400
    assert Book.objects.get(pk=book.pk).title == book.title


def test_an_asterisk_matches_any_state(book: Book) -> None:
    assert patch(book, "*").status_code == 200


def test_a_stale_tag_takes_precedence_over_a_bad_body(book: Book) -> None:
    assert patch(book, '"0"', pages="many").status_code == 412
    assert patch(book, "*", pages="many").status_code == 400


def test_if_none_match_prevents_the_write_of_an_existing_row(book: Book) -> None:
    etag = Client().get(url(book), headers=ANN).json()["etag"]
    for tag, status in (("*", 412), (etag, 412), (f"W/{etag}", 412), ('"0"', 200)):
        response = Client().patch(
            url(book),
            {"title": "New"},
            content_type="application/json",
            headers={**ANN, "If-None-Match": tag},
        )
        assert response.status_code == status, tag


def test_a_missing_if_match_is_refused_only_if_it_is_required(book: Book) -> None:
    assert patch(book, None).status_code == 200
    with override_settings(HTTPOPT={"REQUIRE_IF_MATCH": True}):
        refused = patch(book, None)
        assert (refused.status_code, refused["Cache-Control"]) == (428, "no-store")
        assert patch(book, "*").status_code == 200


def test_a_delete_honours_if_match(book: Book) -> None:
    etag = Client().get(url(book), headers=ANN).json()["etag"]
    patch(book, "*")
    gone = Client().delete(url(book), headers={**ANN, "If-Match": etag})
    assert gone.status_code == 412
    assert Client().delete(url(book), headers={**ANN, "If-Match": "*"}).status_code == 204


def test_a_write_between_check_and_update_is_not_lost(
    book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Write after the first check has passed: the conditional UPDATE must fail."""
    evaluate = OneBook._evaluate_write

    def evaluate_and_lose_the_race(view: OneBook, request: Any) -> None:
        evaluate(view, request)
        Book.objects.filter(pk=book.pk).update(title="Overtaken")

    monkeypatch.setattr(OneBook, "_evaluate_write", evaluate_and_lose_the_race)
    etag = Client().get(url(book), headers=ANN).json()["etag"]
    assert patch(book, etag).status_code == 412
    assert Book.objects.get(pk=book.pk).title == "Overtaken"


def test_a_change_of_the_list_of_an_item_raises_its_version(book: Book) -> None:
    etag = Client().get(url(book), headers=ANN).json()["etag"]
    book.subjects.clear()
    assert patch(book, etag).status_code == 412


def test_a_stale_save_never_lowers_the_version(book: Book) -> None:
    stale = Book.objects.get(pk=book.pk)
    for _ in range(3):
        Book.objects.filter(pk=book.pk).update(pages=7)
    before = Book.objects.get(pk=book.pk).version
    stale.save()
    assert Book.objects.get(pk=book.pk).version == before + 1


def test_if_match_works_when_httpopt_is_switched_off(book: Book) -> None:
    with override_settings(HTTPOPT={"ENABLED": False}):
        assert patch(book, '"0"').status_code == 412
        assert patch(book, Client().get(url(book), headers=ANN)["ETag"]).status_code == 200


def test_the_answer_to_a_put_has_no_tag(book: Book) -> None:
    response: HttpResponseBase = Client().put(
        url(book), {"title": "N"}, content_type="application/json", headers={**ANN, "If-Match": "*"}
    )
    assert response.status_code == 200
    # The stored bytes are not the bytes that the client sent (RFC 9110, 9.3.4).
    assert not response.has_header("ETag")
