from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the tables of alerts, which the release before does not know."""

    dependencies = [("koinonia", "0022_pre_devices_of_sessions")]

    operations = [
        migrations.CreateModel(
            name="AlertClock",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=10, unique=True)),
                ("next_at", models.DateTimeField()),
                ("hour", models.DateTimeField()),
                ("said", models.PositiveSmallIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Alert",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("key", models.CharField(max_length=120)),
                ("rule", models.CharField(max_length=20)),
                ("sentence", models.CharField(max_length=500)),
                ("what_to_do", models.CharField(max_length=500)),
                ("since", models.DateTimeField()),
                ("seen_at", models.DateTimeField()),
                ("said_at", models.DateTimeField(blank=True, null=True)),
                ("over_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [models.Index(fields=["over_at"], name="alert_by_end")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(over_at__isnull=True),
                        fields=["key"],
                        name="alert_once_per_trouble",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AlertNotice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[("mail", "E-mail"), ("webhook", "Webhook")], max_length=7
                    ),
                ),
                ("body", models.JSONField()),
                ("made_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
                ("given_up_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.CharField(blank=True, max_length=60)),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(sent_at__isnull=True, given_up_at__isnull=True),
                        fields=["due_at"],
                        name="alert_notice_due",
                    )
                ],
            },
        ),
    ]
