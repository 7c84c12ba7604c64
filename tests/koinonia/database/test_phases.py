"""``migrate --pre`` leaves the second phase to ``migrate``, which runs when the old processes have ended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, migrations, models
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from delivery import schema_changes
from koinonia.database import phases
from koinonia.health import readiness

PHASED = "tests.koinonia.database.phased"
LAST_WITHOUT_A_PHASE = {
    "delivery": "0013", "koinonia": "0010", "realtime": "0003", "throttling": "0002", "httpopt": "0001",
}  # fmt: skip
REMOVING = (
    migrations.RemoveField,
    migrations.DeleteModel,
    migrations.RemoveIndex,
    migrations.RemoveConstraint,
    migrations.RenameField,
    migrations.RenameModel,
)
LOCKING = {
    migrations.AddIndex: schema_changes.AddIndex,
    migrations.RemoveIndex: schema_changes.RemoveIndex,
}


def own_migrations() -> Iterator[Any]:
    for app, last in LAST_WITHOUT_A_PHASE.items():
        for file in sorted((Path(apps.get_app_config(app).path) / "migrations").glob("[0-9]*.py")):
            if file.stem[:4] > last:
                module = import_module(f"{app}.migrations.{file.stem}")
                yield pytest.param(module.Migration(file.stem, app), id=f"{app}.{file.stem}")


def check(migration: migrations.Migration) -> list[str]:
    """Return a sentence per break of the rules of ``docs/operations/migrations.md``."""
    if not re.match(r"\d{4}_(pre|post)_", migration.name):
        return ["Its name says no phase."]
    operations = list(migration.operations)
    created = {one.name_lower for one in operations if isinstance(one, migrations.CreateModel)}
    wrong = []
    for one in operations:
        on_new_table = getattr(one, "model_name_lower", "") in created
        if isinstance(one, migrations.AddField) and not on_new_table:
            field = one.field
            if not (field.null or field.has_db_default() or field.many_to_many):
                wrong.append(f"{one.name} has no default in the database.")
        if not phases.is_post(migration) and isinstance(one, REMOVING):
            wrong.append(f"{type(one).__name__} belongs to the second phase.")
        if type(one) in LOCKING and not on_new_table:
            wrong.append(f"{type(one).__name__} of Django stops writers: use schema_changes.")
    return wrong


def test_each_new_migration_names_its_phase_and_keeps_to_it() -> None:
    found = {
        f"{one.app_label}.{one.name}": wrong
        for (one,) in (parameter.values for parameter in own_migrations())
        if (wrong := check(one))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("name", "operation", "wrong"),
    [
        ("0099_more", migrations.DeleteModel("Hymn"), "phase"),
        ("0099_pre_more", migrations.DeleteModel("Hymn"), "second phase"),
        ("0099_pre_more", migrations.AddField("hymn", "title", models.TextField()), "default"),
        ("0099_pre_more", migrations.AddIndex("hymn", models.Index(fields=["id"], name="x")), "stops"),
        ("0099_post_more", migrations.DeleteModel("Hymn"), ""),
    ],
)  # fmt: skip
def test_a_migration_in_the_wrong_phase_is_named(name: str, operation: Any, wrong: str) -> None:
    migration = migrations.Migration(name, "phased")
    migration.operations = [operation]  # type: ignore[misc]  # the stubs say class variable
    found = check(migration)
    assert (wrong in " ".join(found)) if wrong else found == []


@pytest.fixture
def applied(transactional_db: None, settings: Any) -> Iterator[Any]:
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, PHASED]

    def names() -> list[str]:
        done = MigrationRecorder(connection).applied_migrations()
        return sorted(name for app, name in done if app == "phased")

    yield names
    call_command("migrate", "phased", "zero", verbosity=0)


def hide_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the app end with 0003, as in the release before."""
    load = MigrationLoader.load_disk

    def load_disk(loader: MigrationLoader) -> None:
        load(loader)
        loader.disk_migrations.pop(("phased", "0004_pre_verse"), None)

    monkeypatch.setattr(MigrationLoader, "load_disk", load_disk)


def test_the_second_phase_waits_and_readiness_does_not(
    applied: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readiness, "all_applied", type(readiness.all_applied)())
    with monkeypatch.context() as patch:
        hide_the_last(patch)
        with pytest.raises(readiness.NotReadyError):
            readiness.migrations()
        call_command("migrate", "--pre", verbosity=0)
        assert applied() == ["0001_initial", "0002_pre_title"]
        readiness.migrations()
        call_command("migrate", "--pre", verbosity=0)
        assert applied() == ["0001_initial", "0002_pre_title"]

    # The next release begins with what this one left.
    with pytest.raises(CommandError, match=r"phased\.0003_post_number belongs to"):
        call_command("migrate", "--pre", verbosity=0)
    call_command("migrate", verbosity=0)
    assert len(applied()) == 4


class _LockNotAvailableError(Exception):
    sqlstate = "55P03"


def test_an_atomic_migration_is_repeated_from_its_state_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[set[str]] = []

    def apply(_: Any, state: set[str], *__: Any, **___: Any) -> set[str]:
        states.append(set(state))
        state.add("changed")
        if len(states) < 3:
            raise OperationalError("canceled") from _LockNotAvailableError()
        return state

    class State(set[str]):
        def clone(self) -> State:
            return State(self)

    monkeypatch.setattr(MigrationExecutor, "apply_migration", apply)
    monkeypatch.setattr("delivery.schema_changes.time.sleep", lambda _: None)
    executor = phases.PatientExecutor.__new__(phases.PatientExecutor)
    executor.connection = SimpleNamespace(vendor="postgresql")  # type: ignore[assignment]
    migration = migrations.Migration("0099_pre_more", "phased")
    executor.apply_migration(State(), migration)  # type: ignore[arg-type]
    assert states == [set(), set(), set()]
