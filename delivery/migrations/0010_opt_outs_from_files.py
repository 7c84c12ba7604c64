from django.db import migrations, models


class Migration(migrations.Migration):
    """A new source of opt-outs. The column stays as it is."""

    dependencies = [
        ("delivery", "0005_calls_beyond_32767"),
    ]

    operations = [
        migrations.AlterField(
            model_name="optout",
            name="source",
            field=models.CharField(
                choices=[
                    ("keyword", "Keyword"),
                    ("provider", "Provider"),
                    ("staff", "Staff"),
                    ("file", "File"),
                ],
                max_length=8,
            ),
        ),
    ]
