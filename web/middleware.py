"""What holds for every page: signed in, the reader's time zone, and refusals shown as pages."""

from contextlib import nullcontext
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseNotAllowed
from django.utils import timezone

from core.errors import EtalonError
from web.views.errors import method_refused, refused


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


class Readable:
    """What a page is asked must be readable: read and sent, nothing else, and without the one
    character that no database keeps. The API answers for its own requests."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path.startswith("/api/"):
            return self.get_response(request)
        if request.method not in ("GET", "HEAD", "POST"):
            return method_refused(request, "GET, HEAD, POST")
        if _holds_nul(request):
            return refused(request, "A text holds the character NUL. Take it out.", 400)
        return self.get_response(request)


def _holds_nul(request) -> bool:
    sent = [request.GET, request.POST] if request.method == "POST" else [request.GET]
    texts = (text for form in sent for name, given in form.lists() for text in (name, *given))
    return "\0" in request.path or any("\0" in text for text in texts)


class ReaderTimeZone:
    """Show times in the zone that the signed-in person chose."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        zone = _zone_of(getattr(request.user, "time_zone", ""))
        with timezone.override(zone) if zone else nullcontext():
            return self.get_response(request)


def _zone_of(name: str) -> ZoneInfo | None:
    """The zone of a name, if this system has it. The list of all is read from the disk each time
    that it is asked for, which is too slow for every request."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Refusals:
    """Show an expected failure that no view caught as a page with its sentence and status.

    Everything else is a bug and stays one.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if isinstance(response, HttpResponseNotAllowed) and not response.content:
            return method_refused(request, response["Allow"])
        return response

    def process_exception(self, request, exception):
        if isinstance(exception, EtalonError):
            return refused(request, exception.message, exception.status)
        return None
