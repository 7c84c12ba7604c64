from django.core.validators import MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add a column that may be empty, and a small table: no row is written, and the release before
    need not know them."""

    dependencies = [("koinonia", "0010_indexes_for_ten_million")]

    operations = [
        migrations.CreateModel(
            name="PersonRequest",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[("export", "Export"), ("erasure", "Erasure")], max_length=7
                    ),
                ),
                ("digest", models.CharField(max_length=64)),
                ("churches", models.JSONField()),
                ("by", models.CharField(max_length=150)),
                ("at", models.DateTimeField()),
                ("counts", models.JSONField()),
            ],
            options={"ordering": ["-id"]},
        ),
        migrations.AddField(
            model_name="church",
            name="keep_texts_days",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Days after which texts are deleted, at least 35. Empty: as the installation (KEEP_TEXTS_DAYS).",
                null=True,
                validators=[MinValueValidator(35)],
            ),
        ),
    ]
