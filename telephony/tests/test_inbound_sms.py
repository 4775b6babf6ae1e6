"""A text from a client's phone: stored before the carrier is told so, once, whatever is in it, and never answered."""

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as effort
from hypothesis import strategies as st

from accounts.models import Department
from clients import routing
from clients.models import CaseAssignment, Client, PhoneNumber
from messaging import segments
from messaging.models import Attachment, Message
from telephony.models import StrayText
from telephony.tests import wire
from telephony.tests.wire import INBOUND, assert_taken, inbound_form, new_sid, post
from tests.builders import make_client, make_department, make_user, number_of
from tests.threads import at_once, in_background, wait_for_locks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def department() -> Department:
    return make_department(phone_number=wire.OUR_NUMBER)


@pytest.fixture
def maria(department: Department) -> CaseAssignment:
    return make_client(make_user(department), address=wire.THEIR_NUMBER)


def take(**changes: str | None) -> Message:
    """Posts a text and gives the one message it became."""
    assert_taken(post(INBOUND, inbound_form(**changes)))
    assert not StrayText.objects.exists()
    return Message.objects.get()


def nothing_was_texted_back() -> bool:
    return not Message.objects.filter(direction=Message.Direction.OUTGOING).exists()


# --- Where it goes ---------------------------------------------------------------------------------------------------


@pytest.mark.embedded
def test_a_text_is_in_its_clients_conversation_unread(maria: CaseAssignment) -> None:
    sid = new_sid()
    message = take(Body="Running late", MessageSid=sid)
    assert message.assignment == maria
    assert (message.body, message.carrier_id, message.read_at) == ("Running late", sid, None)
    assert (message.our_number, message.their_number) == (wire.OUR_NUMBER, wire.THEIR_NUMBER)
    maria.refresh_from_db()
    assert (maria.unread_count, maria.snippet) == (1, "Running late")


def test_an_unknown_number_makes_an_unclaimed_client(department: Department) -> None:
    message = take(From="+12025550177")
    assert message.assignment.case_manager is None
    assert message.client.department == department
    assert number_of(message.assignment).address == "+12025550177"


@pytest.mark.django_db(transaction=True)
@pytest.mark.embedded
def test_the_text_is_committed_when_the_carrier_is_told(maria: CaseAssignment) -> None:
    sid = new_sid()
    assert_taken(post(INBOUND, inbound_form(MessageSid=sid)))
    (seen_by_somebody_else,) = at_once(lambda: Message.objects.filter(carrier_id=sid).exists(), times=1)
    assert seen_by_somebody_else


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_the_same_webhook_twenty_times_at_once_is_one_message(maria: CaseAssignment) -> None:
    form = inbound_form(Body="STOP")
    responses = at_once(lambda: post(INBOUND, form), times=20)
    for response in responses:
        assert_taken(response)
    assert Message.objects.count() == 1
    assert not StrayText.objects.exists()
    maria.refresh_from_db()
    assert maria.unread_count == 1
    assert maria.client.events.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_twenty_first_texts_of_an_unknown_number_at_once_make_one_client() -> None:
    responses = at_once(lambda: post(INBOUND, inbound_form(From="+12025550177")), times=20)
    for response in responses:
        assert_taken(response)
    assert Message.objects.count() == 20
    assert (Client.objects.count(), PhoneNumber.objects.count(), CaseAssignment.objects.count()) == (1, 1, 1)
    assert not StrayText.objects.exists()
    assert CaseAssignment.objects.get().unread_count == 20


def test_the_second_copy_gets_the_same_answer_and_changes_nothing(maria: CaseAssignment) -> None:
    form = inbound_form()
    assert_taken(post(INBOUND, form))
    assert_taken(post(INBOUND, {**form, "Body": "somebody changed it"}))
    assert Message.objects.get().body == form["Body"]


def test_the_fallback_address_gets_the_same_form_with_two_more_parameters(maria: CaseAssignment) -> None:
    form = inbound_form()
    assert_taken(post(INBOUND, {**form, "ErrorCode": "11200", "ErrorUrl": "https://texts.example.org/"}))
    assert_taken(post(INBOUND, form))
    assert Message.objects.count() == 1


# --- What can be in it -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("plain", "plain"),
        ("", ""),
        ("  blanks stay  ", "  blanks stay  "),
        ("two\r\nlines\nor three", "two\nlines\nor three"),
        ("nul\0 and bell\x07 and escape\x1b[31m and delete\x7f", "nul and bell and escape[31m and delete"),
        ("\0", ""),
        ("tab\tstays", "tab\tstays"),
        ("<script>alert(1)</script> & {{ body }} %s %(x)s", "<script>alert(1)</script> & {{ body }} %s %(x)s"),
        ("¿Mañana? Até já — ünïcödé 漢字 שלום 👩‍👩‍👧", "¿Mañana? Até já — ünïcödé 漢字 שלום 👩‍👩‍👧"),
        ("\u202eright to left\u2066", "\u202eright to left\u2066"),
        ("\ufffe\uffff\ufeff", "\ufffe\uffff\ufeff"),
    ],
)
def test_the_words_are_kept_but_for_characters_that_are_none(maria: CaseAssignment, sent: str, stored: str) -> None:
    assert take(Body=sent).body == stored


@pytest.mark.embedded
def test_a_text_of_1600_emoji_is_kept_whole(maria: CaseAssignment) -> None:
    message = take(Body="😀" * 1600, NumSegments="48")
    assert message.body == "😀" * 1600
    assert message.segments == segments.count("😀" * 1600)


def test_a_text_without_a_body_is_an_empty_message(maria: CaseAssignment) -> None:
    assert take(Body=None).body == ""


def test_pictures_are_written_down_with_what_the_carrier_says_of_them(maria: CaseAssignment) -> None:
    message = take(
        Body=None, NumMedia="2",
        MediaUrl0="https://api.twilio.com/Media/ME0", MediaContentType0="image/jpeg",
        MediaUrl1="https://api.twilio.com/Media/ME1", MediaContentType1="text/x-vcard",
    )  # fmt: skip
    assert list(message.attachments.order_by("position").values_list("position", "carrier_url", "content_type")) == [
        (0, "https://api.twilio.com/Media/ME0", "image/jpeg"),
        (1, "https://api.twilio.com/Media/ME1", "text/x-vcard"),
    ]


def test_a_second_copy_of_a_picture_adds_no_second_file(maria: CaseAssignment) -> None:
    form = inbound_form(NumMedia="1", MediaUrl0="https://api.twilio.com/Media/ME0", MediaContentType0="image/jpeg")
    post(INBOUND, form)
    post(INBOUND, form)
    assert Attachment.objects.count() == 1


@pytest.mark.parametrize("count", ["", "-1", "many", "99999999999999999999"])
def test_the_announced_number_of_pictures_is_not_relied_on(maria: CaseAssignment, count: str) -> None:
    message = take(NumMedia=count, MediaUrl0="https://api.twilio.com/ME0", MediaContentType0="x" * 300 + "\0")
    assert message.attachments.count() == 1


def test_parameters_that_nobody_knows_are_ignored(maria: CaseAssignment) -> None:
    take(CarrierMood="thoughtful", Überraschung="ja", **{"": "no name", "a[]": "1", "'; DROP TABLE": "\0"})


@pytest.mark.parametrize("sid", ["x", "SM" + "f" * 62, "SM\0one"])
def test_any_id_of_up_to_64_characters_will_do(maria: CaseAssignment, sid: str) -> None:
    assert take(MessageSid=sid).carrier_id == sid.replace("\0", "")


def test_the_older_name_of_the_id_will_do_too(maria: CaseAssignment) -> None:
    assert take(MessageSid=None, SmsSid="SMold").carrier_id == "SMold"


# --- Who can have sent it --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    [
        "32665",
        "ACME",
        "Überweisung",
        "whatsapp:+18015550142",
        "rcs:brand_xyz_agent",
        "messenger:1234567890",
        "client:alice",
        "sip:alice@example.org",
        "anonymous",
        "+266696687",
        "+1",
        "8015550142",
        "+18015550142 ",
        "+1 801 555 0142",
        "x" * 64,
        "x" * 500,
        "'; DROP TABLE messaging_message; --",
        "<b>",
        "\0+18015550142",
    ],
)
def test_whoever_sent_it_it_is_kept_and_nothing_is_texted_back(sender: str) -> None:
    message = take(From=sender)
    assert message.assignment.case_manager is None
    assert message.body == "Running late"
    assert nothing_was_texted_back()


def test_a_text_from_our_own_number_is_kept_and_ends_there(department: Department) -> None:
    message = take(From=wire.OUR_NUMBER)
    assert message.their_number == wire.OUR_NUMBER
    assert nothing_was_texted_back()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_text_waits_for_whoever_has_its_client_locked_and_is_then_where_it_can_be_seen(
    maria: CaseAssignment,
) -> None:
    """While another action (a transfer, a deletion) holds the client, the webhook waits, and then routes anew."""
    bob = make_user(maria.client.department, "Bob Brown")
    with in_background() as start:
        with transaction.atomic():
            routing.lock_client(maria.client_id)
            answer = start(lambda: post(INBOUND, inbound_form(Body="Where did I end up?")))
            wait_for_locks(1)
            routing.end(maria, CaseAssignment.EndReason.TRANSFERRED, timezone.now())
            his = CaseAssignment.objects.create(client=maria.client, case_manager=bob, status=maria.status)
        assert_taken(answer.result(10))
    assert Message.objects.get().assignment == his
    his.refresh_from_db()
    assert his.unread_count == 1


# --- Anything at all -------------------------------------------------------------------------------------------------

anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@effort(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.dictionaries(
        st.sampled_from(["From", "To", "Body", "MessageSid", "SmsSid", "NumMedia", "MediaUrl0", "OptOutType"])
        | anything.filter(bool),
        anything | st.just(wire.OUR_NUMBER),
        max_size=12,
    )
)
def test_whatever_is_signed_is_either_a_message_or_a_stray_text(form: dict[str, str]) -> None:
    assert_taken(post(INBOUND, form))
    raw = {name.replace("\0", ""): value.replace("\0", "") for name, value in form.items()}
    sid = raw.get("MessageSid") or raw.get("SmsSid", "")
    if sid:
        kept_as = [sid[:64], _without_control_characters(sid)]
        is_kept = (
            Message.objects.filter(carrier_id__in=kept_as).exists()
            or StrayText.objects.filter(carrier_id__in=kept_as).exists()
        )
    else:
        is_kept = any({name: values[-1] for name, values in stray.form.items()} == raw for stray in strays())
    assert is_kept
    assert nothing_was_texted_back()


def strays() -> list[StrayText]:
    return list(StrayText.objects.order_by("pk"))


def _without_control_characters(text: str) -> str:
    return "".join(it for it in text if it in "\t\n\r" or not (it < " " or it == "\x7f"))
