from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0002_deadletter"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                condition=models.Q(("status", "unknown")),
                fields=["dead_since"],
                name="message_unknown",
            ),
        ),
    ]
