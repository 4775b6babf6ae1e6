"""Where a client is whom somebody no longer has: what the page of an ended conversation says instead of a box."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _

from accounts.models import User
from clients.models import CaseAssignment, ConversationEvent

EndReason = CaseAssignment.EndReason


def words(ended: CaseAssignment, reader: User, now: datetime) -> str:
    """ "Transferred to Bob Brown on May 3. You can read what was written until then." Asked of an ended assignment."""
    assert ended.ended_at is not None
    day = _day(ended.ended_at, now, ended.client.department.zone)
    went_to = _went_to(ended)
    has_now = _has_now(ended)
    said = [_what_happened(ended, reader, went_to, day)]
    if has_now is not None and has_now != went_to:
        said.append(_("%(name)s works with this client now.") % {"name": has_now})
    said.append(_("You can read what was written until then."))
    return " ".join(said)


def _what_happened(ended: CaseAssignment, reader: User, went_to: User | None, day: str) -> str:
    if went_to is not None:
        return _("Transferred to %(name)s on %(day)s.") % {"name": went_to, "day": day}
    if ended.end_reason == EndReason.DELETED:
        return _("Deleted on %(day)s.") % {"day": day}
    if ended.case_manager_id != reader.pk:
        return _("This client has been on nobody's list since %(day)s.") % {"day": day}
    return _("This client has not been on your list since %(day)s.") % {"day": day}


def _went_to(ended: CaseAssignment) -> User | None:
    if ended.end_reason != EndReason.TRANSFERRED or ended.ended_at is None:
        return None
    events = ConversationEvent.objects.select_related("to_person").filter(
        client=ended.client_id, kind=ConversationEvent.Kind.TRANSFERRED, from_person=ended.case_manager_id
    )
    event = events.filter(at=ended.ended_at).first()
    return event.to_person if event is not None else None


def _has_now(ended: CaseAssignment) -> User | None:
    """On whose list the client is; None also while unclaimed."""
    open_ones = CaseAssignment.objects.select_related("case_manager").filter(client=ended.client_id)
    active = open_ones.filter(ended_at__isnull=True).first()
    return active.case_manager if active is not None else None


def _day(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """May 3; with the year if it is not this one."""
    there = moment.astimezone(zone)
    return formats.date_format(there, "F j" if there.year == now.astimezone(zone).year else "F j, Y")
