"""Bulk writes: every type of field, empty values, and few parameters."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from django.apps.registry import Apps
from django.db import connection, models
from django.test.utils import CaptureQueriesContext

from delivery.models import bulk_write

pytestmark = pytest.mark.django_db(transaction=True)


class Sample(models.Model):
    """A row with a field of each type."""

    flag = models.BooleanField(null=True)
    small = models.SmallIntegerField(null=True)
    number = models.BigIntegerField(null=True)
    real = models.FloatField(null=True)
    exact = models.DecimalField(null=True, max_digits=20, decimal_places=6)
    word = models.CharField(null=True, max_length=40)  # noqa: DJ001 -- a test of NULL
    text = models.TextField(null=True)  # noqa: DJ001 -- a test of NULL
    key = models.UUIDField(null=True)
    moment = models.DateTimeField(null=True)
    day = models.DateField(null=True)
    hour = models.TimeField(null=True)
    pause = models.DurationField(null=True)
    document = models.JSONField(null=True)
    blob = models.BinaryField(null=True)
    address = models.GenericIPAddressField(null=True)

    objects: ClassVar[models.Manager[Sample]] = models.Manager()

    class Meta:
        apps = Apps()
        app_label = "delivery"

    def __str__(self) -> str:
        return f"Sample {self.pk}"


NAMES = [field.name for field in Sample._meta.concrete_fields if not field.primary_key]
FULL: list[dict[str, Any]] = [
    {
        "flag": True, "small": -32768, "number": 2**63 - 1, "real": 0.1, "exact": Decimal("12.340001"),
        "word": "O'Neil \\ \"Grace\" %s {}", "text": "Zoë\n\t\u2028🙏", "key": uuid.UUID(int=1),
        "moment": datetime(2026, 11, 30, 1, 57, 0, 123456, tzinfo=UTC), "day": date(2026, 2, 28),
        "hour": time(23, 59, 59, 5), "pause": timedelta(days=-1, microseconds=7),
        "document": {"a": [1, None, "x\"y", True]}, "blob": b"\x00\xff\\x", "address": "192.0.2.7",
    },
    {
        "flag": False, "small": 0, "number": -(2**63), "real": -1e300, "exact": Decimal("-0.5"),
        "word": "", "text": "NULL", "key": uuid.UUID(int=2**128 - 1),
        "moment": datetime(1999, 12, 31, tzinfo=UTC), "day": date(2026, 1, 1),
        "hour": time(0), "pause": timedelta(days=400, hours=3),
        "document": "a text", "blob": b"", "address": "2001:db8::1",
    },
    {
        "document": 1
    },
    {
        "document": True
    },
]  # fmt: skip


@pytest.fixture(autouse=True)
def table(db: None) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Sample)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Sample)


def samples() -> list[Sample]:
    return [Sample(**values) for values in FULL]


def stored() -> list[dict[str, Any]]:
    rows = list(Sample.objects.order_by("pk").values(*NAMES))
    for row in rows:
        row["blob"] = None if row["blob"] is None else bytes(row["blob"])
    return rows


def expected() -> list[dict[str, Any]]:
    return [dict.fromkeys(NAMES) | values for values in FULL]


def test_an_insert_keeps_every_type_and_empty_values() -> None:
    bulk_write.insert(samples(), using="default")
    assert stored() == expected()


def test_a_write_keeps_every_type_and_empty_values() -> None:
    Sample.objects.bulk_create([Sample() for _ in FULL])
    rows = samples()
    for row, pk in zip(
        rows, Sample.objects.order_by("pk").values_list("pk", flat=True), strict=True
    ):
        row.pk = pk
    assert bulk_write.write(rows, NAMES, using="default") == len(rows)
    assert stored() == expected()


def test_a_write_can_empty_every_field() -> None:
    bulk_write.insert(samples(), using="default")
    rows = [Sample(pk=pk) for pk in Sample.objects.values_list("pk", flat=True)]
    assert bulk_write.write(rows, NAMES, using="default") == len(rows)
    assert stored() == [dict.fromkeys(NAMES)] * len(FULL)


def test_a_write_of_equal_values_keeps_them() -> None:
    Sample.objects.bulk_create([Sample() for _ in range(3)])
    keys = list(Sample.objects.values_list("pk", flat=True))
    values = {name: [FULL[0][name]] * 2 for name in NAMES}
    assert bulk_write.write_values(Sample, keys[:2], values, using="default") == 2
    assert stored() == [*[FULL[0]] * 2, dict.fromkeys(NAMES)]


def test_a_missing_row_is_not_counted() -> None:
    bulk_write.insert(samples(), using="default")
    known = Sample.objects.order_by("pk").values_list("pk", flat=True)[0]
    values = {"word": ["here", "nowhere"]}
    assert bulk_write.write_values(Sample, [known, 2**40], values, using="default") == 1


def test_nothing_is_written_without_rows() -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert bulk_write.write([], NAMES, using="default") == 0
        bulk_write.insert([], using="default")
    assert not queries.captured_queries


def test_many_rows_take_one_statement() -> None:
    Sample.objects.bulk_create([Sample() for _ in range(600)])
    keys = list(Sample.objects.values_list("pk", flat=True))
    columns = {"number": keys, "word": [str(key) for key in keys], "text": ["alike"] * 600}
    with CaptureQueriesContext(connection) as queries:
        assert bulk_write.write_values(Sample, keys, columns, using="default") == 600
    assert len(queries) == 1
    assert list(Sample.objects.order_by("pk").values_list("number", "word", "text")) == [
        (key, str(key), "alike") for key in sorted(keys)
    ]


@pytest.mark.skipif(connection.vendor != "postgresql", reason="the parameters of PostgreSQL")
def test_the_number_of_parameters_does_not_grow_with_the_rows() -> None:
    given: list[int] = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        given.append(len(params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        bulk_write.insert(samples(), using="default")
        rows = list(Sample.objects.all())
        given.clear()
        bulk_write.write(rows, NAMES, using="default")
    assert given == [1]
