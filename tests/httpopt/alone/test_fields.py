from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from httpopt.fields.selection import FieldsError, Selection, parse_fields
from tests.httpopt.alone.library.models import Book, Library

ANN = {"Authorization": "Name ann"}
GUEST = {"Authorization": "Name guest"}

PARSED = [
    ("id", {"id": None}),
    ("id,title", {"id": None, "title": None}),
    (" id , title ", {"id": None, "title": None}),
    ("id,id", {"id": None}),
    ("author.name", {"author": {"name": None}}),
    ("author(name)", {"author": {"name": None}}),
    ("author.name,author.id", {"author": {"name": None, "id": None}}),
    ("author(name,id),id", {"author": {"name": None, "id": None}, "id": None}),
    ("author,author.name", {"author": None}),
    ("author.name,author", {"author": None}),
    ("a.b(c,d.e)", {"a": {"b": {"c": None, "d": {"e": None}}}}),
]


@pytest.mark.parametrize(("text", "selection"), PARSED)
def test_both_notations_of_nested_fields_are_parsed(text: str, selection: Selection) -> None:
    assert parse_fields(text) == selection


MALFORMED = [
    ("", "empty"),
    ("  ", "empty"),
    (",", "missing"),
    ("id,", "missing"),
    (",id", "missing"),
    ("id,,title", "missing"),
    ("author.", "missing"),
    (".name", "missing"),
    ("author()", "missing"),
    ("author(name", "not closed"),
    ("author)", "Unexpected"),
    ("id title", "Unexpected"),
    ("id;title", "Unexpected"),
    ("*", "Unexpected"),
    ("-id", "Unexpected"),
    ("id\x00", "Unexpected"),
    ("\u0456d", "Unexpected"),
    ("a.b.c.d.e", "deeper"),
    ("a(b(c(d(e))))", "deeper"),
    ("(" * 1000, "missing"),
    ("a(" * 900, "deeper"),
    ("a." * 900, "deeper"),
    (",".join(f"f{n}" for n in range(101)), "more than 100"),
    ("x" * 2001, "longer"),
]


@pytest.mark.parametrize(("text", "reason"), MALFORMED)
def test_a_malformed_selection_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(FieldsError, match=reason):
        parse_fields(text)


@given(st.text(alphabet="ab.,() *", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        assert parse_fields(text)
    except FieldsError as error:
        assert str(error)  # noqa: PT017 -- the text may be valid


@pytest.fixture(params=["books", "plain-books"])
def path(request: pytest.FixtureRequest, library: Library) -> str:
    return f"/{library.pk}/{request.param}/"


def results(path: str, headers: dict[str, str] = ANN) -> list[dict[str, Any]]:
    response = Client().get(path, headers=headers)
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["results"]
    return found


def test_a_list_has_only_the_selected_fields(path: str) -> None:
    whole = results(path)
    for row, sparse in zip(whole, results(f"{path}?fields=title,id,author.name"), strict=True):
        author = row["author"] and {"name": row["author"]["name"]}
        assert sparse == {"id": row["id"], "title": row["title"], "author": author}


def test_an_item_has_only_the_selected_fields(library: Library) -> None:
    book = library.books.earliest("id")
    response = Client().get(f"/{library.pk}/books/{book.pk}/?fields=id,subjects(name)", headers=ANN)
    assert response.json() == {"id": book.pk, "subjects": [{"name": "Sea"}]}


LEAVES = [
    "id", "title", "text", "pages", "price", "extra", "added", "author", "author.id", "author.name",
    "author.notes", "etag", "subjects", "subjects.id", "subjects.name", "subject_ids", "label",
    "written_by",
]  # fmt: skip


def select(row: dict[str, Any], selection: Selection) -> dict[str, Any]:
    return {name: _part(value, selection[name]) for name, value in row.items() if name in selection}


def _part(value: Any, wanted: Selection | None) -> Any:
    if wanted is None or value is None:
        return value
    if isinstance(value, list):
        return [select(one, wanted) for one in value]
    return select(value, wanted)


@pytest.mark.parametrize("first", LEAVES)
@pytest.mark.parametrize("second", ["id", "author.name", "subjects.name", "etag"])
def test_any_selection_equals_that_part_of_the_whole(
    library: Library, first: str, second: str
) -> None:
    path = f"/{library.pk}/books/"
    text = f"{first},{second}"
    selection = parse_fields(text)
    assert results(f"{path}?fields={text}") == [select(row, selection) for row in results(path)]


def test_rows_and_instances_give_the_same_answer(library: Library, settings: Any) -> None:
    plain = list(results(f"/{library.pk}/plain-books/")[0])
    by_instances = results(f"/{library.pk}/books/?fields={','.join([*plain, 'label'])}")
    for row in by_instances:
        del row["label"]
    assert results(f"/{library.pk}/plain-books/") == by_instances


@pytest.fixture
def queries(library: Library) -> Iterator[CaptureQueriesContext]:
    with CaptureQueriesContext(connection) as captured:
        yield captured


def selected(queries: CaptureQueriesContext) -> str:
    """Return the statements that read data, without the reads of versions."""
    data = [query["sql"] for query in queries if "httpopt_counter" not in query["sql"]]
    return "\n".join(data)


# fields, number of queries for the data, columns that must not be read
PRUNED = [
    ("books", "id", 1, ["title", "text", "author_id", "notes", "JOIN"]),
    ("books", "id,title", 1, ["text", "pages", "JOIN"]),
    ("books", "id,author.name", 1, ["text", "notes", "title"]),
    ("books", "id,author.id", 1, ["text", "first_name", "notes"]),
    ("books", "id,label", 1, ["text", "price", "JOIN"]),
    ("books", "id,subjects.name", 2, ["text", "title", "notes"]),
    ("books", "subject_ids", 2, ["text", "title", "notes"]),
    ("books", "id,etag", 1, ["text", "title", "JOIN"]),
    ("plain-books", "id", 1, ["title", "text", "author_id", "JOIN"]),
    ("plain-books", "id,title,author.name", 1, ["text", "notes", "pages"]),
    ("plain-books", "author.notes", 1, ["text", "title", "first_name"]),
]


@pytest.mark.parametrize(("where", "fields", "number", "unread"), PRUNED)
def test_only_the_columns_of_the_fields_are_read(
    library: Library,
    queries: CaptureQueriesContext,
    where: str,
    fields: str,
    number: int,
    unread: list[str],
) -> None:
    results(f"/{library.pk}/{where}/?fields={fields}")
    sql = selected(queries)
    assert len(sql.splitlines()) == number, sql
    for column in unread:
        assert f'"{column}"' not in sql if column != "JOIN" else "JOIN" not in sql, column


def test_a_whole_list_takes_one_query_per_kind_of_row(
    library: Library, queries: CaptureQueriesContext
) -> None:
    results(f"/{library.pk}/books/")
    assert len(selected(queries).splitlines()) == 2


REFUSED = [
    ("nope", "nope"),
    ("id,nope,title,worse", "nope, worse"),
    ("author.nope", "author.nope"),
    ("author(name,nope)", "author.nope"),
    ("title.x", "title.x"),
    ("extra.key", "extra.key"),
    ("code", "code"),
    ("version", "version"),
    ("author_id", "author_id"),
    ("__class__", "__class__"),
    ("ID", "ID"),
]


@pytest.mark.parametrize(("fields", "named"), REFUSED)
def test_unknown_and_hidden_fields_are_named(path: str, fields: str, named: str) -> None:
    response = Client().get(f"{path}?fields={fields}", headers=ANN)
    assert response.status_code == 400
    (sentence,) = response.json()["fields"]
    assert sentence.startswith(f"Unknown: {named}. ")


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ("nope", "There are: id, title,"),
        ("author.nope", "There are: author.id, author.name"),
        ("title.x", "title can only be selected as a whole."),
    ],
)
def test_the_names_that_exist_are_told(path: str, fields: str, told: str) -> None:
    response = Client().get(f"{path}?fields={fields}", headers=ANN)
    assert told in response.json()["fields"][0]


def test_a_hidden_nested_field_is_named(library: Library) -> None:
    response = Client().get(f"/{library.pk}/books/?fields=subjects(notes,id)", headers=ANN)
    (sentence,) = response.json()["fields"]
    assert sentence.startswith("Unknown: subjects.notes. There are: subjects.id")
    assert "notes" not in sentence.partition("There are")[2]


def test_a_field_that_this_user_may_not_see_is_unknown(path: str) -> None:
    assert Client().get(f"{path}?fields=price", headers=ANN).status_code == 200
    response = Client().get(f"{path}?fields=price", headers=GUEST)
    (sentence,) = response.json()["fields"]
    assert sentence.startswith("Unknown: price. There are: ")
    assert "price" not in sentence.partition("There are")[2]
    assert "price" not in results(path, GUEST)[0]
    assert "price" in results(path)[0]


@pytest.mark.parametrize("fields", ["", "  ", ",", "id,", "author(", "a" * 3000])
def test_a_malformed_selection_is_a_400(path: str, fields: str) -> None:
    response = Client().get(path, {"fields": fields}, headers=ANN)
    assert response.status_code == 400
    assert list(response.json()) == ["fields"]


def test_the_links_between_pages_keep_the_selection(library: Library) -> None:
    Book.objects.bulk_create(Book(library=library, title=f"{n}") for n in range(60))
    page = Client().get(f"/{library.pk}/books/?fields=title&junk=secret", headers=ANN).json()
    assert "junk" not in page["next"]
    following = Client().get(page["next"], headers=ANN).json()
    assert following["results"][0].keys() == {"title"}


def test_the_browsable_api_shows_the_list_and_its_form(library: Library) -> None:
    page = Client().get(f"/{library.pk}/books/?fields=id", headers={**ANN, "Accept": "text/html"})
    assert page.status_code == 200
    assert b'name="title"' in page.content


def test_the_schema_describes_fields_and_preconditions() -> None:
    schema = Client().get("/schema/?format=json").json()["paths"]
    names = {
        method: {one["name"] for one in schema["/{library}/books/{id}/"][method]["parameters"]}
        for method in ("get", "patch")
    }
    assert {"fields", "If-None-Match"} <= names["get"]
    assert "If-Match" in names["patch"]
    assert "304" in schema["/{library}/books/"]["get"]["responses"]
    assert "412" in schema["/{library}/books/{id}/"]["patch"]["responses"]
