"""Our pages. The id in /conversations/<id>/ is the client's: links in mails outlive transfers and claims."""

from django.urls import path

from messaging.views import caseload, conversations, department, held, help, numbers, scheduled, settling

urlpatterns = [
    path("", caseload.my_clients, name="my-clients"),
    path("clients/new/", caseload.client_new, name="client-new"),
    path("conversations/<int:client_id>/", conversations.conversation, name="conversation"),
    path("conversations/<int:client_id>/talk/", conversations.talk, name="conversation-talk"),
    path("conversations/<int:client_id>/read/", conversations.mark_read, name="conversation-read"),
    path("conversations/<int:client_id>/number/", numbers.number, name="conversation-number"),
    path(
        "conversations/<int:client_id>/messages/<uuid:public_id>/<str:choice>/", settling.settle, name="message-settle"
    ),
    path("department/", department.department, name="department"),
    path("department/try-again/", department.try_again, name="department-try-again"),
    path("conversations/<int:client_id>/scheduled/", scheduled.scheduled, name="conversation-scheduled"),
    path("conversations/<int:client_id>/scheduled/<uuid:public_id>/", scheduled.change, name="scheduled-change"),
    path(
        "conversations/<int:client_id>/scheduled/<uuid:public_id>/<str:choice>/",
        scheduled.settle,
        name="scheduled-settle",
    ),
    path("held/", held.held_texts, name="held-texts"),
    path("help/", help.help_page, name="help"),
]
