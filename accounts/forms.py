"""What people type about themselves."""

from typing import Any

from allauth.account.forms import ResetPasswordKeyForm
from django import forms
from django.contrib.auth.forms import PasswordChangeForm as DjangoPasswordChangeForm
from django.contrib.auth.forms import SetPasswordForm as DjangoSetPasswordForm
from django.utils.translation import gettext_lazy as _

from accounts import phone_numbers
from accounts.models import User

PASSWORD_HELP = _("At least 12 characters. A few words in a row are easy to remember and hard to guess.")
NOT_THE_SAME = _("The two new passwords are not the same.")


class ProfileForm(forms.Form):
    """Name, e-mail, desk phone and mails of the person who asks."""

    full_name = forms.CharField(
        label=_("Full name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("A new address counts once you follow the link that we send there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    desk_phone = forms.CharField(
        label=_("Desk phone"),
        max_length=40,
        required=False,
        help_text=_("Optional. Where calls to the ClientComm number are to ring."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel-extension", "inputmode": "tel"}),
    )

    email_notifications = forms.ChoiceField(
        label=_("E-mail me about new messages"),
        choices=User.EmailNotifications.choices,
        help_text=_(
            "E-mails say who wrote, never what. At once: at most one in ten minutes for each client. "
            "The summary comes at 8:00 am, if there is anything you have not read."
        ),
        widget=forms.RadioSelect,
    )

    def __init__(self, data: Any = None, *, user: User) -> None:
        self.user = user
        initial = {
            "email_notifications": user.email_notifications,
            "full_name": user.full_name,
            "email": user.email,
            "desk_phone": phone_numbers.display_desk(user.desk_phone),
        }
        super().__init__(data, initial=initial, prefix="profile")

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"].lower()  # signing in looks for small letters only
        if User.objects.filter(email__iexact=email).exclude(pk=self.user.pk).exists():
            raise forms.ValidationError(_("Someone else has this e-mail address."))
        return email

    def clean_desk_phone(self) -> str:
        typed: str = self.cleaned_data["desk_phone"]
        try:
            return phone_numbers.parse_desk(typed) if typed else ""
        except phone_numbers.NotAPhoneNumber as error:
            raise forms.ValidationError(str(error)) from error


class PasswordChangeForm(DjangoPasswordChangeForm):
    """The current password and a new one, twice."""

    error_messages = {  # noqa: RUF012  # as the parent declares it
        "password_mismatch": NOT_THE_SAME,
        "password_incorrect": _("This is not your current password."),
    }

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(user, data, prefix="password")
        self.fields["old_password"].label = _("Current password")
        self.fields["old_password"].widget.attrs.pop("autofocus", None)
        _word(self.fields["new_password1"], self.fields["new_password2"])


class ChoosePasswordForm(DjangoSetPasswordForm):  # type: ignore[type-arg]  # generic in its stubs only
    """A first password, twice."""

    error_messages = {"password_mismatch": NOT_THE_SAME}  # noqa: RUF012  # as above

    def __init__(self, user: User, data: Any = None) -> None:
        super().__init__(user, data)
        _word(self.fields["new_password1"], self.fields["new_password2"])


class ResetPasswordForm(ResetPasswordKeyForm):  # type: ignore[misc]  # allauth ships no types
    """A new password instead of a forgotten one, twice."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word(self.fields["password1"], self.fields["password2"])


def _word(new: forms.Field, again: forms.Field) -> None:
    """The same words wherever a password is chosen."""
    new.label, new.help_text = _("New password"), PASSWORD_HELP
    again.label, again.help_text = _("New password again"), ""
    for field in (new, again):
        field.widget.attrs.pop("placeholder", None)
