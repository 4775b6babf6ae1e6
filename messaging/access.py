"""The only way from a URL to a conversation or a department: 404 for what is not the asker's, as if it didn't exist."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.http import Http404

from accounts.models import Department, User
from accounts.statements import PlannedQuery
from clients.models import CaseAssignment, Client, ClientStatus, PhoneNumber
from messaging.client_imports import ClientImport
from messaging.models import MassMessage, Message

_MAX_ID = 2**63 - 1
EndReason = CaseAssignment.EndReason
SAID_FOR = timedelta(days=1)  # after a client left the unclaimed: so long somebody may have an old page open
_ASSIGNMENT = PlannedQuery(
    "assignment_for",
    lambda client_id, department_id: CaseAssignment.objects.select_related("client", "status").filter(
        client=client_id, ended_at__isnull=True, client__department=department_id
    ),
    client_id="bigint",
    department_id="bigint",
)
_NUMBER = PlannedQuery(
    "current_number",
    lambda client_id: PhoneNumber.objects.filter(client=client_id, is_current=True),
    client_id="bigint",
)


def supervised_department(user: User) -> Department:
    """The department whose figures the user sees as its supervisor or administrator. Raises Http404."""
    if user.department is None or not user.is_supervisor:
        raise Http404
    return user.department


def administered_department(user: User) -> Department:
    """The department that the user manages. Raises Http404."""
    if user.department is None or not user.is_administrator:
        raise Http404
    return user.department


def managed_status_for(user: User, status_id: int) -> ClientStatus:
    """A status of the department that the user manages. Raises Http404."""
    department = administered_department(user)
    known = ClientStatus.objects.select_related("department").filter(department=department)
    status = known.filter(pk=status_id).first() if status_id <= _MAX_ID else None
    if status is None:
        raise Http404
    return status


@dataclass(frozen=True)
class Conversation:
    """One of a client's assignments as one person may see it.

    is_own: the client is on the person's list. can_answer: that, or unclaimed, or a supervisor's look. An ended one is
    for reading only.
    """

    client: Client
    assignment: CaseAssignment
    number: PhoneNumber | None
    is_own: bool
    can_answer: bool

    @property
    def is_former(self) -> bool:
        """Whether the client is on no list any more, or on a colleague's."""
        return not self.assignment.is_open

    @property
    def is_unclaimed(self) -> bool:
        """Whether the client waits for a case manager."""
        return self.assignment.is_open and self.assignment.case_manager_id is None

    @property
    def is_dismissed(self) -> bool:
        """Whether a supervisor took the client off the unclaimed."""
        return self.assignment.case_manager_id is None and self.assignment.end_reason == EndReason.DISMISSED

    @property
    def is_colleagues(self) -> bool:
        """Whether a colleague works, or worked, with the client: who may look is written down."""
        return not self.is_own and self.assignment.case_manager_id is not None


def may_answer(assignment: CaseAssignment, user: User) -> bool:
    """Whether the user may write to the client of this assignment, which is of the user's department.

    Its case manager, everybody while it is unclaimed, supervisors anyway. In an ended one nobody.
    """
    if not assignment.is_open or not user.is_active:
        return False
    return assignment.case_manager_id in (user.pk, None) or user.is_supervisor


def conversation_for(user: User, client_id: int) -> Conversation:
    """The client's conversation: for its case manager, a supervisor of the department, everybody while it is unclaimed.

    Who had the client before keeps the old conversation for reading. Raises Http404 for everybody else.
    """
    if user.department is None or client_id > _MAX_ID:
        raise Http404
    assignment = _ASSIGNMENT.first(client_id=client_id, department_id=user.department.pk)
    if assignment is None or not may_answer(assignment, user):
        assignment = _former(user, client_id)
    if assignment is None:
        raise Http404
    assignment.client.department = user.department
    is_own = assignment.is_open and assignment.case_manager_id == user.pk
    number = _NUMBER.first(client_id=client_id)
    return Conversation(assignment.client, assignment, number, is_own, may_answer(assignment, user))


def _former(user: User, client_id: int) -> CaseAssignment | None:
    """The user's own ended assignment; for a supervisor, if nobody has the client, the one that ended last."""
    ended = CaseAssignment.objects.select_related("client", "status", "case_manager").filter(
        client=client_id, client__department=user.department, client__merged_into__isnull=True, ended_at__isnull=False
    )
    mine = ended.filter(case_manager=user).first()
    if mine is not None or not user.is_supervisor:
        return mine
    return ended.order_by("-ended_at", "-pk").first()


def survivor_of(user: User, client_id: int) -> int | None:
    """Into which client this one was merged, if so; None also for a client of another department."""
    merged = Client.objects.filter(pk=client_id, department=user.department_id) if client_id <= _MAX_ID else None
    return merged.values_list("merged_into", flat=True).first() if merged is not None else None


def message_for(user: User, client_id: int, public_id: UUID) -> Message:
    """An outgoing text that the user decides on. Raises Http404."""
    conversation = answerable_conversation_for(user, client_id)
    sent = Message.objects.filter(assignment=conversation.assignment, direction=Message.Direction.OUTGOING)
    message = sent.select_related("assignment").filter(public_id=public_id).first()
    if message is None or not may_settle(message, user):
        raise Http404
    return message


def may_settle(message: Message, user: User) -> bool:
    """Whether the user decides on a text that stopped on its way: who works with the client, or who wrote it.

    Asked of texts of the user's own department.
    """
    return may_settle_in(message.assignment, message.author_id, user)


def may_settle_in(assignment: CaseAssignment, author_id: int | None, user: User) -> bool:
    """The same for a text that stands in this assignment and was written by that person."""
    is_theirs = assignment.case_manager_id in (user.pk, None) or author_id == user.pk
    return is_theirs and may_answer(assignment, user)


def answerable_conversation_for(user: User, client_id: int) -> Conversation:
    """The conversation if the user may write in it. Raises Http404."""
    conversation = conversation_for(user, client_id)
    if not conversation.can_answer:
        raise Http404
    return conversation


def own_conversation_for(user: User, client_id: int) -> Conversation:
    """The conversation if the client is the user's own. Raises Http404."""
    conversation = conversation_for(user, client_id)
    if not conversation.is_own:
        raise Http404
    return conversation


def may_transfer(shown: Conversation, user: User) -> bool:
    """Whether the user may give the client to a colleague: who has the client, or a supervisor. Not while unclaimed."""
    return shown.assignment.is_open and (shown.is_own or (shown.is_colleagues and user.is_supervisor))


def person_for(user: User, person_id: int) -> User:
    """Somebody of the department whose supervisor or administrator the user is. Raises Http404."""
    department = supervised_department(user)
    people = User.objects.filter(department=department, pk=person_id) if person_id <= _MAX_ID else None
    found = people.first() if people is not None else None
    if found is None:
        raise Http404
    found.department = department
    return found


def unclaimed_for(user: User, client_id: int) -> Conversation:
    """The conversation of a client whom nobody works with. Raises Http404."""
    conversation = conversation_for(user, client_id)
    if not conversation.is_unclaimed:
        raise Http404
    return conversation


def dismissed_for(user: User, client_id: int) -> Conversation:
    """The conversation of a client whom a supervisor dismissed; for supervisors. Raises Http404."""
    conversation = conversation_for(user, client_id)
    if not user.is_supervisor or not conversation.is_dismissed:
        raise Http404
    return conversation


def taken_by(user: User, client_id: int, now: datetime) -> User | None:
    """Who has a client that was among the department's unclaimed a while ago, for a person with an old page.

    None: nobody has, it was dismissed. Raises Http404 for any other client.
    """
    if user.department is None or client_id > _MAX_ID:
        raise Http404
    waited = CaseAssignment.objects.filter(
        client=client_id,
        client__department=user.department,
        case_manager__isnull=True,
        end_reason__in=[EndReason.CLAIMED, EndReason.MERGED, EndReason.DISMISSED],
        ended_at__gt=now - SAID_FOR,
    )
    left = waited.select_related("client").first()
    if left is None:
        raise Http404
    now_at = left.client.merged_into_id or client_id
    has = CaseAssignment.objects.select_related("case_manager").filter(client=now_at, ended_at__isnull=True).first()
    return has.case_manager if has is not None else None


def own_mass_message_for(user: User, mass_id: int) -> MassMessage:
    """A mass message that the user wrote, in the department where they still are. Raises Http404."""
    own = MassMessage.objects.select_related("department", "author")
    mass = own.filter(pk=mass_id, author=user, department=user.department_id).first()
    if mass is None:
        raise Http404
    return mass


def mass_record_for(user: User, mass_id: int) -> MassMessage:
    """The record of one: for its author, or a supervisor of the department (who only looks). Raises Http404.

    A draft is nobody's but its author's.
    """
    seen = MassMessage.objects.select_related("department", "author").filter(pk=mass_id, department=user.department_id)
    mass = seen.first()
    if mass is None or not (mass.author_id == user.pk or (user.is_supervisor and not mass.is_draft)):
        raise Http404
    return mass


def formerly_own_client_for(user: User, client_id: int) -> Client:
    """A client whom the user deleted, whoever has it now, or who is the user's own again. Raises Http404."""
    if client_id > _MAX_ID:
        raise Http404
    own = CaseAssignment.objects.select_related("client").filter(client=client_id, case_manager=user)
    assignment = own.filter(client__department=user.department_id, client__merged_into__isnull=True).first()
    if assignment is None or not (assignment.is_open or assignment.end_reason == CaseAssignment.EndReason.DELETED):
        raise Http404
    return assignment.client


def own_import_for(user: User, import_id: int) -> ClientImport:
    """A file of clients that the user imports; for somebody else only as long as they administer. Raises Http404."""
    own = ClientImport.objects.select_related("department", "made_by", "for_whom")
    found = own.filter(pk=import_id, made_by=user, department=user.department_id).first()
    if found is None or (found.is_for_another and not user.is_administrator):
        raise Http404
    return found
