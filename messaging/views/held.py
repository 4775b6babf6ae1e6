"""The held texts of all one's clients: each waits for a decision."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from messaging import waiting
from messaging.views.people import department_of, person


@require_GET
def held_texts(request: HttpRequest) -> HttpResponse:
    zone = department_of(request).zone
    items, page = waiting.held(person(request), zone=zone, page_number=request.GET.get("page", "1"))
    return render(request, "held.html", {"items": items, "page": page})
