"""One's own account: settings, links from mails, a first password."""

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.actions import own_account
from accounts.forms import ChoosePasswordForm, PasswordChangeForm, ProfileForm
from accounts.models import User


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def account_settings(request: HttpRequest) -> HttpResponse:
    """Two forms on one page; the button that was pressed says which one is meant."""
    user = request.user
    assert isinstance(user, User)
    sent = request.POST if request.method == "POST" else None
    is_password = sent is not None and "change_password" in sent
    profile_form = ProfileForm(None if is_password else sent, user=user)
    password_form = PasswordChangeForm(user, sent if is_password else None)
    if is_password and password_form.is_valid():
        return _change_password(request, user, password_form)
    if profile_form.is_valid():
        return _change_profile(request, user, profile_form)
    # A form that failed has written what was typed onto the person: the page shows who they are.
    context = {"profile_form": profile_form, "password_form": password_form}
    return render(request, "account/settings.html", context)


def _change_profile(request: HttpRequest, user: User, form: ProfileForm) -> HttpResponse:
    is_mailed = own_account.change_profile(by=user, now=timezone.now(), **form.cleaned_data)
    if is_mailed:
        messages.info(
            request,
            _("Saved. We sent a link to %(email)s: the new address counts once you follow it.")
            % {"email": form.cleaned_data["email"]},
        )
    else:
        messages.success(request, _("Saved."))
    return redirect("account-settings")


def _change_password(request: HttpRequest, user: User, form: PasswordChangeForm) -> HttpResponse:
    own_account.change_password(by=user, new_password=form.cleaned_data["new_password1"], now=timezone.now())
    update_session_auth_hash(request, user)
    messages.success(request, _("Your password is changed. Wherever else you were signed in, you are signed out."))
    return redirect("account-settings")


@login_not_required
@require_http_methods(["GET", "POST"])
def confirm_email(request: HttpRequest, token: str) -> HttpResponse:
    """The link in a mail to a new address. Mail scanners follow links, so only the button on the page counts."""
    try:
        if request.method == "POST":
            user = own_account.confirm_email(token=token, now=timezone.now())
            messages.success(request, _("Your e-mail address is now %(email)s.") % {"email": user.email})
            return redirect("account-settings")
        change = own_account.read_email_change(token)
    except own_account.LinkNotGood:
        return render(request, "account/link_not_good.html", status=410)
    except own_account.AddressTaken:
        return render(request, "account/link_not_good.html", {"is_taken": True}, status=409)
    return render(request, "account/confirm_email.html", {"change": change})


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponse:
    """Where an invited person chooses a first password."""
    try:
        person = own_account.read_invitation(token)
    except own_account.LinkNotGood:
        return render(request, "account/link_not_good.html", {"is_invitation": True}, status=410)
    form = ChoosePasswordForm(person, request.POST if request.method == "POST" else None)
    if form.is_valid():
        own_account.accept_invitation(
            person=person, new_password=form.cleaned_data["new_password1"], now=timezone.now()
        )
        messages.success(request, _("Your password is set. Sign in with it."))
        return redirect("account_login")
    return render(request, "account/invitation.html", {"form": form, "person": person})
