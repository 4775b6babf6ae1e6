"""Our pages. The id in /conversations/<id>/ is the client's: links in mails outlive transfers and claims."""

from django.urls import path

from messaging.views import (
    caseload,
    conversations,
    department,
    held,
    help,
    imports,
    mass_drafts,
    mass_records,
    numbers,
    scheduled,
    settling,
)

urlpatterns = [
    path("", caseload.my_clients, name="my-clients"),
    path("clients/new/", caseload.client_new, name="client-new"),
    path("clients/import/", imports.client_import, name="client-import"),
    path("clients/import/<int:import_id>/", imports.client_import_check, name="client-import-check"),
    path("clients/import/<int:import_id>/not-taken.csv", imports.not_taken, name="client-import-not-taken"),
    path("clients/export/", imports.client_export, name="client-export"),
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
    path("mass-messages/", mass_records.mass_messages_list, name="mass-messages"),
    path("mass-messages/new/", mass_drafts.mass_new, name="mass-new"),
    path("mass-messages/<int:mass_id>/", mass_records.mass_message, name="mass-message"),
    path("mass-messages/<int:mass_id>/edit/", mass_drafts.mass_draft, name="mass-draft"),
    path("mass-messages/<int:mass_id>/check/", mass_drafts.mass_check, name="mass-check"),
    path("mass-messages/<int:mass_id>/drop/<int:client_id>/", mass_records.mass_drop, name="mass-drop"),
    path("mass-messages/<int:mass_id>/<str:choice>/", mass_records.mass_choice, name="mass-choice"),
    path("help/", help.help_page, name="help"),
]
