from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection


@pytest.mark.django_db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="needs SQLite")
def test_sqlite_is_not_copied_into_sqlite(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="DATABASE_URL names no PostgreSQL database"):
        call_command("copy_sqlite", str(tmp_path / "any.sqlite3"))
