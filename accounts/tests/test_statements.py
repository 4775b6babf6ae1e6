"""Statements by hand: the same answers on both databases, planned once a connection on PostgreSQL."""

import uuid

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.statements import Statement
from tests import builders

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]

ANSWER = Statement(
    "test_answer", "SELECT %(number)s + 1, %(word)s WHERE %(word)s <> 'no'", number="integer", word="text"
)
RENAME = Statement(
    "test_rename",
    "UPDATE accounts_department SET name = %(name)s, created_at = %(at)s WHERE id = %(pk)s",
    name="text",
    at="timestamptz",
    pk="bigint",
)


def prepared() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'test_%'")
        return int(cursor.fetchone()[0])


def test_the_first_row_is_the_answer_and_nothing_if_there_is_none() -> None:
    assert ANSWER.first(number=41, word='it\'s 100 % \\ "quoted"') == (42, 'it\'s 100 % \\ "quoted"')
    assert ANSWER.first(number=41, word="no") is None


def test_it_writes_texts_ids_and_times_as_the_orm_does() -> None:
    department, at = builders.make_department(), timezone.now()
    RENAME.run(pk=department.pk, name="Ünïcödé 😀", at=at)
    department.refresh_from_db()
    assert (department.name, department.created_at) == ("Ünïcödé 😀", at)


def test_an_id_is_found_as_the_orm_writes_it(alice: User) -> None:
    message = builders.make_incoming(builders.make_client(alice))
    find = Statement("test_find", "SELECT id FROM messaging_message WHERE public_id = %(public_id)s", public_id="uuid")
    assert find.first(public_id=message.public_id) == (message.pk,)
    assert find.first(public_id=uuid.uuid4()) is None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_connection_prepares_it_once_and_a_new_connection_again() -> None:
    connection.close()
    assert prepared() == 0
    assert [ANSWER.first(number=1, word="a"), ANSWER.first(number=2, word="a")] == [(2, "a"), (3, "a")]
    assert prepared() == 1
    connection.close()
    assert ANSWER.first(number=1, word="a") == (2, "a")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_it_outlives_the_transaction_that_it_was_prepared_in() -> None:
    connection.close()
    with transaction.atomic():
        ANSWER.first(number=1, word="a")
        transaction.set_rollback(True)
    assert ANSWER.first(number=1, word="a") == (2, "a")


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_what_cannot_be_prepared_is_an_error_of_the_database_like_any_other() -> None:
    with pytest.raises(DatabaseError):
        Statement("test_wrong", "SELECT nothing FROM nowhere").run()
