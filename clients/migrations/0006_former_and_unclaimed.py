"""Two indexes for lists, made without keeping anybody waiting."""

from django.db import migrations, models

from accounts.operations import AddIndexQuietly


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clients", "0005_caseload")]

    operations = [
        AddIndexQuietly(
            model_name="caseassignment",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", False)),
                fields=["case_manager", "-ended_at", "-id"],
                name="assignment_former",
            ),
        ),
        AddIndexQuietly(
            model_name="caseassignment",
            index=models.Index(
                condition=models.Q(("case_manager__isnull", True), ("ended_at__isnull", True)),
                fields=["started_at", "id"],
                name="assignment_unclaimed",
            ),
        ),
    ]
