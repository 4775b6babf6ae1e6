"""How allauth behaves here: nobody registers themselves, and its mails are rows like all others."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import audit, mail
from accounts.models import User


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    error_messages: ClassVar = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("The e-mail address or the password is not correct."),
        "too_many_login_attempts": _("Too many wrong tries. Wait five minutes, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Sign-up is closed: an administrator adds a person."""
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Puts the mail into the outbox; the page answers the same, and as fast, whether the address exists or not."""
        mail.queue(template_prefix, to=email, context=context, now=timezone.now())

    def send_notification_mail(
        self, template_prefix: str, user: User, context: dict[str, Any] | None = None, email: str | None = None
    ) -> None:
        """Tells a person what was done to the account, at the address by which they sign in."""
        self.send_mail(template_prefix, email or user.email, {"user": user, **(context or {})})

    def set_password(self, user: User, password: str) -> None:
        """Only by the link of a forgotten password: the account settings have an action of their own."""
        super().set_password(user, password)
        audit.record(
            "person.password_reset", f"user:{user.pk}", by=user, department=user.department, now=timezone.now()
        )

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The address in the mail: from the settings, since the Host of the request that asked may be forged."""
        uid, _dash, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.PUBLIC_URL}{path}"
