"""Who is behind a session: the person and the department in one query, for every page needs both."""

from allauth.account.auth_backends import AuthenticationBackend as AllauthBackend

from accounts.models import User
from accounts.statements import PlannedQuery

_USER = PlannedQuery("user_of_session", lambda pk: User.objects.select_related("department").filter(pk=pk), pk="bigint")


class AuthenticationBackend(AllauthBackend):  # type: ignore[misc]  # allauth ships no types
    def get_user(self, user_id: int) -> User | None:
        """The person, or None if the account is closed: a disabled person is out at the next request."""
        user = _USER.first(pk=user_id)
        return user if user is not None and self.user_can_authenticate(user) else None
