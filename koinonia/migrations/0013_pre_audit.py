import django.core.serializers.json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Add the audit log, a table that the release before need not know."""

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("koinonia", "0012_pre_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("username", models.CharField(max_length=150)),
                ("action", models.CharField(max_length=40)),
                ("subject_kind", models.CharField(blank=True, max_length=40)),
                ("subject_key", models.BigIntegerField(null=True)),
                ("subject_label", models.CharField(blank=True, max_length=100)),
                (
                    "detail",
                    models.JSONField(
                        default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "church",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="koinonia.church",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "indexes": [
                    models.Index(fields=["church", "-id"], name="audit_of_church"),
                    models.Index(fields=["at"], name="audit_by_age"),
                ],
            },
        ),
    ]
