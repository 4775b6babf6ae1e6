"""Who works with a client is told when a supervisor writes to that client."""

from datetime import datetime, timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import audit, mail
from accounts.models import AuditEntry, User
from clients.models import CaseAssignment

AT_MOST_EVERY = timedelta(minutes=10)
ANSWERED = "conversation.answered"


def tell_case_manager(assignment: CaseAssignment, *, by: User, now: datetime) -> None:
    """Writes the answer into the log, and tells the case manager whose conversation it is: once in ten minutes.

    Nothing if it is the own conversation, or nobody's. In the transaction that stores the text. The mail says who
    wrote to whom, never what; it goes out whatever the person chose about mails for new texts.
    """
    person = assignment.case_manager if assignment.case_manager_id not in (by.pk, None) else None
    if person is None:
        return
    client = assignment.client
    entry = {"action": ANSWERED, "subject": f"client:{client.pk}"}
    lately = AuditEntry.objects.filter(department=client.department_id, at__gt=now - AT_MOST_EVERY, **entry)
    was_told = lately.filter(details__case_manager=person.pk).exists()
    audit.record(**entry, by=by, department=client.department, now=now, case_manager=person.pk)
    if person.is_active and not was_told:
        link = settings.PUBLIC_URL + reverse("conversation", args=[client.pk])
        context = {"person": person, "by": by, "client_name": client.full_name or _("A client"), "link": link}
        mail.queue("messaging/email/colleague_answered", to=person.email, context=context, now=now)
