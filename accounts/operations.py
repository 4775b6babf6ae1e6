"""Migration operations that let a running site go on: on PostgreSQL nothing waits for a large table to be read.

Their migrations have `atomic = False`. Elsewhere (SQLite, one process) they are Django's ordinary ones.
"""

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import AddConstraint, AddIndex, RemoveIndex
from django.db.migrations.state import ProjectState
from django.db.models import CheckConstraint


def _is_postgresql(schema_editor: BaseDatabaseSchemaEditor) -> bool:
    return schema_editor.connection.vendor == "postgresql"


class AddIndexQuietly(AddIndex):
    """CREATE INDEX CONCURRENTLY. One that broke off leaves an invalid index: drop it, and migrate again."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        concurrently = {"concurrently": True} if _is_postgresql(schema_editor) else {}
        schema_editor.add_index(model, self.index, **concurrently)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        concurrently = {"concurrently": True} if _is_postgresql(schema_editor) else {}
        schema_editor.remove_index(model, self.index, **concurrently)


class RemoveIndexQuietly(RemoveIndex):
    """DROP INDEX CONCURRENTLY."""

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = from_state.apps.get_model(app_label, self.model_name)
        index = from_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        concurrently = {"concurrently": True} if _is_postgresql(schema_editor) else {}
        schema_editor.remove_index(model, index, **concurrently)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        model = to_state.apps.get_model(app_label, self.model_name)
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(self.name)
        concurrently = {"concurrently": True} if _is_postgresql(schema_editor) else {}
        schema_editor.add_index(model, index, **concurrently)


class AddCheckQuietly(AddConstraint):
    """A check that holds for new rows at once, and is then proven for the old ones without a lock on them."""

    constraint: CheckConstraint

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        if not _is_postgresql(schema_editor):
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        model = to_state.apps.get_model(app_label, self.model_name)
        table = schema_editor.quote_name(model._meta.db_table)
        schema_editor.execute(f"{self.constraint.create_sql(model, schema_editor)} NOT VALID", params=None)
        name = schema_editor.quote_name(self.constraint.name)
        schema_editor.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}", params=None)
