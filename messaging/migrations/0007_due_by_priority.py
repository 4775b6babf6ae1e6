from django.db import migrations, models
from django.db.models.functions import Coalesce, Greatest

from accounts.operations import AddIndexQuietly, RemoveIndexQuietly


class Migration(migrations.Migration):
    """The delivery loop looks for single texts, and for each department's of mass messages, apart. The old index goes
    last: workers of the version before use it while this runs.
    """

    atomic = False

    dependencies = [
        ("messaging", "0006_held_texts_are_told_of"),
    ]

    operations = [
        AddIndexQuietly(
            model_name="message",
            index=models.Index(
                Greatest("due_at", Coalesce("try_at", "due_at")),
                "id",
                condition=models.Q(("priority", 0), ("state", "waiting")),
                name="message_due_single",
            ),
        ),
        AddIndexQuietly(
            model_name="message",
            index=models.Index(
                "department",
                Greatest("due_at", Coalesce("try_at", "due_at")),
                "id",
                condition=models.Q(("priority", 10), ("state", "waiting")),
                name="message_due_mass",
            ),
        ),
        RemoveIndexQuietly(model_name="message", name="message_due"),
    ]
