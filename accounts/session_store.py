"""Sessions in the database, as Django keeps them, read by a statement that is planned once: every page begins so."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore
from django.utils import timezone

from accounts.statements import Statement

_LOAD = Statement(
    "load_session",
    "SELECT session_data FROM django_session WHERE session_key = %(key)s AND expire_date > %(now)s",
    key="varchar",
    now="timestamptz",
)


class SessionStore(DatabaseStore):
    def load(self) -> dict[str, Any]:
        """What the session holds; one that is unknown or expired gets a new key when it is saved."""
        row = _LOAD.first(key=self.session_key or "", now=timezone.now())
        if row is None:
            self._session_key = None
            return {}
        return dict(self.decode(row[0]))
