from django.core.validators import MinValueValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add a column that may be empty: no row is written, and the release before need not know it."""

    dependencies = [("koinonia", "0010_indexes_for_ten_million")]

    operations = [
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
