"""Every address of the product. /healthz and /readyz are answered before these (clientcomm/health.py)."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("messaging.urls")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("webhooks/twilio/", include("telephony.urls")),
]
