from django.db import migrations, models

import koinonia.opt_out_words


class Migration(migrations.Migration):
    dependencies = [
        ("koinonia", "0006_what_is_due"),
    ]

    operations = [
        migrations.AddField(
            model_name="church",
            name="opt_out_words",
            # With a default of the database, so that the release before can add churches beside this one.
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Words that end the texts like STOP does, separated by commas: ALTO, PARAR, BAJA.",
                max_length=300,
                validators=[koinonia.opt_out_words.check],
            ),
        ),
    ]
