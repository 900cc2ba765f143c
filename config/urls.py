from django.contrib import admin
from django.urls import include, path

from web.views.session import admin_sign_in

handler400 = "web.views.errors.bad_request"
handler403 = "web.views.errors.permission_denied"
handler404 = "web.views.errors.not_found"
handler500 = "web.views.errors.server_error"

urlpatterns = [
    # One door for all, with one count of attempts.
    path("admin/login/", admin_sign_in),
    path("admin/", admin.site.urls),
    path("api/v1/", include("api.urls")),
    path("", include("web.urls")),
]
