"""Clients, their phone numbers, statuses, assignments to case managers, and what happened to them.

Lock order for everything that moves a conversation: Client, CaseAssignment, Message, PhoneNumber (docs/adr/0004).
"""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import phone_numbers
from accounts.models import Department, User


class ClientStatus(models.Model):
    """A department's own word for where its work with a client stands. (A message has a state, a client a status.)"""

    class Colour(models.TextChoices):
        GREY = "grey", _("Grey")
        GREEN = "green", _("Green")
        BLUE = "blue", _("Blue")
        PURPLE = "purple", _("Purple")
        AMBER = "amber", _("Amber")
        RED = "red", _("Red")

    department = models.ForeignKey(Department, on_delete=models.CASCADE, related_name="statuses")
    name = models.CharField(_("name"), max_length=50)
    colour = models.CharField(
        _("colour"), max_length=10, choices=Colour, default=Colour.GREY, db_default=Colour.GREY.value
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    follow_up_days = models.PositiveSmallIntegerField(_("follow up after days"), null=True, blank=True)

    class Meta:
        verbose_name_plural = "client statuses"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["department", "name"],
                name="client_status_name_unique",
                violation_error_message=_("This department has a status of that name already."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Client(models.Model):
    """A person reached at one phone number. One that was merged stays as a tombstone and points to the survivor."""

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="clients")
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True, help_text=_("Empty only while unclaimed."))
    id_number = models.CharField(_("ID number"), max_length=50, blank=True)
    language = models.CharField(_("language"), max_length=50, blank=True)
    search_key = models.CharField(
        max_length=300, blank=True, default="", db_default="", editable=False, help_text="See clients.names."
    )
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged_from")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(merged_into__isnull=True) | ~Q(merged_into=F("id")), name="client_not_merged_into_itself"
            )
        ]

    def __str__(self) -> str:
        return self.full_name or f"client {self.pk}"

    @property
    def full_name(self) -> str:
        """First and last name as far as known; empty for an unclaimed client."""
        return f"{self.first_name} {self.last_name}".strip()


class PhoneNumber(models.Model):
    """An address in a department. Opt-out, wrong number and the automatic reply belong to it, not to the client."""

    class OptOutSource(models.TextChoices):
        KEYWORD = "keyword", _("a text from the client")
        CARRIER = "carrier", _("the carrier's refusal")
        PERSON = "person", _("a person of the department")

    department = models.ForeignKey(Department, on_delete=models.PROTECT, related_name="phone_numbers")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="numbers")
    address = models.CharField(max_length=phone_numbers.MAX_ADDRESS_LENGTH)
    is_current = models.BooleanField(default=True, help_text="False once given up; its texts still arrive here.")
    opted_out_at = models.DateTimeField(null=True, blank=True)
    opted_out_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    opted_out_source = models.CharField(max_length=10, choices=OptOutSource, blank=True)
    opt_changed_at = models.DateTimeField(
        null=True, blank=True, help_text="The carrier's time of the last STOP or START; an older one changes nothing."
    )
    wrong_at = models.DateTimeField(null=True, blank=True)
    auto_replied_at = models.DateTimeField(null=True, blank=True)
    dismissed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            # Also how an incoming text finds its client.
            models.UniqueConstraint(fields=["department", "address"], name="phone_number_unique_in_department"),
            models.UniqueConstraint(fields=["client"], condition=Q(is_current=True), name="phone_number_one_current"),
            models.CheckConstraint(
                condition=Q(opted_out_at__isnull=True, opted_out_source="")
                | (Q(opted_out_at__isnull=False) & ~Q(opted_out_source="")),
                name="phone_number_opt_out_has_source",
            ),
            models.CheckConstraint(condition=~Q(address=""), name="phone_number_address_not_empty"),
        ]

    def __str__(self) -> str:
        return f"number {self.pk}"

    @property
    def display(self) -> str:
        """As people write it: (801) 555-0142."""
        return phone_numbers.display(self.address)

    @property
    def is_opted_out(self) -> bool:
        return self.opted_out_at is not None

    @property
    def is_wrong(self) -> bool:
        return self.wrong_at is not None

    @property
    def can_be_texted(self) -> bool:
        """Whether texts can go to this kind of address at all (short codes and names only receive)."""
        return phone_numbers.is_phone_number(self.address)


class CaseAssignment(models.Model):
    """Client and case manager from a day to a day; without a case manager the client is unclaimed.

    One row for each pair: coming back reopens it. The last eight columns are summaries for the lists, recomputed from
    the messages by messaging.summaries alone, never counted up.
    """

    class EndReason(models.TextChoices):
        DELETED = "deleted", _("deleted")
        TRANSFERRED = "transferred", _("transferred")
        MERGED = "merged", _("merged")
        CLAIMED = "claimed", _("claimed")
        LEFT = "left", _("the case manager left")
        DISMISSED = "dismissed", _("dismissed")

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="assignments")
    case_manager = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="assignments")
    status = models.ForeignKey(ClientStatus, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    notes = models.TextField(_("notes"), blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.CharField(max_length=12, choices=EndReason, blank=True)
    evening_confirmed_at = models.DateTimeField(
        null=True, blank=True, help_text="When its case manager last chose to send outside texting hours."
    )
    # What messaging.notifications told the case manager. Whoever joins two conversations keeps the higher ones.
    mailed_at = models.DateTimeField(null=True, blank=True, help_text="When a mail last told of new texts.")
    mailed_up_to = models.BigIntegerField(null=True, blank=True, help_text="The last text that a mail counted.")

    last_contact_at = models.DateTimeField(null=True, blank=True)
    unread_count = models.PositiveIntegerField(default=0)
    snippet = models.CharField(max_length=120, blank=True)
    snippet_is_outgoing = models.BooleanField(default=False)
    last_outgoing_failed = models.BooleanField(default=False)
    scheduled_count = models.PositiveIntegerField(default=0, db_default=0)
    next_scheduled_at = models.DateTimeField(null=True, blank=True)
    held_count = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["client"], condition=Q(ended_at__isnull=True), name="assignment_one_open"),
            models.UniqueConstraint(fields=["client", "case_manager"], name="assignment_one_per_pair"),
            models.UniqueConstraint(
                fields=["client"], condition=Q(case_manager__isnull=True), name="assignment_one_unclaimed"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, end_reason="") | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
                name="assignment_end_has_reason",
            ),
        ]
        indexes: ClassVar = [
            # My clients: one case manager's open assignments.
            models.Index(
                fields=["case_manager", "client"], condition=Q(ended_at__isnull=True), name="assignment_caseload"
            ),
            # Former clients: one case manager's ended assignments, the latest first.
            models.Index(
                fields=["case_manager", "-ended_at", "-id"],
                condition=Q(ended_at__isnull=False),
                name="assignment_former",
            ),
            # The department's list of unclaimed clients, by how long they wait.
            models.Index(
                fields=["started_at", "id"],
                condition=Q(case_manager__isnull=True, ended_at__isnull=True),
                name="assignment_unclaimed",
            ),
        ]

    def __str__(self) -> str:
        return f"assignment {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


class ConversationEvent(models.Model):
    """A line in the conversation that is no message."""

    class Kind(models.TextChoices):
        ADDED = "added", _("Added")
        RESTORED = "restored", _("Back on the list")
        OPTED_OUT = "opted_out", _("Opted out")
        OPTED_IN = "opted_in", _("Opted in again")
        WRONG_NUMBER = "wrong_number", _("Marked as a wrong number")
        RIGHT_NUMBER = "right_number", _("No longer a wrong number")
        DELETED = "deleted", _("Deleted")
        TRANSFERRED = "transferred", _("Transferred")
        CLAIMED = "claimed", _("Claimed")
        DISMISSED = "dismissed", _("Dismissed")
        NUMBER_CHANGED = "number_changed", _("Number changed")
        MERGED = "merged", _("Merged")

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="events")
    kind = models.CharField(max_length=20, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    reason = models.CharField(max_length=1000, blank=True, help_text="Why, or the note, in the person's words.")
    # Nothing is found by these three, so they have no index.
    from_person = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    to_person = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="On whose list from then on.",
    )
    other_client = models.ForeignKey(
        Client,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Who was merged into this.",
    )
    old_address = models.CharField(max_length=phone_numbers.MAX_ADDRESS_LENGTH, blank=True, default="", db_default="")
    new_address = models.CharField(max_length=phone_numbers.MAX_ADDRESS_LENGTH, blank=True, default="", db_default="")

    class Meta:
        # The conversation page: one client's events in order.
        indexes: ClassVar = [models.Index(fields=["client", "at", "id"], name="event_talk")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
