from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0005_calls_beyond_32767"),
    ]

    # With defaults of the database: the release before this one writes rows beside it.
    operations = [
        migrations.AddField(
            model_name="message",
            name="template",
            field=models.TextField(blank=True, default="", db_default=""),
        ),
        migrations.AddField(
            model_name="message",
            name="recipient_gone",
            field=models.BooleanField(default=False, db_default=False),
        ),
    ]
