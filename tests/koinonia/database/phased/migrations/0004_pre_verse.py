from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("phased", "0003_post_number")]

    operations = [
        migrations.AddField("hymn", "verse", models.CharField(db_default="", max_length=9)),
    ]
