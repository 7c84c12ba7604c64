"""Transactions that are open while tags are read, and transactions that never end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from httpopt.models import Counter
from tests.httpopt.alone.library.models import Book, Library

ANN = {"Authorization": "Name ann"}
RENAME = "UPDATE library_book SET title = title || '!' WHERE id = %s"


@contextmanager
def another_session() -> Iterator[BaseDatabaseWrapper]:
    """Open a second database session, as another process does."""
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


def tag_of(library: Library) -> str:
    return str(Client().get(f"/{library.pk}/books/", headers=ANN)["ETag"])


@pytest.mark.django_db(transaction=True)
def test_a_session_that_dies_before_its_commit_changes_no_tag(library: Library) -> None:
    before = tag_of(library)
    with another_session() as dying:
        dying.set_autocommit(False)
        with dying.cursor() as cursor:
            cursor.execute(RENAME, [Book.objects.earliest("id").pk])
        # The connection breaks without a ROLLBACK.
        dying.connection.close()
    assert tag_of(library) == before
    Book.objects.filter(pk=Book.objects.earliest("id").pk).update(title="Written after")
    assert tag_of(library) != before


@pytest.mark.django_db(transaction=True)
def test_concurrent_writers_never_wait_for_the_counter(library: Library) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time.")
    before = tag_of(library)
    one, two = Book.objects.order_by("id")[:2]
    with another_session() as first, another_session() as second:
        first.set_autocommit(False)
        with first.cursor() as cursor:
            cursor.execute(RENAME, [one.pk])
        with second.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
            cursor.execute(RENAME, [two.pk])
            between = tag_of(library)
            # Proof that a wait would be noticed: a write to the locked row times out.
            with pytest.raises(OperationalError):
                cursor.execute(RENAME, [one.pk])
        first.commit()
    assert len({before, between, tag_of(library)}) == 3
    shards = Counter.objects.filter(tenant=library.pk, collection="books", shard__gt=0)
    assert shards.values("shard").distinct().count() >= 2
