from django.db import migrations, models


class Migration(migrations.Migration):
    """Make the table of the counts of batches. ``delivery.kept_counts`` fills it after ``migrate``."""

    dependencies = [("delivery", "0012_fewer_indexes")]

    operations = [
        migrations.CreateModel(
            name="BatchCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("batch", models.BigIntegerField()),
                ("status", models.CharField(max_length=11)),
                ("shard", models.IntegerField()),
                ("number", models.BigIntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("batch", "status", "shard"), name="batch_count_once"
                    )
                ],
            },
        ),
    ]
