from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phased", "0001_initial")]

    operations = [
        migrations.AddField("hymn", "title", models.CharField(db_default="", max_length=9)),
    ]
