"""What the lines of a conversation say that are no messages."""

from django.utils.translation import gettext as _

from accounts import phone_numbers
from clients.models import ConversationEvent


def event_text(event: ConversationEvent) -> str:
    name = event.by.full_name if event.by else ""
    match event.kind:
        case ConversationEvent.Kind.TRANSFERRED:
            return _transfer_text(event, name)
        case ConversationEvent.Kind.CLAIMED:
            return _claim_text(event, name)
        case ConversationEvent.Kind.NUMBER_CHANGED:
            return _number_text(event, name)
        case ConversationEvent.Kind.MERGED if event.other_client:
            return _("%(name)s merged %(other)s into this conversation") % {"name": name, "other": _other(event)}
        case ConversationEvent.Kind.DELETED if name:
            return _("Deleted by %(name)s") % {"name": name}
        case ConversationEvent.Kind.DISMISSED if name:
            return _("Dismissed by %(name)s") % {"name": name}
        case ConversationEvent.Kind.ADDED:
            return _("Added by %(name)s") % {"name": name}
        case ConversationEvent.Kind.RESTORED:
            return _("Back on the list of %(name)s") % {"name": name} if name else _("Back on the list: a text came")
        case ConversationEvent.Kind.OPTED_OUT if not name:
            return _("Opted out: no texts can be sent until the client texts START")
        case ConversationEvent.Kind.OPTED_IN if not name:
            return _("Opted in again by texting START")
    if name:
        what = {"what": event.get_kind_display(), "name": name, "reason": event.reason}
        return _("%(what)s, as %(name)s says: %(reason)s") % what
    return str(event.get_kind_display())


def _transfer_text(event: ConversationEvent, name: str) -> str:
    """With the note, and with who did it if that was neither of the two."""
    former, new = event.from_person, event.to_person
    words = _("Transferred from %(former)s to %(new)s") % {"former": former or _("nobody"), "new": new or _("nobody")}
    if event.by not in (None, former):
        words = _("%(what)s by %(name)s") % {"what": words, "name": name}
    return _with_reason(words, event.reason)


def _other(event: ConversationEvent) -> str:
    """Who was merged, with the number: the two may have the same name, or the one that is left has taken it."""
    if not event.old_address:
        return str(event.other_client)
    number = phone_numbers.display(event.old_address)
    return _("%(client)s, %(number)s,") % {"client": event.other_client, "number": number}


def _claim_text(event: ConversationEvent, name: str) -> str:
    if event.to_person is None or event.to_person == event.by:
        return _("Claimed by %(name)s") % {"name": name}
    return _("Given to %(new)s by %(name)s") % {"new": event.to_person, "name": name}


def _number_text(event: ConversationEvent, name: str) -> str:
    numbers = {"old": phone_numbers.display(event.old_address), "new": phone_numbers.display(event.new_address)}
    if not event.old_address:
        words = _("Number %(new)s added by %(name)s") % {**numbers, "name": name}
    elif not event.new_address:
        words = _("Number %(old)s taken away by %(name)s") % {**numbers, "name": name}
    else:
        words = _("Number changed from %(old)s to %(new)s by %(name)s") % {**numbers, "name": name}
    return _with_reason(words, event.reason)


def _with_reason(words: str, reason: str) -> str:
    return f"{words}: {reason}" if reason else words
