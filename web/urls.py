from django.urls import path

from web.views.health import healthz

app_name = "web"

urlpatterns = [
    path("healthz", healthz, name="healthz"),
]
