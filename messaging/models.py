"""Messages and what belongs to them. Each index says which screen or task it serves."""

import uuid
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from accounts import phone_numbers
from accounts.models import Department, User
from clients.models import CaseAssignment, Client
from messaging.failures import FailureReason, HoldReason


class Message(models.Model):
    """One text, in or out.

        waiting ──► sending ──► accepted ──► sent ──► failed < undelivered < delivered
         ▲ │ └─► cancelled │ └──► failed
         │ ▼               ├────► unknown ──► accepted… or unconfirmed
        held               └────► waiting (certainly not sent)

    States change only through messaging.states, with a conditional UPDATE. The carrier id is written by whoever
    learns it first, apart from the state. An incoming text is received, and stays so.
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
    try_at = models.DateTimeField(null=True, blank=True, help_text="After a back-off: not before this.")
    attempts = models.PositiveSmallIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    state_at = models.DateTimeField(default=timezone.now, help_text="Since when it is in this state.")
    hold_reason = models.CharField(max_length=20, choices=HoldReason, blank=True)
    failure_reason = models.CharField(max_length=20, choices=FailureReason, blank=True)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    arrived_at = models.DateTimeField(null=True, blank=True, help_text="A person said that an unclear one arrived.")

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
        ]
        indexes: ClassVar = [
            # The delivery loop: what is due next.
            models.Index(fields=["priority", "due_at", "id"], condition=Q(state="waiting"), name="message_due"),
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
        ]

    def __str__(self) -> str:
        return f"message {self.pk}"

    @property
    def is_outgoing(self) -> bool:
        return self.direction == self.Direction.OUTGOING


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
    """What is known of one department's number as a sender: up to when its texts were compared with the carrier's."""

    department = models.OneToOneField(Department, on_delete=models.CASCADE, related_name="sender")
    compared_until = models.DateTimeField(null=True, blank=True)
    late_arrivals = models.PositiveIntegerField(default=0, help_text="Texts that the webhook missed, ever.")
    late_reports = models.PositiveIntegerField(default=0, help_text="Outcomes that the callbacks missed, ever.")
    strangers = models.PositiveIntegerField(default=0, help_text="Texts in the last list that no row of ours has.")

    def __str__(self) -> str:
        return f"sender {self.pk}"


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
