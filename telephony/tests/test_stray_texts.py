"""Texts that find no place in any conversation are kept as they came, and tried again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from accounts.models import Department
from clients.models import CaseAssignment, Client
from messaging import opt_outs
from messaging.actions import receiving as actions
from messaging.models import Message
from telephony import receiving
from telephony.models import StrayText
from telephony.tests import wire
from telephony.tests.everything_logged import everything_logged
from telephony.tests.wire import INBOUND, assert_taken, inbound_form, new_sid, post
from tests.builders import make_client, make_department, make_user, number_of
from tests.threads import at_once

Reason = StrayText.Reason

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def department() -> Department:
    return make_department(phone_number=wire.OUR_NUMBER)


@pytest.fixture
def maria(department: Department) -> CaseAssignment:
    return make_client(make_user(department), address=wire.THEIR_NUMBER)


def take_as_stray(**changes: str | None) -> StrayText:
    """Posts a text and gives the one stray text it became."""
    assert_taken(post(INBOUND, inbound_form(**changes)))
    assert not Message.objects.exists()
    return StrayText.objects.get()


@pytest.mark.parametrize("sender", [None, "", "   ", "\0"])
def test_a_text_of_nobody_is_a_stray_text(sender: str | None) -> None:
    stray = take_as_stray(From=sender, Body="who am I?")
    assert stray.reason == Reason.NO_SENDER
    assert stray.form["Body"] == ["who am I?"]
    assert not Message.objects.exists()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_stray_text_that_comes_twenty_times_at_once_is_kept_once() -> None:
    form = inbound_form(To="+19995550100")
    for response in at_once(lambda: post(INBOUND, form), times=20):
        assert_taken(response)
    assert StrayText.objects.count() == 1


@pytest.mark.parametrize("number", [None, "", "+19995550100", "8015550100", "whatsapp:+18015550100", "x" * 300])
def test_a_text_to_a_number_of_no_department_is_a_stray_text(number: str | None) -> None:
    sid = new_sid()
    stray = take_as_stray(To=number, MessageSid=sid)
    assert (stray.reason, stray.carrier_id) == (Reason.NO_DEPARTMENT, sid)
    assert stray.form["Body"] == ["Running late"]
    assert stray.form.get("To", [None]) == [number]


def test_a_stray_text_keeps_every_value_of_every_parameter_but_nul() -> None:
    pairs = [*inbound_form(To="+19995550100", Body="nul\0 bell\x07").items(), ("AddOns", "1"), ("AddOns", "2\0")]
    assert_taken(post(INBOUND, [*pairs, ("na\0me", "value")]))
    form = StrayText.objects.get().form
    assert form["Body"] == ["nul bell\x07"]
    assert form["AddOns"] == ["1", "2"]
    assert form["name"] == ["value"]


@pytest.mark.parametrize("sids", [{"MessageSid": None, "SmsSid": None}, {"MessageSid": "", "SmsSid": ""}])
def test_a_text_without_an_id_is_kept_once_by_what_is_in_it(sids: dict[str, str | None]) -> None:
    form = inbound_form(SmsMessageSid=None, **sids)
    assert_taken(post(INBOUND, form))
    assert_taken(post(INBOUND, form))
    stray = StrayText.objects.get()
    assert (stray.reason, len(stray.carrier_id)) == (Reason.FAILED, 64)
    assert_taken(post(INBOUND, {**form, "Body": "another"}))
    assert StrayText.objects.count() == 2


def test_an_id_that_is_too_long_is_a_stray_text() -> None:
    stray = take_as_stray(MessageSid="SM" + "f" * 100)
    assert (stray.reason, stray.carrier_id) == (Reason.FAILED, "SM" + "f" * 62)


def test_a_stray_text_is_called_by_its_number_and_not_by_its_words() -> None:
    stray = take_as_stray(From="", Body="I am hiding")
    assert str(stray) == f"stray text {stray.pk}"


def test_an_empty_form_is_a_stray_text() -> None:
    assert_taken(post(INBOUND, {}))
    assert StrayText.objects.get().form == {}


class Receiving:
    """Stands in for the action: raises what it is told to, or passes the text on."""

    def __init__(self, action: Callable[..., Message]) -> None:
        self._action = action
        self.error: Exception | None = None

    def __call__(self, **arguments: Any) -> Message:
        if self.error is not None:
            raise self.error
        return self._action(**arguments)


@pytest.fixture
def receive_text(monkeypatch: pytest.MonkeyPatch) -> Receiving:
    stand_in = Receiving(actions.receive_text)
    monkeypatch.setattr(receiving, "receive_text", stand_in)
    return stand_in


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("a bug, with the text I am hiding in its words"),
        OperationalError("deadlock detected\nDETAIL: Failing row contains (1, I am hiding, +13855550142)"),
        MemoryError(),
        RecursionError(),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.embedded
def test_a_text_whose_receiving_fails_is_kept(receive_text: Receiving, error: Exception) -> None:
    receive_text.error = error
    with everything_logged() as log:
        stray = take_as_stray(Body="I am hiding")
    assert stray.reason == Reason.FAILED
    assert stray.form["Body"] == ["I am hiding"]
    assert f"failed with {type(error).__name__}" in log.text
    assert "I am hiding" not in log.text
    assert wire.THEIR_NUMBER not in log.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.embedded
def test_what_receiving_did_before_it_failed_is_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(opt_outs, "apply_text", fail)
    assert_taken(post(INBOUND, inbound_form(From="+12025550177", Body="STOP")))
    assert not Message.objects.exists()
    assert not Client.objects.exists()
    assert StrayText.objects.get().reason == Reason.FAILED


@pytest.mark.django_db(transaction=True)
@pytest.mark.embedded
def test_when_nothing_at_all_can_be_stored_the_carrier_is_not_told_that_it_was(
    receive_text: Receiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A 5xx makes the carrier try its fallback address; its page is HTML, which the carrier texts to nobody."""
    receive_text.error = OperationalError("the database is away")

    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(StrayText.objects, "bulk_create", refuse)
    with everything_logged() as log:
        response = post(INBOUND, inbound_form(Body="I am hiding"), raise_errors=False)
    assert response.status_code == 500
    assert response["Content-Type"].startswith("text/html")
    assert b"I am hiding" not in response.content
    assert "I am hiding" not in log.text


# --- The sweep -------------------------------------------------------------------------------------------------------


def make_due() -> None:
    StrayText.objects.update(try_at=StrayText.objects.get().received_at)


def sweep() -> int:
    return receiving.retry_stray_texts(now=timezone.now())


@pytest.mark.embedded
def test_a_stray_text_is_placed_once_its_department_exists() -> None:
    sid = new_sid()
    stray = take_as_stray(To="+19995550100", MessageSid=sid, Body="Anybody there?")
    make_due()
    assert sweep() == 0
    department = make_department(phone_number="+19995550100")
    make_due()
    assert sweep() == 1
    message = Message.objects.get()
    assert (message.carrier_id, message.body, message.client.department) == (sid, "Anybody there?", department)
    stray.refresh_from_db()
    assert stray.placed_at is not None
    assert message.placed_at == stray.received_at
    make_due()
    assert sweep() == 0
    assert Message.objects.count() == 1


@pytest.mark.embedded
def test_a_text_whose_receiving_failed_is_placed_once_it_works(receive_text: Receiving, maria: CaseAssignment) -> None:
    receive_text.error = RuntimeError("a bug")
    take_as_stray(Body="STOP")
    receive_text.error = None
    make_due()
    assert sweep() == 1
    assert Message.objects.get().assignment == maria
    assert number_of(maria).is_opted_out


def test_a_stray_text_is_not_tried_before_its_time_and_less_and_less_often() -> None:
    stray = take_as_stray(To="+19995550100")
    assert sweep() == 0
    stray.refresh_from_db()
    assert stray.attempts == 0
    waits = []
    for attempt in range(1, 12):
        make_due()
        before = StrayText.objects.get().try_at
        sweep()
        stray.refresh_from_db()
        assert stray.attempts == attempt
        waits.append((stray.try_at - before).total_seconds())
    assert waits == sorted(waits)
    assert receiving.RETRY_AFTER.total_seconds() < waits[0]
    assert waits[-1] < receiving.MAX_RETRY_AFTER.total_seconds() + 60


def test_a_failing_retry_keeps_the_reason_of_the_last_try(receive_text: Receiving) -> None:
    stray = take_as_stray(To="+19995550100")
    receive_text.error = RuntimeError("a bug")
    make_due()
    sweep()
    stray.refresh_from_db()
    assert stray.reason == Reason.FAILED


def test_one_that_never_finds_its_place_does_not_keep_the_next_from_it(department: Department) -> None:
    take_as_stray(From=None)
    other = inbound_form(To="+19995550100")
    post(INBOUND, other)
    make_department(phone_number="+19995550100")
    StrayText.objects.update(try_at=department.created_at)
    assert sweep() == 1
    assert Message.objects.get().carrier_id == other["MessageSid"]


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_two_sweeps_at_once_place_a_stray_text_once() -> None:
    take_as_stray(To="+19995550100")
    make_department(phone_number="+19995550100")
    make_due()
    placed = at_once(sweep, times=4)
    assert Message.objects.count() == 1
    assert sum(placed) == 1
