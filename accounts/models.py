"""Departments, their people, and the log of what they did."""

import uuid
import zoneinfo
from datetime import time, timedelta
from decimal import Decimal
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import phone_numbers


def validate_time_zone(name: str) -> None:
    """Refuses what the machine's zone data doesn't know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone. Write it like America/Denver."), params={"name": name})


AUTOMATIC_REPLY = (
    "Thank you for texting {department}. We don't know this number yet: "
    "please reply with your name and the name of your case manager."
)


class Department(models.Model):
    """An office with one number, one time zone, its own people and clients. Nothing crosses to another."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    phone_number = models.CharField(_("phone number"), max_length=16, unique=True, help_text=_("as +18015550100"))
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="America/Denver", validators=[validate_time_zone]
    )
    late_limit_minutes = models.PositiveSmallIntegerField(
        _("late limit, in minutes"),
        default=60,
        help_text=_("A text that could not be handed over within this time is held, and its author asked."),
    )
    idle_limit_hours = models.PositiveSmallIntegerField(_("idle limit, in hours"), default=12)
    segments_per_second = models.DecimalField(
        _("pace, in texts a second"),
        max_digits=6,
        decimal_places=2,
        null=True,
        blank=True,
        default=Decimal(1),
        db_default=Decimal(1),
        help_text=_(
            "How fast the carrier takes texts from this number, counted in parts of 160 characters: 1 for an ordinary "
            "number (long code), 3 for a toll-free one, 100 for a short code, or the rate that was registered. "
            "Empty: no limit."
        ),
    )
    opens_at = models.TimeField(
        _("texting hours from"),
        default=time(8),
        db_default=time(8),
        help_text=_("Before this, and from the hour below on, people are asked before a text goes out."),
    )
    closes_at = models.TimeField(_("texting hours until"), default=time(21), db_default=time(21))
    automatic_reply = models.TextField(
        _("automatic reply"),
        blank=True,
        default=AUTOMATIC_REPLY,
        db_default=AUTOMATIC_REPLY,
        help_text=_(
            "What a number that nobody knows gets once, at its first text. {department} becomes the department's name. "
            "Empty: no reply."
        ),
    )
    erase_at_carrier = models.BooleanField(
        _("erase texts at the phone company"),
        default=False,
        db_default=False,
        help_text=_(
            "Once it is known what became of a text, its words are blanked at the phone company, older texts too. "
            "They are kept here. What came after the last backup can then not be fetched from there again."
        ),
    )
    shows_earlier_history = models.BooleanField(
        _("show the earlier history after a transfer"),
        default=True,
        db_default=True,
        help_text=_("The new case manager can read what was written with the client before, and change nothing of it."),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(phone_number__startswith="+"), name="department_number_is_e164"),
            models.CheckConstraint(condition=models.Q(idle_limit_hours__gte=1), name="department_idle_limit_set"),
            models.CheckConstraint(condition=models.Q(late_limit_minutes__gte=1), name="department_late_limit_set"),
            models.CheckConstraint(
                condition=models.Q(segments_per_second__isnull=True) | models.Q(segments_per_second__gt=0),
                name="department_pace_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(opens_at__lt=models.F("closes_at")), name="department_opens_before_it_closes"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def display_number(self) -> str:
        """The number as people write it: (801) 555-0100."""
        return phone_numbers.display(self.phone_number)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The zone in which this department's people read times."""
        return zoneinfo.ZoneInfo(self.time_zone)

    @property
    def late_limit(self) -> timedelta:
        """How long after its due time a text may still be handed over."""
        return timedelta(minutes=self.late_limit_minutes)


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "User":
        """The site's operator: manages departments, belongs to none. Signing in looks for small letters only."""
        user = self.model(email=email.lower(), is_staff=True, is_superuser=True, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person who signs in with an e-mail address. The operator's department may be empty, nobody else's."""

    class Role(models.TextChoices):
        CASE_MANAGER = "case_manager", _("Case manager")
        SUPERVISOR = "supervisor", _("Supervisor")
        ADMINISTRATOR = "administrator", _("Administrator")

    class EmailNotifications(models.TextChoices):
        AT_ONCE = "at_once", _("At once")
        DAILY = "daily", _("One summary a day")
        OFF = "off", _("Off")

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    pending_email = models.EmailField(max_length=254, blank=True, help_text="Counts once its link was followed.")
    full_name = models.CharField(_("full name"), max_length=150)
    department = models.ForeignKey(
        Department, verbose_name=_("department"), on_delete=models.PROTECT, null=True, blank=True, related_name="people"
    )
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.CASE_MANAGER)
    desk_phone = models.CharField(_("desk phone"), max_length=32, blank=True)
    email_notifications = models.CharField(
        max_length=10,
        choices=EmailNotifications,
        default=EmailNotifications.AT_ONCE,
        db_default=EmailNotifications.AT_ONCE,
        help_text="About new texts.",
    )
    notifications_from = models.DateTimeField(
        default=timezone.now, db_default=Now(), help_text="Texts that came before this are not mailed about."
    )
    last_summary_date = models.DateField(
        null=True, blank=True, help_text="The last day that a summary was made or had nothing to tell."
    )
    is_active = models.BooleanField(_("may sign in"), default=True)
    is_staff = models.BooleanField(_("may open the operator's pages"), default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                Lower("email"),
                name="user_email_unique",
                violation_error_message=_("Someone has this e-mail address already."),
            ),
            models.CheckConstraint(
                condition=models.Q(department__isnull=False) | models.Q(is_superuser=True), name="user_has_department"
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def get_full_name(self) -> str:
        return self.full_name

    @property
    def is_supervisor(self) -> bool:
        """Sees the whole department; an administrator is a supervisor who also manages people and settings."""
        return self.role in (self.Role.SUPERVISOR, self.Role.ADMINISTRATOR)

    @property
    def is_administrator(self) -> bool:
        return self.role == self.Role.ADMINISTRATOR


class AuditEntry(models.Model):
    """What somebody did or looked at. Insert only: the database refuses to change or delete a row (migration 0002)."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    at = models.DateTimeField(default=timezone.now)
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    action = models.CharField(max_length=50)
    subject = models.CharField(max_length=100, help_text="What it was done to, as kind:id.")
    details = models.JSONField(default=dict, blank=True, help_text="What was before. Never a message text.")

    class Meta:
        # The department's log, newest first.
        indexes: ClassVar = [models.Index(fields=["department", "-at", "-id"], name="audit_log_page")]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class OutgoingEmail(models.Model):
    """A mail is a row before it is sent. Once it is gone its words are blanked: they open accounts and name clients."""

    to = models.EmailField(max_length=254)
    subject = models.CharField(max_length=200)
    text_body = models.TextField(blank=True)
    html_body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(help_text="While it is being sent: when it may be tried again.")
    attempts = models.PositiveSmallIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    given_up_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(text_body="", html_body=""),
                name="outgoing_email_done_is_blank",
            ),
        ]
        indexes: ClassVar = [
            # The mail loop: what is due next.
            models.Index(
                fields=["due_at", "id"],
                condition=models.Q(done_at__isnull=True, given_up_at__isnull=True),
                name="outgoing_email_due",
            ),
            # What monitoring names: mails that nobody will get any more.
            models.Index(
                fields=["given_up_at"],
                condition=models.Q(given_up_at__isnull=False),
                name="outgoing_email_given_up",
            ),
        ]

    def __str__(self) -> str:
        return f"mail {self.pk}"


class CachedValue(models.Model):
    """The rows of Django's DatabaseCache, made by a migration so that no set-up step can be forgotten."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "cache"

    def __str__(self) -> str:
        return self.cache_key
