"""The operator, and a browser in which the operator has signed in."""

import pytest
from django.test import Client as Browser

from accounts.models import User
from conftest import signed_in
from tests import builders


@pytest.fixture
def operator(db: None) -> User:
    return builders.make_user(None, "Olive Operator", is_superuser=True, is_staff=True)


@pytest.fixture
def as_operator(operator: User) -> Browser:
    return signed_in(operator)
