from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0005_kept_at_the_carrier_indexes"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="held_told_at",
            field=models.DateTimeField(
                blank=True, help_text="Since when it had been held when its author was told.", null=True
            ),
        ),
    ]
