"""Every address of the product. /healthz and /readyz are answered before these (clientcomm/health.py)."""

from django.urls import include, path

from clientcomm import admin

urlpatterns = [
    path("", include("messaging.urls")),
    path("", include("accounts.urls")),
    path("admin/", admin.site.urls),
    path("webhooks/twilio/", include("telephony.urls")),
]
