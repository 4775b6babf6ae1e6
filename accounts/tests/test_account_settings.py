"""One's own account: name, desk phone, e-mail confirmed by a link, password; invitations and forgotten passwords."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.core import mail as django_mail
from django.core import signing
from django.test import Client as Browser
from django.utils import timezone

from accounts import mail
from accounts.actions import own_account
from accounts.models import AuditEntry, OutgoingEmail, User
from tests.builders import PASSWORD, make_department, make_user

pytestmark = pytest.mark.django_db

PAGE = "/account/settings/"
NEW_PASSWORD = "quiet rivers run deep"


@pytest.fixture
def alice() -> User:
    return make_user(make_department(), "Alice Adams", email="alice@clientcomm.test")


@pytest.fixture
def browser(alice: User) -> Browser:
    browser = Browser()
    browser.force_login(alice)
    return browser


def profile(**changes: str) -> dict[str, str]:
    fields = {
        "full_name": "Alice Adams",
        "email": "alice@clientcomm.test",
        "desk_phone": "",
        "email_notifications": "at_once",
    } | changes
    return {f"profile-{name}": value for name, value in fields.items()} | {"save_profile": ""}


def password(old: str = PASSWORD, new: str = NEW_PASSWORD, again: str = NEW_PASSWORD) -> dict[str, str]:
    return {
        "password-old_password": old,
        "password-new_password1": new,
        "password-new_password2": again,
        "change_password": "",
    }


def link_in_last_mail() -> str:
    mail.deliver_due()
    found = re.search(r"http://testserver(/\S+)", str(django_mail.outbox[-1].body))
    assert found
    return found[1]


def test_signed_out_one_is_asked_to_sign_in() -> None:
    assert Browser().get(PAGE)["Location"] == f"/accounts/login/?next={PAGE}"


def test_name_and_desk_phone_change_at_once(browser: Browser, alice: User) -> None:
    browser.post(PAGE, profile(full_name="Alice Brown", desk_phone="801 555 0142 ext 12"))
    alice.refresh_from_db()
    assert (alice.full_name, alice.desk_phone) == ("Alice Brown", "+18015550142;ext=12")
    assert "(801) 555-0142 ext. 12" in browser.get(PAGE).content.decode()


def test_what_was_there_before_is_in_the_log(browser: Browser, alice: User) -> None:
    browser.post(PAGE, profile(full_name="Alice Brown"))
    entry = AuditEntry.objects.get(action="person.changed")
    assert (entry.by, entry.details) == (alice, {"before": {"full_name": "Alice Adams"}})


def test_mails_about_messages_are_at_once_unless_one_chooses_otherwise(browser: Browser, alice: User) -> None:
    assert alice.email_notifications == User.EmailNotifications.AT_ONCE
    browser.post(PAGE, profile(email_notifications="off"))
    alice.refresh_from_db()
    assert alice.email_notifications == User.EmailNotifications.OFF
    assert AuditEntry.objects.get().details == {"before": {"email_notifications": "at_once"}}
    page = browser.get(PAGE).content.decode()
    assert re.search(r'value="off"[^>]* checked', page)


def test_a_choice_that_is_not_there_is_refused(browser: Browser, alice: User) -> None:
    assert (
        "is not one of the available choices" in browser.post(PAGE, profile(email_notifications="x")).content.decode()
    )
    alice.refresh_from_db()
    assert alice.email_notifications == User.EmailNotifications.AT_ONCE


def test_saving_without_a_change_logs_and_mails_nothing(browser: Browser) -> None:
    browser.post(PAGE, profile())
    assert not AuditEntry.objects.exists()
    assert not OutgoingEmail.objects.exists()


def test_an_impossible_desk_phone_is_refused_and_kept_in_the_box(browser: Browser, alice: User) -> None:
    page = browser.post(PAGE, profile(desk_phone="555", full_name="Alice Brown")).content.decode()
    assert "has only 3 digits" in page
    assert 'value="555"' in page
    alice.refresh_from_db()
    assert alice.full_name == "Alice Adams"


def test_a_new_address_counts_once_its_link_was_followed_and_confirmed(browser: Browser, alice: User) -> None:
    browser.post(PAGE, profile(email="new@clientcomm.test"))
    link = link_in_last_mail()
    assert django_mail.outbox[-1].to == ["new@clientcomm.test"]
    browser.get(link)  # as a mail scanner does
    alice.refresh_from_db()
    assert alice.email == "alice@clientcomm.test"
    browser.post(link)
    alice.refresh_from_db()
    assert (alice.email, alice.pending_email) == ("new@clientcomm.test", "")
    mail.deliver_due()
    assert django_mail.outbox[-1].to == ["alice@clientcomm.test"]


def test_the_link_tells_no_address(browser: Browser) -> None:
    browser.post(PAGE, profile(email="new@clientcomm.test"))
    assert "clientcomm.test" not in signing.b64_decode(
        link_in_last_mail().split("/")[-2].split(":")[0].encode()
    ).decode("latin-1")


def test_a_link_works_once(browser: Browser) -> None:
    browser.post(PAGE, profile(email="new@clientcomm.test"))
    link = link_in_last_mail()
    browser.post(link)
    assert browser.post(link).status_code == 410


def test_a_later_change_makes_the_earlier_link_void(browser: Browser) -> None:
    browser.post(PAGE, profile(email="first@clientcomm.test"))
    first = link_in_last_mail()
    browser.post(PAGE, profile(email="second@clientcomm.test"))
    assert browser.post(first).status_code == 410


def test_a_link_is_too_old_after_a_day(browser: Browser) -> None:
    browser.post(PAGE, profile(email="new@clientcomm.test"))
    link = link_in_last_mail()
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert Browser().get(link).status_code == 410


def test_a_forged_link_changes_nothing() -> None:
    assert Browser().post("/accounts/email/abc:def:ghi/").status_code == 410


def test_an_address_that_somebody_has_is_refused(browser: Browser, alice: User) -> None:
    make_user(alice.department, "Bob", email="bob@clientcomm.test")
    page = browser.post(PAGE, profile(email="BOB@clientcomm.test")).content.decode()
    assert "Someone else has this e-mail address." in page
    assert not OutgoingEmail.objects.exists()


def test_an_address_that_was_taken_meanwhile_is_refused_at_the_link(browser: Browser, alice: User) -> None:
    browser.post(PAGE, profile(email="new@clientcomm.test"))
    link = link_in_last_mail()
    make_user(alice.department, "Bob", email="New@clientcomm.test")
    assert browser.post(link).status_code == 409
    alice.refresh_from_db()
    assert alice.email == "alice@clientcomm.test"


def test_the_password_changes_and_other_sessions_end(browser: Browser, alice: User) -> None:
    elsewhere = Browser()
    elsewhere.force_login(alice)
    browser.post(PAGE, password())
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert browser.get(PAGE).status_code == 200
    assert elsewhere.get(PAGE).status_code == 302


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (password(old="wrong"), "This is not your current password."),
        (password(new="short", again="short"), "too short"),
        (password(again="something else entirely"), "not the same"),
        (password(new="password1234", again="password1234"), "too common"),
    ],
)
def test_a_password_that_won_t_do_is_refused_with_the_reason(
    browser: Browser, alice: User, form: dict[str, str], words: str
) -> None:
    assert words in browser.post(PAGE, form).content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_no_password_is_in_the_log_or_a_mail(browser: Browser) -> None:
    browser.post(PAGE, password())
    entry = AuditEntry.objects.get(action="person.password_changed")
    assert entry.details == {}
    assert NEW_PASSWORD not in OutgoingEmail.objects.get().text_body


def test_an_invited_person_chooses_a_password_once(alice: User) -> None:
    person = make_user(alice.department, "Ned New")
    person.set_unusable_password()
    person.save()
    own_account.invite(person=person, by=alice, now=timezone.now())
    link, visitor = link_in_last_mail(), Browser()
    assert "Ned New" in visitor.get(link).content.decode()
    visitor.post(link, {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD})
    assert visitor.login(email=person.email, password=NEW_PASSWORD)
    assert Browser().get(link).status_code == 410


def test_an_invitation_lives_a_week(alice: User) -> None:
    own_account.invite(person=make_user(alice.department, "Ned New"), by=alice, now=timezone.now())
    link = link_in_last_mail()
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert Browser().get(link).status_code == 410


def test_a_forgotten_password_is_set_anew_by_a_mail(alice: User) -> None:
    visitor = Browser()
    visitor.post("/accounts/password/reset/", {"email": "Alice@clientcomm.test"})
    link = link_in_last_mail()
    page = visitor.get(link, follow=True)
    visitor.post(page.request["PATH_INFO"], {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD})
    alice.refresh_from_db()
    assert alice.check_password(NEW_PASSWORD)
    assert "older than an hour" in Browser().get(link, follow=True).content.decode()


def test_the_page_of_a_reset_link_says_what_a_good_password_is_and_what_is_wrong_with_one(alice: User) -> None:
    visitor = Browser()
    visitor.post("/accounts/password/reset/", {"email": alice.email})
    page = visitor.get(link_in_last_mail(), follow=True)
    assert "At least 12 characters." in page.content.decode()
    answer = visitor.post(page.request["PATH_INFO"], {"password1": "short", "password2": "short"})
    assert "too short" in answer.content.decode()
    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)


def test_a_reset_link_lives_an_hour() -> None:
    make_user(make_department(), "Bob", email="bob@clientcomm.test")
    Browser().post("/accounts/password/reset/", {"email": "bob@clientcomm.test"})
    link = link_in_last_mail()
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert "older than an hour" in Browser().get(link, follow=True).content.decode()


def test_the_answer_never_tells_whether_an_address_exists(alice: User) -> None:
    known, unknown = (
        Browser().post("/accounts/password/reset/", {"email": email}, follow=True)
        for email in (alice.email, "nobody@clientcomm.test")
    )
    strip = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')
    assert strip.sub("", known.content.decode()) == strip.sub("", unknown.content.decode())
    assert OutgoingEmail.objects.count() == 1


def test_a_closed_account_gets_no_reset_link(alice: User) -> None:
    alice.is_active = False
    alice.save()
    Browser().post("/accounts/password/reset/", {"email": alice.email})
    assert not OutgoingEmail.objects.exists()


def test_the_host_of_a_request_never_gets_into_a_mail(alice: User) -> None:
    Browser().post("/accounts/password/reset/", {"email": alice.email}, headers={"host": "127.0.0.1"})
    assert "http://testserver/accounts/password/reset/key/" in OutgoingEmail.objects.get().text_body
