"""Migrations in two phases: ``NNNN_pre_…`` before the new processes, ``NNNN_post_…`` after the old ones."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.core.management.base import CommandError
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState

from delivery import schema_changes

_POST = re.compile(r"\d{4}_post_")

Targets = Sequence[tuple[str, str | None]] | set[tuple[str, str]]
Plan = list[tuple[Migration, bool]]


def is_post(migration: Migration) -> bool:
    """Return whether the migration waits until the processes of the release before have ended."""
    return bool(_POST.match(migration.name))


class PatientExecutor(MigrationExecutor):
    """Repeat an atomic migration whose locks were not free within the timeout."""

    def apply_migration(
        self,
        state: ProjectState,
        migration: Migration,
        fake: bool = False,
        fake_initial: bool = False,
    ) -> ProjectState:
        apply = super().apply_migration
        if not self._may_repeat(migration):
            return apply(state, migration, fake=fake, fake_initial=fake_initial)
        # A try that failed has changed the state that it was given.
        return schema_changes.repeat(
            lambda: apply(state.clone(), migration, fake=fake, fake_initial=fake_initial)
        )

    def unapply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False
    ) -> ProjectState:
        unapply = super().unapply_migration
        if not self._may_repeat(migration):
            return unapply(state, migration, fake=fake)
        return schema_changes.repeat(lambda: unapply(state.clone(), migration, fake=fake))

    def _may_repeat(self, migration: Migration) -> bool:
        return migration.atomic and self.connection.vendor == "postgresql"


class PreExecutor(PatientExecutor):
    """Leave out what must wait for the end of the old processes."""

    def migration_plan(self, targets: Targets, clean_start: bool = False) -> Plan:
        plan = super().migration_plan(targets, clean_start)
        applied = self.loader.applied_migrations
        waiting = {
            (one.app_label, one.name)
            for one, backwards in plan
            if is_post(one) and not backwards and (one.app_label, one.name) not in applied
        }
        kept = [step for step in plan if (step[0].app_label, step[0].name) not in waiting]
        for one, _ in kept:
            before = self.loader.graph.forwards_plan((one.app_label, one.name))
            if left := sorted(waiting.intersection(before)):
                raise CommandError(
                    f"{'.'.join(left[0])} belongs to an earlier release: run `migrate` without --pre "
                    "when no process of the release before that one runs."
                )
        return kept
