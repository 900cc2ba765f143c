from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from web.views.session import admin_sign_in

handler400 = "web.views.errors.bad_request"
handler403 = "web.views.errors.permission_denied"
handler404 = "web.views.errors.not_found"
handler500 = "web.views.errors.server_error"

urlpatterns = [
    # One door for all, with one count of attempts.
    path("admin/login/", admin_sign_in),
    # And one place where people change their password, which is recorded.
    path("admin/password_change/", RedirectView.as_view(pattern_name="web:password")),
    path("admin/", admin.site.urls),
    path("api/v1/", include("api.urls")),
    path("", include("web.urls")),
]
