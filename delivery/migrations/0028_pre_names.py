from django.db import migrations, models


class Migration(migrations.Migration):
    """Name models in the words of the desk. No statement runs: only labels of the admin change."""

    dependencies = [("delivery", "0027_pre_slowdowns")]

    operations = [
        migrations.AlterModelOptions(
            name="breakertransition",
            options={
                "ordering": ["-id"],
                "verbose_name": "change of an account",
                "verbose_name_plural": "changes of accounts",
            },
        ),
        migrations.AlterModelOptions(name="optout", options={"verbose_name": "opt-out"}),
        migrations.AlterModelOptions(
            name="retryrun",
            options={
                "ordering": ["-id"],
                "verbose_name": "retry",
                "verbose_name_plural": "retries",
            },
        ),
        migrations.AlterModelOptions(name="spendlimit", options={"verbose_name": "daily cap"}),
        migrations.AlterModelOptions(name="webhookevent", options={"verbose_name": "webhook"}),
        migrations.AlterField(
            model_name="spendlimit",
            name="cap",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="The most parts that go out in any 24 hours; the other texts wait. A part is 160 "
                "plain letters, or 70 with others such as emoji. A higher number lets waiting texts go at "
                "once. 0: nothing is sent. Empty: the default of the installation (DAILY_PARTS).",
                null=True,
                verbose_name="parts in 24 hours",
            ),
        ),
    ]
