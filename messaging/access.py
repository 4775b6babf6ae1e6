"""The only way from a URL to a conversation or a department: 404 for what is not the asker's, as if it didn't exist."""

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404

from accounts.models import Department, User
from accounts.statements import PlannedQuery
from clients.models import CaseAssignment, Client, PhoneNumber
from messaging.models import MassMessage, Message

_MAX_ID = 2**63 - 1
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


@dataclass(frozen=True)
class Conversation:
    """A client's open assignment as one person may see it."""

    client: Client
    assignment: CaseAssignment
    number: PhoneNumber | None
    is_own: bool


def conversation_for(user: User, client_id: int) -> Conversation:
    """The client's conversation: for its case manager, or a supervisor of the department (who only looks).

    Raises Http404 for everybody else.
    """
    if user.department is None or client_id > _MAX_ID:
        raise Http404
    assignment = _ASSIGNMENT.first(client_id=client_id, department_id=user.department.pk)
    if assignment is None or not (assignment.case_manager_id == user.pk or user.is_supervisor):
        raise Http404
    assignment.client.department = user.department
    number = _NUMBER.first(client_id=client_id)
    return Conversation(assignment.client, assignment, number, is_own=assignment.case_manager_id == user.pk)


def own_message_for(user: User, client_id: int, public_id: UUID) -> Message:
    """An outgoing text in one of the user's own conversations. Raises Http404."""
    conversation = own_conversation_for(user, client_id)
    sent = Message.objects.filter(assignment=conversation.assignment, direction=Message.Direction.OUTGOING)
    message = sent.filter(public_id=public_id).first()
    if message is None:
        raise Http404
    return message


def own_conversation_for(user: User, client_id: int) -> Conversation:
    """The conversation if the client is the user's own. Raises Http404."""
    conversation = conversation_for(user, client_id)
    if not conversation.is_own:
        raise Http404
    return conversation


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
