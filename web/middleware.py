"""What holds for every page: signed in, the reader's time zone, and refusals shown as pages."""

from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.utils import timezone

from core.errors import EtalonError
from web.views.errors import refused


class SignedIn(LoginRequiredMiddleware):
    """Every page is for people who are signed in, unless its view says otherwise.

    A form that was sent after the session ended leads back to the page it stood on: its own
    address may take no GET.
    """

    def handle_no_permission(self, request, view_func):
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        page = urlsplit(request.headers.get("Referer", ""))
        path = f"{page.path}?{page.query}" if page.query else page.path
        return redirect_to_login(path or "/", redirect_field_name=REDIRECT_FIELD_NAME)


class ReaderTimeZone:
    """Show times in the zone that the signed-in person chose."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        zone = getattr(request.user, "time_zone", "")
        if zone and zone in available_timezones():
            with timezone.override(ZoneInfo(zone)):
                return self.get_response(request)
        return self.get_response(request)


class Refusals:
    """Show an expected failure that no view caught as a page with its sentence and status.

    Everything else is a bug and stays one.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, EtalonError):
            return refused(request, exception.message, exception.status)
        return None
