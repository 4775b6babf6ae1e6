"""Where the carrier posts. The paths are set up at Twilio: they never change."""

from django.urls import path

from telephony import webhooks

urlpatterns = [
    path("sms/", webhooks.inbound_sms, name="sms-inbound"),
    path("sms-status/", webhooks.sms_status, name="sms-status"),
]
