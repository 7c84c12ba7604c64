from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("delivery", "0004_message_between"),
    ]

    operations = [
        migrations.AlterField(
            model_name="message",
            name="calls",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AlterField(
            model_name="attempt",
            name="number",
            field=models.PositiveIntegerField(),
        ),
    ]
