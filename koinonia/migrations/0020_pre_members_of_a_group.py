from typing import Any

from django.db import migrations

from delivery import schema_changes

_NAME = "members_of_a_group"


def build(apps: Any, schema_editor: Any) -> None:
    through = apps.get_model("koinonia", "member")._meta.get_field("groups").remote_field.through
    table = schema_editor.quote_name(through._meta.db_table)
    columns = f"{table} (group_id, member_id)"
    if schema_editor.connection.vendor == "postgresql":
        schema_changes.build_index(
            schema_editor.connection, _NAME, f"CREATE INDEX CONCURRENTLY {_NAME} ON {columns}"
        )
    else:
        schema_editor.execute(f"CREATE INDEX {_NAME} ON {columns}")


def drop(apps: Any, schema_editor: Any) -> None:
    schema_changes.drop_index(schema_editor, _NAME)


class Migration(migrations.Migration):
    """Index the members of a group in their order, for its page.

    Django makes the table of the relation, so no model can declare the index. Without it, PostgreSQL read
    the memberships of all groups until it had a page.
    """

    # CREATE INDEX CONCURRENTLY runs outside of transactions.
    atomic = False

    dependencies = [("koinonia", "0019_pre_member_trigrams")]

    operations = [migrations.RunPython(build, drop, elidable=False)]
