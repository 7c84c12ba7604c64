from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Counter",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant",
                        "collection",
                        "shard",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("tenant", models.BigIntegerField()),
                ("collection", models.CharField(max_length=50)),
                ("shard", models.BigIntegerField()),
                ("value", models.BigIntegerField()),
            ],
        ),
    ]
