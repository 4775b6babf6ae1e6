"""What the tests of mass messages need: a draft in one line, and one that is on its way."""

import uuid
from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from clients.models import CaseAssignment
from messaging import mass_filling
from messaging.actions import mass_drafts, mass_messages
from messaging.actions.mass_drafts import Ticks
from messaging.mass_choice import ticked_among
from messaging.models import MassMessage, MassMessageRecipient, Message
from messaging.schedule import WallClock

NOBODY = Q(pk__in=[])


def make_draft(
    by: User, clients: Iterable[CaseAssignment] = (), body: str = "Court is closed", when: WallClock | None = None
) -> MassMessage:
    assert by.department is not None
    ticked = ticked_among([it.client_id for it in clients])
    now = timezone.now()
    draft = mass_drafts.begin_draft(
        by=by, department=by.department, submission_key=uuid.uuid4(), now=now, ticked=ticked
    )
    mass_drafts.save_draft(draft=draft, body=body, ticks=Ticks(), when=when)
    return MassMessage.objects.select_related("author", "department").get(pk=draft.pk)


def confirm(draft: MassMessage, *, now: datetime | None = None) -> MassMessage:
    return mass_messages.confirm(draft=draft, revision=draft.revision, by=draft.author, now=now or timezone.now())


def make_mass(
    by: User, clients: Iterable[CaseAssignment], body: str = "Court is closed", *, now: datetime | None = None
) -> MassMessage:
    """Confirmed, with all its texts made."""
    mass = confirm(make_draft(by, clients, body), now=now)
    mass_filling.fill(now=now or timezone.now())
    mass.refresh_from_db()
    return mass


def chosen(draft: MassMessage) -> set[int]:
    return set(MassMessageRecipient.objects.filter(mass_message=draft).values_list("client_id", flat=True))


def texts_of(mass: MassMessage) -> list[Message]:
    return list(Message.objects.filter(mass_message=mass).order_by("client_id", "pk"))


def left_out_of(mass: MassMessage) -> dict[int, str]:
    out = MassMessageRecipient.objects.filter(mass_message=mass).exclude(left_out="")
    return dict(out.values_list("client_id", "left_out"))
