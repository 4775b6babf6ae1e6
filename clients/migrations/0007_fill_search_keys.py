"""What a search is held against, for the clients that are there: a few at a time, each batch a transaction of its own."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from clients.names import search_key

BATCH = 1_000


def fill(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    clients = apps.get_model("clients", "Client").objects.using(schema_editor.connection.alias)
    last = 0
    while batch := list(clients.filter(pk__gt=last, search_key="").exclude(last_name="").order_by("pk")[:BATCH]):
        for client in batch:
            client.search_key = search_key(client.first_name, client.last_name, client.id_number)
        clients.bulk_update(batch, ["search_key"], batch_size=200)
        last = batch[-1].pk


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("clients", "0006_former_and_unclaimed")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
