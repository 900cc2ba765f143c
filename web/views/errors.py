"""Pages for what went wrong: what happened, whether work is kept, and what to do next."""

import structlog
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.views.decorators.csrf import requires_csrf_token

from core.request_ids import current_request_id

log = structlog.get_logger(__name__)

HEADINGS = {
    400: "This request could not be read",
    403: "You may not open this",
    404: "There is nothing at this address",
    405: "This address does not take that",
    409: "This has changed meanwhile",
    410: "This is gone",
    413: "This is too large",
    422: "This cannot be accepted as it is",
    503: "Something that is needed is away",
}
HINTS = {
    400: "Go back and try again. Nothing was saved.",
    403: "If you need it for your work, ask a steward or an administrator of Etalon. "
    "Nothing was changed.",
    404: "The address may be mistyped, or what was here had another name. Search for it.",
    405: "Go to the page that you came from and use its buttons. Nothing was changed.",
    409: "Go back, read the page again and decide anew. Nothing was saved.",
    413: "Go back and shorten the longest text. Nothing was saved.",
    422: "Go back and correct what is said above. Nothing was saved.",
    503: "Try again in a minute. Nothing was lost.",
}


def refused(request, message: str, status: int, *, back: str = ""):
    """Answer with a page; a panel of htmx gets the sentence alone, which is shown as a toast."""
    if getattr(request, "htmx", False):
        return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
    context = {
        "status": status,
        "heading": HEADINGS.get(status, "This did not work"),
        "message": message,
        "hint": HINTS.get(status, ""),
        "back": back,
    }
    if status == 404 and not getattr(getattr(request, "user", None), "is_authenticated", False):
        context["hint"] = "The address may be mistyped. To look for it, sign in."
    return render(request, "errors/refused.html", context, status=status)


def method_refused(request, allowed: str):
    """An address that is only read, or only sent to."""
    message = f"It takes {allowed}, and this was {request.method[:20]}."
    response = refused(request, message, 405, back=_page_above(request.path))
    response["Allow"] = allowed
    return response


def _page_above(path: str) -> str:
    """The page whose button sends to this address, which stands one step above it."""
    above = path.rstrip("/").rpartition("/")[0]
    try:
        resolve(above)
    except Resolver404:
        return ""
    return above


def bad_request(request, exception):
    if isinstance(exception, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1e6
        return refused(request, f"What was sent is larger than {limit:.1f} MB.", 413)
    return refused(request, "The server could not make sense of what your browser sent.", 400)


@requires_csrf_token
def permission_denied(request, exception):
    return refused(request, str(exception) or "Your roles do not include this.", 403)


def not_found(request, exception):
    return refused(request, "No metric, request or page of that name exists, or not for you.", 404)


def csrf_failed(request, reason=""):
    """The form's key did not fit: the session ended, or the page is from another sign-in."""
    message = "This form is from an earlier session, so it was not taken."
    if getattr(request, "htmx", False):
        return HttpResponse(
            f"{message} Load the page again.", status=403, content_type="text/plain"
        )
    context = {
        "status": 403,
        "heading": "This form is too old",
        "message": message,
        "hint": "Go back, load the page again and send it once more. Your text is still in the "
        "form of the page before.",
    }
    return render(request, "errors/refused.html", context, status=403)


def server_error(request):
    """A page that needs neither database nor session, since those may be what failed."""
    reference = current_request_id()
    log.error("page_failed", reference=reference, path=request.path)
    if request.headers.get("HX-Request"):
        text = f"Something failed on our side. Nothing was half saved. Reference {reference}."
        return HttpResponse(text, status=500, content_type="text/plain; charset=utf-8")
    page = render_to_string("errors/failed.html", {"reference": reference})
    return HttpResponse(page, status=500)
