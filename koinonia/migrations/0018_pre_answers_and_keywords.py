import django.db.models.deletion
from django.core.validators import MinValueValidator
from django.db import migrations, models

from delivery import schema_changes


def _column(model: str, name: str, field: models.Field) -> schema_changes.AddField:
    return schema_changes.AddField(model_name=model, name=name, field=field)


def _words() -> models.TextField:
    return models.TextField(blank=True, db_default="", default="")


class Migration(migrations.Migration):
    """Add keywords, and the columns of automatic answers and of the settings of a church.

    Each column is empty or has a default in the database: no row is written, and the release before
    need not know it.
    """

    atomic = False

    dependencies = [("koinonia", "0017_pre_member_files_and_doubles")]

    operations = [
        _column(
            "church",
            "language",
            models.CharField(
                choices=[("en", "English"), ("es", "Español")],
                db_default="en",
                default="en",
                max_length=7,
            ),
        ),
        _column(
            "church",
            "signature",
            models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
        _column(
            "church",
            "part_price",
            models.DecimalField(
                blank=True,
                decimal_places=4,
                help_text="The price of one part of a text. Empty: as the installation.",
                max_digits=7,
                null=True,
                validators=[MinValueValidator(0)],
            ),
        ),
        _column("church", "office_hours", models.JSONField(blank=True, null=True)),
        _column(
            "church", "answers_when_closed", models.BooleanField(db_default=False, default=False)
        ),
        _column("church", "closed_answer", _words()),
        _column(
            "church", "answers_first_contact", models.BooleanField(db_default=False, default=False)
        ),
        _column("church", "first_contact_answer", _words()),
        _column("group", "welcome_text", _words()),
        _column("conversation", "answered_at", models.DateTimeField(blank=True, null=True)),
        migrations.CreateModel(
            name="Keyword",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=30)),
                ("key", models.CharField(editable=False, max_length=64)),
                ("answer", models.TextField(blank=True, default="")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("version", models.BigIntegerField(default=1, editable=False)),
                (
                    "church",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keywords",
                        to="koinonia.church",
                    ),
                ),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="keywords",
                        to="koinonia.group",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("church", "key"), name="keyword_once_per_church"
                    )
                ],
            },
        ),
    ]
