"""`manage.py createsuperuser` makes the operator, asked or told."""

import getpass
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User

pytestmark = pytest.mark.django_db

PASSWORD = "correct horse battery staple"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_it_takes_everything_from_arguments_and_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command(
        "createsuperuser", "--no-input", email="operator@Example.ORG", full_name="Olive Operator", stdout=StringIO()
    )
    operator = User.objects.get()
    assert (operator.email, operator.full_name, operator.department) == ("operator@example.org", "Olive Operator", None)
    assert operator.is_superuser
    assert operator.is_staff
    assert operator.check_password(PASSWORD)


def test_it_says_what_is_missing() -> None:
    with pytest.raises(CommandError, match="full_name"):
        call_command("createsuperuser", "--no-input", email="operator@example.org", stdout=StringIO())


def test_it_asks_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["operator@example.org", "Olive Operator"])
    monkeypatch.setattr("builtins.input", lambda _question: next(answers))
    monkeypatch.setattr(getpass, "getpass", lambda *_question: PASSWORD)
    call_command("createsuperuser", stdin=Terminal(), stdout=StringIO())
    assert User.objects.get().check_password(PASSWORD)


def test_an_address_in_use_is_refused_in_whatever_letters(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError, match="already taken"):
        call_command(
            "createsuperuser", "--no-input", email=alice.email.upper(), full_name="Olive Operator", stdout=StringIO()
        )
