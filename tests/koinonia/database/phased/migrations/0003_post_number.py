from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phased", "0002_pre_title")]

    operations = [
        migrations.AddField("hymn", "number", models.CharField(db_default="", max_length=9)),
    ]
