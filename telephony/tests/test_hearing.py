"""That the carrier reaches us is noted with each signed webhook, once its answer is out."""

import pytest
from django.http import HttpResponse

from messaging import hearing
from messaging.models import CarrierWord
from telephony import webhooks
from telephony.tests.wire import INBOUND, STATUS, inbound_form, new_sid, post, status_form
from tests.builders import make_department

pytestmark = [pytest.mark.django_db, pytest.mark.embedded]


@pytest.fixture(autouse=True)
def nothing_was_heard_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "EVERY_SECONDS", 10.0)
    monkeypatch.setattr(hearing, "_written_at", dict.fromkeys(hearing.Kind, float("-inf")))


def heard() -> set[str]:
    return set(CarrierWord.objects.values_list("kind", flat=True))


def test_a_text_is_noted(db: None) -> None:
    make_department(phone_number="+18015550100")
    post(INBOUND, inbound_form())
    assert heard() == {"text"}


def test_a_report_is_noted_whatever_it_says(db: None) -> None:
    post(STATUS, status_form("never heard of", new_sid()))
    assert heard() == {"report"}


def test_what_is_not_signed_is_not_the_carrier(db: None) -> None:
    for path, form in ((INBOUND, inbound_form()), (STATUS, status_form("sent", new_sid()))):
        post(path, form, signature="forged")
    assert heard() == set()


def test_it_is_noted_when_the_server_closes_the_answer_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HttpResponse, "close", lambda answer: None)  # it would end the test's own connection
    answer = webhooks.Answer(status=204)
    assert heard() == set()
    answer.close()
    assert heard() == {"report"}
