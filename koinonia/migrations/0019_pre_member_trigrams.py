import logging
from typing import Any

from django.db import DatabaseError, migrations, transaction

from delivery import schema_changes

logger = logging.getLogger(__name__)

_NAME = "member_trigrams"
_EXTENSIONS = ("btree_gin", "pg_trgm")


def build(apps: Any, schema_editor: Any) -> None:
    """Build the index, or leave it out where the extensions may not be created: a search then walks."""
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            for extension in _EXTENSIONS:
                cursor.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
    except DatabaseError as error:
        logger.warning(
            "The search of members has no index: its extensions of PostgreSQL cannot be created",
            extra={"action": "no_search_index", "error": type(error.__cause__).__name__},
        )
        return
    table = schema_editor.quote_name(apps.get_model("koinonia", "member")._meta.db_table)
    schema_changes.build_index(
        connection,
        _NAME,
        f"CREATE INDEX CONCURRENTLY {_NAME} ON {table}"
        " USING gin (church_id, search_key gin_trgm_ops, phone gin_trgm_ops)",
    )


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop the index. The extensions may serve others."""
    if schema_editor.connection.vendor == "postgresql":
        schema_changes.drop_index(schema_editor, _NAME)


class Migration(migrations.Migration):
    """Index the parts of names and numbers, for the search of members.

    The model does not declare the index: SQLite has none, and a server may lack the extensions.
    """

    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [("koinonia", "0018_pre_answers_and_keywords")]

    operations = [migrations.RunPython(build, drop, elidable=False)]
