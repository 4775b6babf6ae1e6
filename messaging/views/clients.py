"""New client, Manage client, deleting and restoring."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts import phone_numbers
from messaging import access, known_numbers, waiting
from messaging.access import Conversation
from messaging.actions import ending, managing
from messaging.actions.caseload import AccountClosed, Added, add_client
from messaging.actions.managing import Changed, Fields
from messaging.actions.sending import NotYours
from messaging.client_forms import ManageForm, SeenForm, read_answer
from messaging.forms import NewClientForm
from messaging.known_numbers import ColleaguesClient, MustAsk
from messaging.models import Message
from messaging.views.people import department_of, person


@require_http_methods(["GET", "POST"])
def client_new(request: HttpRequest) -> HttpResponse:
    """A client for the list of the person who asks. Saving opens the conversation, or asks first."""
    department = department_of(request)
    form = NewClientForm(request.POST if request.method == "POST" else None, department=department)
    if form.is_valid() and not _goes_back(request):
        new, answer = form.new_client(), read_answer(request.POST)
        try:
            added = add_client(new=new, by=person(request), department=department, now=timezone.now(), answer=answer)
        except ColleaguesClient as refusal:
            form.add_error("phone_number", _colleagues_words(refusal))
        except AccountClosed as error:
            raise PermissionDenied from error
        except MustAsk as question:
            return _ask(request, form, question)
        else:
            _tell_added(request, added)
            return redirect("conversation", added.assignment.client_id)
    return render(request, "client_new.html", {"form": form})


@require_http_methods(["GET", "POST"])
def client_manage(request: HttpRequest, client_id: int) -> HttpResponse:
    """All that is known of one's client, to be changed. Saving opens the conversation, or asks first."""
    shown = access.own_conversation_for(person(request), client_id)
    fields = managing.fields_of(shown.assignment, shown.number)
    data = request.POST if request.method == "POST" else None
    form = ManageForm(data, department=department_of(request), shown=fields)
    if form.is_valid() and not _goes_back(request):
        return _change(request, shown, form)
    return _manage_page(request, shown, form)


@require_http_methods(["GET", "POST"])
def client_delete(request: HttpRequest, client_id: int) -> HttpResponse:
    """Says what will happen, then does it. The page shows what is unread; what came since is shown first, too."""
    shown = access.conversation_for(person(request), client_id)
    if not shown.is_own:
        return _deleted_already(request, shown)
    form = SeenForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _delete_page(request, shown)
    by, now = person(request), timezone.now()
    try:
        ending.delete_client(client_id=client_id, by=by, now=now, **form.cleaned_data)
    except ending.NewTexts:
        messages.warning(request, _("A new text came meanwhile. Nothing was deleted."))
        return _delete_page(request, shown)
    except NotYours as error:
        raise Http404 from error
    return _deleted(request, shown, _("%(name)s is no longer on your list. The messages are kept."))


@require_POST
def client_restore(request: HttpRequest, client_id: int) -> HttpResponse:
    """A client whom the person deleted, back on the list."""
    user = person(request)
    client = access.formerly_own_client_for(user, client_id)
    try:
        restored = ending.restore_client(client_id=client_id, by=user, now=timezone.now())
    except ColleaguesClient as refusal:
        words = _("%(name)s works with %(client)s now. A supervisor can transfer them to you.")
        messages.error(request, words % {"name": refusal.colleague.full_name, "client": client})
        return redirect("conversation", client_id)
    except AccountClosed as error:
        raise PermissionDenied from error
    except NotYours as error:
        raise Http404 from error
    if restored.was_unclaimed:
        messages.success(
            request, _("%(name)s is back on your list, with the texts that came meanwhile.") % {"name": client}
        )
    elif not restored.was_mine:
        messages.success(request, _("%(name)s is back on your list, with the whole conversation.") % {"name": client})
    return redirect("conversation", client_id)


# --- What is asked first ---


def _goes_back(request: HttpRequest) -> bool:
    """From the page that asks, to the form with all that was typed."""
    return request.POST.get("answer") == "back"


def _ask(
    request: HttpRequest, form: NewClientForm, question: MustAsk, managed: Conversation | None = None
) -> HttpResponse:
    """Shows what is known of the number. All that was typed goes along, whatever is answered."""
    known = question.known
    texts, count = known_numbers.strangers_texts(known.client)
    merge_url = ""
    if managed is not None and known.whose is known_numbers.Whose.MINE:
        merge_url = f"{reverse('client-merge', args=[managed.client.pk])}?with={known.client.pk}"
    context = {
        "form": form,
        "known": known,
        "whose": known.whose.value,
        "choices": [choice.value for choice in question.choices],
        "number": known.number.display,
        "name": known.client.full_name,
        "typed_name": str(managed.client) if managed else form.typed_name,
        "texts": waiting.text_items(texts, department_of(request).zone),
        "text_count": count,
        "is_managed": managed is not None,
        "merge_url": merge_url,
    }
    return render(request, "client_known.html", context)


def _colleagues_words(refusal: ColleaguesClient) -> str:
    name = {"name": refusal.colleague.full_name}
    if refusal.was_given_up:
        return (
            _("A client of %(name)s had this number before, and texts from it go there. Ask %(name)s or a supervisor.")
            % name
        )
    return _("%(name)s works with the client of this number. A supervisor can transfer them to you.") % name


def _tell_added(request: HttpRequest, added: Added) -> None:
    if added.was_mine:
        messages.info(request, _("You have this client already. Nothing was changed."))
    elif added.was_unclaimed:
        messages.info(request, _("Texts had come from this number already. They are below."))
    elif added.was_restored:
        messages.info(request, _("This client was on your list before, and is back with the whole conversation."))


# --- Manage client ---


def _change(request: HttpRequest, shown: Conversation, form: ManageForm) -> HttpResponse:
    wanted, seen = form.new_client(), form.cleaned_data["seen"]
    by, now, answer = person(request), timezone.now(), read_answer(request.POST)
    try:
        changed = managing.change_client(
            client_id=shown.client.pk, wanted=wanted, seen=seen, by=by, now=now, answer=answer
        )
    except ColleaguesClient as refusal:
        form.add_error("phone_number", _colleagues_words(refusal))
    except managing.ChangedMeanwhile as refusal:
        form.with_fresh_stamp(refusal.fields)
        form.add_error(
            None,
            _("This client was changed meanwhile, perhaps by you in another window. Compare, then save again."),
        )
        return _manage_page(request, shown, form, meanwhile=refusal.fields)
    except NotYours as error:
        raise Http404 from error
    except MustAsk as question:
        return _ask(request, form, question, shown)
    else:
        _tell_changed(request, changed)
        return redirect("conversation", shown.client.pk)
    return _manage_page(request, shown, form)


def _manage_page(
    request: HttpRequest, shown: Conversation, form: ManageForm, meanwhile: Fields | None = None
) -> HttpResponse:
    now_there = []
    if meanwhile is not None:
        saved = {**vars(meanwhile), "phone_number": phone_numbers.display(meanwhile.phone_number)}
        now_there = [
            (field.label, saved[field.name])
            for field in form.visible_fields()
            if str(saved[field.name] or "") != _typed(form, field)
        ]
    context = {
        "form": form,
        "client": shown.client,
        "display_number": shown.number.display if shown.number else "",
        "now_there": now_there,
        "scheduled_count": shown.assignment.scheduled_count,
        "held_count": shown.assignment.held_count,
    }
    return render(request, "client_manage.html", context)


def _typed(form: ManageForm, field: Any) -> str:
    """As it would be saved."""
    value = form.cleaned_data.get(field.name, "")
    return phone_numbers.display(value) if field.name == "phone_number" else str(value or "")


def _tell_changed(request: HttpRequest, changed: Changed) -> None:
    numbers = {"new": phone_numbers.display(changed.new_address), "old": phone_numbers.display(changed.old_address)}
    if changed.joined:
        messages.success(request, _("Saved. Both conversations are one now; texts go to %(new)s.") % numbers)
    elif changed.old_address:
        messages.success(request, _("Saved. Texts go to %(new)s now; those from %(old)s still arrive here.") % numbers)
    elif changed.new_address:
        messages.success(request, _("Saved. Texts go to %(new)s now.") % numbers)
    else:
        messages.success(request, _("Saved."))


# --- Deleting ---


def _delete_page(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """Unread texts, and what will be cancelled. Read after what it says was seen, so that a text that comes is news."""
    zone = shown.client.department.zone
    incoming = Message.objects.filter(assignment=shown.assignment, direction=Message.Direction.INCOMING)
    newest = incoming.aggregate(newest=Max("pk"))["newest"] or 0
    ahead, total = waiting.ahead(shown.assignment)
    unread = incoming.filter(read_at=None, pk__lte=newest).order_by("-placed_at", "-pk")
    context = {
        "client": shown.client,
        "display_number": shown.number.display if shown.number else "",
        "form": SeenForm(initial={"seen_up_to": newest}),
        "unread": waiting.text_items(list(unread[: known_numbers.SHOWN_AT_MOST])[::-1], zone),
        "unread_count": unread.count(),
        "ahead": ahead,
        "ahead_count": total,
    }
    return render(request, "client_delete.html", context)


def _deleted_already(request: HttpRequest, shown: Conversation) -> HttpResponse:
    """The button was pressed twice, or the page is an old one."""
    access.formerly_own_client_for(person(request), shown.client.pk)
    return _deleted(request, shown, _("%(name)s is not on your list any more."))


def _deleted(request: HttpRequest, shown: Conversation, words: str) -> HttpResponse:
    """My clients, with a notice that has the way back. extra_tags: where its button "Restore" posts to."""
    name = str(shown.client) if shown.client.full_name else (shown.number.display if shown.number else "")
    restore_url = reverse("client-restore", args=[shown.client.pk])
    messages.success(request, words % {"name": name or _("The client")}, extra_tags=restore_url)
    return redirect("my-clients")
