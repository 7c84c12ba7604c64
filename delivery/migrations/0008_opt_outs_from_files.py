from django.db import migrations, models


class Migration(migrations.Migration):
    """A new source of opt-outs. The column stays as it is."""

    dependencies = [
        ("delivery", "0007_spend_and_stop_requests"),
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
