"""Triggers: installed, checked, dropped around a migration, and correct for every kind of write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, models, transaction
from django.db.models import F
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from httpopt.models import Counter
from httpopt.versions import counters, triggers
from httpopt.versions.brief_locks import briefly
from httpopt.versions.tracked import Tracked
from tests.httpopt.alone.library.models import Author, Book, Library, Subject

ANN = {"Authorization": "Name ann"}


def version(library: Library, *collections: str) -> str:
    return counters.read(dict.fromkeys(collections, library.pk)).collections


@pytest.fixture
def other(db: None) -> Library:
    other = Library.objects.create(name="Other")
    Book.objects.create(library=other, title="Theirs")
    return other


def _insert(library: Library) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO library_author (library_id, first_name, last_name, notes)"
            " VALUES (%s, 'Raw', 'Hand', '')",
            [library.pk],
        )
        cursor.execute("UPDATE library_book SET pages = pages WHERE library_id = %s", [library.pk])


def _upsert(library: Library) -> None:
    Book.objects.bulk_create(
        [Book(pk=library.books.earliest("id").pk, library=library, title="Again")],
        update_conflicts=True,
        update_fields=["title"],
        unique_fields=["id"],
    )


def _bulk_update(library: Library) -> None:
    books = list(library.books.all())
    for book in books:
        book.title += "!"
    Book.objects.bulk_update(books, ["title"])


def _first(library: Library) -> Book:
    return library.books.earliest("id")


WRITES: dict[str, Callable[[Library], object]] = {
    "create": lambda library: Book.objects.create(library=library, title="New"),
    "save": lambda library: _first(library).save(),
    "save of one field": lambda library: _first(library).save(update_fields=["pages"]),
    "update": lambda library: library.books.update(pages=F("pages") + 1),
    "update of one": lambda library: Book.objects.filter(pk=_first(library).pk).update(pages=3),
    "bulk_create": lambda library: Book.objects.bulk_create([Book(library=library, title="B")] * 1),
    "bulk_create, conflicts ignored": lambda library: Book.objects.bulk_create(
        [Book(library=library, title="B")], ignore_conflicts=True
    ),
    "bulk_create, conflicts updated": _upsert,
    "bulk_update": _bulk_update,
    "get_or_create": lambda library: Book.objects.get_or_create(library=library, title="Newer"),
    "delete of one": lambda library: _first(library).delete(),
    "delete of many": lambda library: library.books.all().delete(),
    "raw delete": lambda library: Book.subjects.through.objects.filter(
        book__library=library
    )._raw_delete("default"),
    "raw SQL": _insert,
    "list, add": lambda library: library.books.latest("id").subjects.add(library.subjects.get()),
    "list, clear": lambda library: _first(library).subjects.clear(),
    "list, from the other side": lambda library: library.subjects.get().books.clear(),
    "nested row": lambda library: library.authors.update(last_name="Other"),
    "nested row of the list": lambda library: library.subjects.update(name="Lake"),
    "cascade": lambda library: library.authors.get().delete(),
}


@pytest.mark.parametrize("write", list(WRITES))
def test_every_kind_of_write_changes_the_tags_of_one_tenant(
    library: Library, other: Library, write: str
) -> None:
    ours, theirs = (
        Client().get(f"/{one.pk}/books/", headers=ANN)["ETag"] for one in (library, other)
    )
    WRITES[write](library)
    assert Client().get(f"/{library.pk}/books/", headers=ANN)["ETag"] != ours
    assert Client().get(f"/{other.pk}/books/", headers=ANN)["ETag"] == theirs


@pytest.mark.parametrize("write", list(WRITES))
def test_a_rollback_leaves_the_version(library: Library, write: str) -> None:
    before = version(library, "books", "authors", "subjects")
    with transaction.atomic():
        WRITES[write](library)
        transaction.set_rollback(True)
    assert version(library, "books", "authors", "subjects") == before


def test_a_statement_without_rows_leaves_the_version(library: Library) -> None:
    before = version(library, "books", "authors", "subjects")
    Book.objects.filter(title="No such").update(pages=1)
    Book.objects.filter(title="No such").delete()
    assert version(library, "books", "authors", "subjects") == before


def test_a_row_that_changes_its_tenant_changes_both_versions(
    library: Library, other: Library
) -> None:
    before = version(library, "books"), version(other, "books")
    library.books.filter(title="Anonymous").update(library=other)
    after = version(library, "books"), version(other, "books")
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_a_tenant_can_be_deleted_with_its_rows(library: Library) -> None:
    library.delete()
    assert not Book.objects.filter(title__startswith="Book").exists()


def test_only_named_columns_count(transactional_db: None, settings: Any) -> None:
    settings.HTTPOPT = {"TRACKED": f"{__name__}.ONLY_NAMES"}
    triggers.after_migrate(using="default")
    library = Library.objects.create(name="Central")
    author = Author.objects.create(library=library, first_name="Ann", last_name="Lee")
    before = counters.read({"people": 0}).collections
    Author.objects.filter(pk=author.pk).update(notes="seen")
    Author.objects.create(library=library, first_name="Bo", last_name="Li")
    assert counters.read({"people": 0}).collections == before
    Author.objects.filter(pk=author.pk).update(last_name="Li")
    renamed = counters.read({"people": 0}).collections
    assert renamed != before
    # Answers that named the author no longer do.
    author.delete()
    assert counters.read({"people": 0}).collections != renamed


ONLY_NAMES = [Tracked(Author, "people", tenant=None, only=("first_name", "last_name"))]


def names() -> set[str]:
    return {name for name, _ in triggers.existing(connection)}


def test_changes_of_a_remade_table_are_counted(transactional_db: None) -> None:
    """Remake tables: SQLite drops their triggers, and fails on other triggers that name them."""
    remakes = connection.vendor == "sqlite"
    library = Library.objects.create(name="Central")
    Book.objects.create(library=library, title="B")
    before, made = version(library, "books"), names()
    triggers.before_migrate(using="default", plan=["a migration"])
    assert names() == (set() if remakes else made)
    changed = models.IntegerField(default=1)
    changed.set_attributes_from_name("pages")
    with connection.schema_editor() as editor:
        editor.alter_field(Book, Book._meta.get_field("pages"), changed, strict=True)
        old = Book._meta.get_field("title")
        wider = models.CharField(max_length=300)
        wider.set_attributes_from_name("title")
        wider.model = Book
        editor.alter_field(Book, old, wider)
    assert bool(triggers.problems()) == remakes
    triggers.after_migrate(using="default")
    assert names() == made
    assert triggers.problems() == []
    again = version(library, "books")
    # Writes without triggers were not counted, so there is a new epoch.
    assert (again != before) == remakes
    Book.objects.update(pages=5)
    assert version(library, "books") != again


def test_migrate_restores_every_trigger(transactional_db: None) -> None:
    made = names()
    assert made
    triggers.drop(connection, triggers.existing(connection)[:1])
    assert len(triggers.problems()) == 1
    call_command("migrate", verbosity=0)
    assert names() == made
    assert triggers.problems() == []


def test_a_migrate_without_migrations_leaves_the_triggers_and_the_versions(
    library: Library,
) -> None:
    before, made = version(library, "books"), names()
    with CaptureQueriesContext(connection) as captured:
        triggers.before_migrate(using="default", plan=[])
        assert names() == made
        triggers.after_migrate(using="default", plan=[])
    assert {one["sql"].split()[0] for one in captured} == {"SELECT"}
    assert version(library, "books") == before


def test_triggers_of_the_release_before_may_stay_on_postgresql(
    transactional_db: None, settings: Any
) -> None:
    made = names()
    settings.HTTPOPT = {"TRACKED": f"{__name__}.ONLY_NAMES"}
    with triggers.keep_undeclared():
        triggers.after_migrate(using="default")
    assert (made <= names()) == (connection.vendor == "postgresql")
    triggers.after_migrate(using="default")
    assert not made & names()


def test_a_change_that_finds_a_lock_taken_tries_again(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("httpopt.versions.brief_locks.time.sleep", pauses.append)
    answers = [_locked(), None]

    def change() -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    briefly(connection, change)
    assert len(pauses) == 1
    with pytest.raises(OperationalError, match="disk"):
        briefly(connection, _fail)


class _LockNotAvailableError(Exception):
    sqlstate = "55P03"


def _locked() -> OperationalError:
    error = OperationalError("canceling statement due to lock timeout")
    error.__cause__ = _LockNotAvailableError()
    return error


def _fail() -> None:
    raise OperationalError("the disk is full")


def test_undeclared_triggers_are_dropped(transactional_db: None, settings: Any) -> None:
    settings.HTTPOPT = {"TRACKED": None}
    triggers.after_migrate(using="default")
    assert names() == set()
    assert triggers.problems() == []


@pytest.fixture(autouse=True)
def _triggers_as_declared(request: pytest.FixtureRequest) -> Any:
    yield
    if "transactional_db" in request.fixturenames:
        with override_settings(HTTPOPT={"TRACKED": "tests.httpopt.alone.library.tracked.TRACKED"}):
            blocker = request.getfixturevalue("django_db_blocker")
            with blocker.unblock():
                triggers.after_migrate(using="default")


def test_a_restored_database_gets_a_new_epoch(library: Library) -> None:
    before = version(library, "books")
    counters.begin_epoch()
    assert version(library, "books") == before
    counters.begin_epoch(renew=True)
    assert version(library, "books") != before


def test_folding_shards_keeps_every_sum(library: Library) -> None:
    for shard in (900001, 900002):
        Counter.objects.create(tenant=library.pk, collection="books", shard=shard, value=shard)
    before = version(library, "books", "authors")
    saved = counters.compact()
    assert version(library, "books", "authors") == before
    assert (saved >= 2) == (connection.vendor == "postgresql")
    library.books.update(pages=1)
    assert version(library, "books", "authors") != before


def test_versions_cost_one_query_before_the_data(
    library: Library, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(3) as captured:
        tag = Client().get(f"/{library.pk}/books/", headers=ANN)["ETag"]
    assert "httpopt_counter" in captured[0]["sql"]
    with django_assert_num_queries(1):
        again = Client().get(f"/{library.pk}/books/", headers={**ANN, "If-None-Match": tag})
    assert again.status_code == 304
    item = f"/{library.pk}/books/{_first(library).pk}/"
    tag = Client().get(item, headers=ANN)["ETag"]
    with django_assert_num_queries(1):
        Client().get(item, headers={**ANN, "If-None-Match": tag})


def test_collections_are_counted_apart(library: Library) -> None:
    before = version(library, "authors")
    Subject.objects.update(name="Other")
    assert version(library, "authors") == before
