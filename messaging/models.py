"""Messages and what belongs to them. Each index says which screen or task it serves."""

import uuid
import zoneinfo
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from accounts import phone_numbers
from accounts.models import Department, User
from clients.models import CaseAssignment, Client
from messaging.client_imports import ClientImport as ClientImport
from messaging.client_imports import ClientImportRow as ClientImportRow
from messaging.failures import FailureReason, HoldReason
from messaging.schedule import WallClock


class MassMessage(models.Model):
    """One text to many clients, kept as a record. Each of its texts is a Message in its client's own conversation.

    Without confirmed_at it is a draft. Its messages are made in the background, one for each recipient, and are due at
    due_at, which is ten seconds away when it is to go now: the time for "Undo".
    """

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="mass_messages")
    body = models.TextField(blank=True, help_text="With {first name} and its kin as typed.")
    created_at = models.DateTimeField(default=timezone.now)
    submission_key = models.UUIDField(null=True, blank=True)
    confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When its author said: send it. Empty: a draft."
    )
    due_at = models.DateTimeField(null=True, blank=True)
    scheduled_date = models.DateField(null=True, blank=True)
    scheduled_time = models.TimeField(null=True, blank=True)
    scheduled_zone = models.CharField(max_length=64, blank=True)
    finish_by = models.DateTimeField(null=True, blank=True, help_text="Until when it takes, as its check page said.")
    filled_at = models.DateTimeField(null=True, blank=True, help_text="When the last of its messages was made.")
    stopped_at = models.DateTimeField(null=True, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    revision = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Of the draft. Only what its check page showed is sent."
    )
    replaces = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="What this is a change of."
    )
    recount_after = models.BigIntegerField(
        null=True, blank=True, help_text="Many of its texts were moved at once: whose lists are to be recounted yet."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["author", "submission_key"], name="mass_message_submission_once"),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | Q(due_at__isnull=False), name="mass_message_confirmed_is_due"
            ),
            models.CheckConstraint(
                condition=Q(scheduled_date__isnull=True, scheduled_time__isnull=True, scheduled_zone="")
                | (Q(scheduled_date__isnull=False, scheduled_time__isnull=False) & ~Q(scheduled_zone="")),
                name="mass_message_schedule_is_whole",
            ),
        ]
        indexes: ClassVar = [
            # The list of a person's mass messages, and their drafts.
            models.Index(fields=["author", "-created_at", "-id"], name="mass_message_list"),
            # The making of the messages, each second.
            models.Index(
                fields=["id"],
                condition=Q(confirmed_at__isnull=False, filled_at__isnull=True) | Q(recount_after__isnull=False),
                name="mass_message_open",
            ),
        ]

    def __str__(self) -> str:
        return f"mass message {self.pk}"

    @property
    def is_draft(self) -> bool:
        return self.confirmed_at is None


# From when on a waiting text may go out: when it is due, or when a back-off or the night is over.
READY_AT = Greatest("due_at", Coalesce("try_at", "due_at"))


class Message(models.Model):
    """One text, in or out.

        waiting ──► sending ──► accepted ──► sent ──► failed < undelivered < delivered
         ▲ │ └─► cancelled │ └──► failed
         │ ▼               ├────► unknown ──► accepted… or unconfirmed
        held               └────► waiting (certainly not sent)

    After a restored backup what waits or is held becomes unconfirmed where nobody can tell whether it went out.
    States change only through messaging.states, with a conditional UPDATE; those of a mass message also together, in
    messaging.actions.mass_messages, where "Resume" leads from cancelled back to waiting. The carrier id is written by
    whoever learns it first, apart from the state. An incoming text is received, and stays so.
    """

    class Direction(models.TextChoices):
        INCOMING = "in"
        OUTGOING = "out"

    class State(models.TextChoices):
        WAITING = "waiting"
        HELD = "held"
        CANCELLED = "cancelled"
        SENDING = "sending"
        UNKNOWN = "unknown"
        UNCONFIRMED = "unconfirmed"
        ACCEPTED = "accepted"
        SENT = "sent"
        FAILED = "failed"
        UNDELIVERED = "undelivered"
        DELIVERED = "delivered"
        RECEIVED = "received"

    class Priority(models.IntegerChoices):
        SINGLE = 0
        MASS = 10

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False, help_text="For callbacks and links.")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="+", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="messages", db_index=False)
    assignment = models.ForeignKey(CaseAssignment, on_delete=models.PROTECT, related_name="messages", db_index=False)
    author = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    direction = models.CharField(max_length=3, choices=Direction)
    state = models.CharField(max_length=12, choices=State)
    priority = models.PositiveSmallIntegerField(choices=Priority, default=Priority.SINGLE)
    body = models.TextField(blank=True)
    segments = models.PositiveSmallIntegerField(default=1)
    our_number = models.CharField(max_length=16, blank=True)
    their_number = models.CharField(max_length=phone_numbers.MAX_ADDRESS_LENGTH, blank=True)
    carrier_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    submission_key = models.UUIDField(null=True, blank=True)
    retry_of = models.OneToOneField("self", on_delete=models.PROTECT, null=True, blank=True, related_name="retried_as")
    placed_at = models.DateTimeField(default=timezone.now, help_text="Its place in the conversation.")
    due_at = models.DateTimeField(null=True, blank=True, help_text="When it is to go out.")
    # What a person scheduled stays what the clock on the wall says, also if the zone's rules change.
    scheduled_date = models.DateField(null=True, blank=True)
    scheduled_time = models.TimeField(null=True, blank=True)
    scheduled_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    finish_by = models.DateTimeField(null=True, blank=True, help_text="If later than due_at: it is late from then on.")
    any_hour = models.BooleanField(default=False, db_default=False, help_text="A person knew: outside texting hours.")
    mass_message = models.ForeignKey(
        MassMessage, on_delete=models.PROTECT, null=True, blank=True, related_name="messages", db_index=False
    )
    try_at = models.DateTimeField(null=True, blank=True, help_text="After a back-off: not before this.")
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    state_at = models.DateTimeField(default=timezone.now, help_text="Since when it is in this state.")
    hold_reason = models.CharField(max_length=20, choices=HoldReason, blank=True)
    failure_reason = models.CharField(max_length=20, choices=FailureReason, blank=True)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True, help_text="A person said that an unclear one arrived.")
    erase_at = models.DateTimeField(null=True, blank=True, help_text="When to look whether the carrier can forget it.")
    erased_at = models.DateTimeField(null=True, blank=True, help_text="Since when the carrier has no words of it.")
    erase_attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    held_told_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when it had been held when its author was told."
    )

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["author", "submission_key"], name="message_submission_once"),
            models.CheckConstraint(
                condition=Q(direction="in", state="received", author__isnull=True, due_at__isnull=True)
                | (Q(direction="out", due_at__isnull=False, read_at__isnull=True) & ~Q(state="received")),
                name="message_state_fits_direction",
            ),
            models.CheckConstraint(
                condition=Q(state="held") & ~Q(hold_reason="") | ~Q(state="held") & Q(hold_reason=""),
                name="message_held_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "unknown", "accepted"]) | (~Q(their_number="") & ~Q(our_number="")),
                name="message_handed_over_has_numbers",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["failed", "undelivered"]) | ~Q(failure_reason=""),
                name="message_failure_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(claimed_at__isnull=False), name="message_sending_is_claimed"
            ),
            models.CheckConstraint(condition=~Q(retry_of=F("id")), name="message_not_retry_of_itself"),
            models.CheckConstraint(
                condition=Q(scheduled_date__isnull=True, scheduled_time__isnull=True, scheduled_zone="")
                | (Q(scheduled_date__isnull=False, scheduled_time__isnull=False) & ~Q(scheduled_zone="")),
                name="message_schedule_is_whole",
            ),
            models.CheckConstraint(
                condition=Q(erase_at__isnull=True) | Q(erased_at__isnull=True), name="message_erased_is_done"
            ),
        ]
        indexes: ClassVar = [
            # The delivery loop: which single text may go out next, of all departments.
            models.Index(READY_AT, "id", condition=Q(state="waiting", priority=0), name="message_due_single"),
            # The delivery loop, and what waits for the pace: which text of a mass message is next in its department.
            models.Index(
                "department",
                READY_AT,
                "id",
                condition=Q(state="waiting", priority=10),
                name="message_due_mass",
            ),
            # The delivery loop: is an earlier text to the same client still on its way?
            models.Index(
                fields=["client", "due_at", "id"], condition=Q(state__in=["waiting", "sending"]), name="message_ahead"
            ),
            # The sweep of what is unclear, and its figures.
            models.Index(
                fields=["state", "claimed_at"], condition=Q(state__in=["sending", "unknown"]), name="message_unclear"
            ),
            # The conversation page, and the summaries of the lists.
            models.Index(fields=["client", "placed_at", "id"], name="message_talk"),
            # The unread count, and marking as read.
            models.Index(
                fields=["assignment", "id"], condition=Q(direction="in", read_at__isnull=True), name="message_unread"
            ),
            # A mass message's record: how many stand where.
            models.Index(
                fields=["mass_message", "state"], condition=Q(mass_message__isnull=False), name="message_of_mass"
            ),
            # What waits for a person, in the summaries and their figures.
            models.Index(fields=["assignment"], condition=Q(state="held"), name="message_held"),
            # Retention at the carrier: what is due next, and how many are stuck.
            models.Index(fields=["erase_at", "id"], condition=Q(erase_at__isnull=False), name="message_erase"),
            # Reconciliation: whose final state is missing.
            models.Index(
                fields=["department", "state_at"],
                condition=Q(state__in=["accepted", "sent"]),
                name="message_on_the_way",
            ),
            # The department's page: what may not have been sent, and nobody has settled.
            models.Index(
                fields=["department"],
                condition=Q(state="unconfirmed", arrived_at__isnull=True),
                name="message_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def is_outgoing(self) -> bool:
        return self.direction == self.Direction.OUTGOING

    @property
    def when(self) -> WallClock | None:
        """For which day and time a person scheduled it, if so."""
        if self.scheduled_date is None or self.scheduled_time is None:
            return None
        return WallClock(self.scheduled_date, self.scheduled_time, zoneinfo.ZoneInfo(self.scheduled_zone))


class MassMessageRecipient(models.Model):
    """One of those a mass message goes to, or was to go to: left_out says why not."""

    mass_message = models.ForeignKey(MassMessage, on_delete=models.CASCADE, related_name="recipients", db_index=False)
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="+", db_index=False)
    message = models.OneToOneField(
        Message, on_delete=models.PROTECT, null=True, blank=True, related_name="mass_recipient"
    )
    left_out = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["mass_message", "client"], name="mass_recipient_once"),
        ]
        indexes: ClassVar = [
            # The making of its messages: who has none yet.
            models.Index(
                fields=["mass_message", "id"],
                condition=Q(message__isnull=True, left_out=""),
                name="mass_recipient_open",
            ),
        ]

    def __str__(self) -> str:
        return f"recipient {self.pk}"


class Attachment(models.Model):
    """A picture or file that came with a text, as the carrier announced it. Nothing is fetched yet."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    carrier_url = models.TextField()
    content_type = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "position"], name="attachment_position_unique")
        ]

    def __str__(self) -> str:
        return f"attachment {self.pk}"


class SenderNumber(models.Model):
    """One department's number as a sender: its pace, and how far its texts were compared and erased at the carrier."""

    department = models.OneToOneField(Department, on_delete=models.CASCADE, related_name="sender")
    next_mass_at = models.DateTimeField(null=True, blank=True, help_text="No text of a mass message before this.")
    compared_until = models.DateTimeField(null=True, blank=True)
    looked_back_at = models.DateTimeField(null=True, blank=True, help_text="When two days were compared at once.")
    late_arrivals = models.PositiveIntegerField(default=0, help_text="Texts that the webhook missed, ever.")
    late_reports = models.PositiveIntegerField(default=0, help_text="Outcomes that the callbacks missed, ever.")
    erase_from_id = models.BigIntegerField(
        default=0, db_default=0, help_text="Messages up to this one were looked at for retention at the carrier."
    )

    def __str__(self) -> str:
        return f"sender {self.pk}"


class Orphan(models.Model):
    """A text that stands in the carrier's list and nowhere here: its row was lost, or others use our number.

    Without its words: they are nobody's here. One that turns out to be known is no orphan any more (messaging.orphans).
    """

    carrier_id = models.CharField(max_length=64, unique=True)
    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="+")
    direction = models.CharField(max_length=3, choices=Message.Direction)
    their_number = models.CharField(max_length=phone_numbers.MAX_ADDRESS_LENGTH)
    created_at = models.DateTimeField(help_text="By the carrier's clock.")
    found_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"orphan {self.pk}"


class SendingHold(models.Model):
    """A stop on sending: for one of our numbers, or for the whole account (number empty). See messaging.holds."""

    number = models.CharField(max_length=16, blank=True, unique=True)
    reason = models.CharField(max_length=20, choices=FailureReason)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    since = models.DateTimeField()
    try_at = models.DateTimeField(help_text="When one text may try whether it is settled.")
    told_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"hold on {self.number or 'the whole account'}"


class BeatTick(models.Model):
    """When beat last looked for due texts. One row, which every worker sees.

    While gap_since is set nothing is handed over: beat was silent for long (an outage, a restored backup), so what this
    database takes for waiting may have gone out meanwhile. messaging.gaps compares with the carrier and clears it.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    gap_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [models.CheckConstraint(condition=Q(id=1), name="beat_tick_is_one_row")]

    def __str__(self) -> str:
        return f"tick {self.at:%c}"


class CarrierWord(models.Model):
    """When the carrier last posted something to us, to within seconds. One row for each kind. See messaging.hearing."""

    class Kind(models.TextChoices):
        TEXT = "text"
        REPORT = "report"

    kind = models.CharField(max_length=6, primary_key=True, choices=Kind)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"last {self.kind} {self.at:%c}"
