from django.db import migrations


class Migration(migrations.Migration):
    """Add the permissions to find any message, and to reveal its number and text. No table changes."""

    dependencies = [("delivery", "0024_pre_support_desk")]

    operations = [
        migrations.AlterModelOptions(
            name="message",
            options={
                "permissions": [
                    (
                        "find_message",
                        "Can find any message by its number, with number and text hidden",
                    ),
                    ("reveal_message", "Can reveal number and text of any message"),
                ]
            },
        ),
    ]
