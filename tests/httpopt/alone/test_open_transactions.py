"""What is still being written, and what never will be."""

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
    """As another process has it."""
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()


def tag_of(library: Library) -> str:
    return str(Client().get(f"/{library.pk}/books/", headers=ANN)["ETag"])


@pytest.mark.django_db(transaction=True)
def test_who_dies_in_the_middle_of_a_change_has_changed_no_tag(library: Library) -> None:
    before = tag_of(library)
    with another_session() as dying:
        dying.set_autocommit(False)
        with dying.cursor() as cursor:
            cursor.execute(RENAME, [Book.objects.earliest("id").pk])
        # Its client is gone, and no ROLLBACK was ever said.
        dying.connection.close()
    assert tag_of(library) == before
    Book.objects.filter(pk=Book.objects.earliest("id").pk).update(title="Written after")
    assert tag_of(library) != before


@pytest.mark.django_db(transaction=True)
def test_two_who_write_at_once_never_wait_for_the_counter(library: Library) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time.")
    before = tag_of(library)
    one, two = Book.objects.order_by("id")[:2]
    with another_session() as slow, another_session() as quick:
        slow.set_autocommit(False)
        with slow.cursor() as cursor:
            cursor.execute(RENAME, [one.pk])
        with quick.cursor() as cursor:
            cursor.execute("SET lock_timeout = '2s'")
            cursor.execute(RENAME, [two.pk])
            between = tag_of(library)
            # Were there a row to wait for, this is how it would tell.
            with pytest.raises(OperationalError):
                cursor.execute(RENAME, [one.pk])
        slow.commit()
    assert len({before, between, tag_of(library)}) == 3
    shards = Counter.objects.filter(tenant=library.pk, collection="books", shard__gt=0)
    assert shards.values("shard").distinct().count() >= 2
