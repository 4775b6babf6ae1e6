"""Statements by hand: the same answers on both databases, planned once a connection on PostgreSQL."""

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts import statements
from accounts.models import User
from accounts.statements import PlannedQuery, Statement
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


@pytest.mark.postgresql
def test_plans_are_forgotten_after_a_while(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planned while a table is nearly empty, a statement reads all of it; some time later it takes the index."""
    by_name = Statement("test_by_name", "SELECT count(*) FROM filling WHERE name = %(name)s", name="text")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute("CREATE TEMPORARY TABLE filling (id int, name text) ON COMMIT DROP")
        cursor.execute("CREATE INDEX ON filling (name)")
        cursor.execute("INSERT INTO filling VALUES (0, '0')")
        cursor.execute("ANALYZE filling")
        assert by_name.first(name="7") == (0,)
        cursor.execute("INSERT INTO filling SELECT n, n::text FROM generate_series(1, 20000) AS n")
        assert by_name.first(name="7") == (1,)
        assert "Seq Scan" in plan_of(by_name)
        monkeypatch.setattr(statements, "PLANS_LAST", 0.0)
        assert by_name.first(name="7") == (1,)
        assert "Seq Scan" not in plan_of(by_name)


def plan_of(statement: Statement) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN EXECUTE {statement._name} ('7')")
        return "\n".join(line for (line,) in cursor.fetchall())


def build(department: int, before: datetime) -> QuerySet[User]:
    people = User.objects.select_related("department").filter(department=department, date_joined__lt=before)
    return people.exclude(full_name="it's me").annotate(office=F("department__name")).order_by("full_name", "pk")


def test_a_planned_query_finds_what_the_orm_finds(alice: User, django_assert_num_queries: Any) -> None:
    department, other, now = builders.make_department(), builders.make_department(), timezone.now()
    for name in ("Percy 100 % \\", "it's me", "Zoë Ünïcödé 😀"):
        builders.make_user(department, name, date_joined=now - timedelta(microseconds=1))
    builders.make_user(department, date_joined=now)
    builders.make_user(other, date_joined=now - timedelta(days=1))
    query = PlannedQuery("test_planned", build, department="bigint", before="timestamptz")
    for pk, count in ((department.pk, 2), (other.pk, 1), (0, 0)):
        expected = list(build(pk, now))
        with django_assert_num_queries(1):
            found = query.all(department=pk, before=now)
            assert [described(person) for person in found] == [described(person) for person in expected]
        assert len(found) == count
        assert query.first(department=pk, before=now) == (expected[0] if expected else None)


def described(person: Any) -> list[object]:
    """All its columns and those of the department that came with it."""
    both = (person, person.department)
    columns = [[getattr(one, field.attname) for field in one._meta.concrete_fields] for one in both]
    return [*columns, person.office, person._state.adding, person._state.db]


@pytest.mark.postgresql
def test_a_planned_query_is_built_once(alice: User) -> None:
    built = []

    def build(pk: int) -> QuerySet[User]:
        built.append(pk)
        return User.objects.filter(pk=pk)

    query = PlannedQuery("test_once", build, pk="bigint")
    assert [query.first(pk=alice.pk), query.first(pk=0), query.first(pk=alice.pk)] == [alice, None, alice]
    assert len(built) == 1
