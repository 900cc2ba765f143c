"""One shape for every refusal of the API: {"code", "message", "details"}.

`code` is for machines and stays; `message` is a sentence for people that says what is wrong and
what to do next; `details` holds what belongs to that code, e.g. all problems with their places.
"""

from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DatabaseError, IntegrityError, OperationalError
from django.http import Http404
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback

from core.errors import EtalonError

# What DRF refuses by itself, in our words.
_MESSAGES = {
    exceptions.NotAuthenticated: (
        "not_authenticated",
        "Sign in, or send a token: Authorization: Bearer etl_…",
    ),
    exceptions.MethodNotAllowed: ("method_not_allowed", "This address does not take that method."),
    exceptions.UnsupportedMediaType: (
        "unsupported_media_type",
        "Send JSON: Content-Type: application/json.",
    ),
    exceptions.NotAcceptable: ("not_acceptable", "Answers are JSON: Accept: application/json."),
}


def body_of(code: str, message: str, **details) -> dict:
    return {"code": code, "message": message, "details": details}


def handle(error, context):
    """Turn an exception into the answer; None leaves it to fail loudly as a bug."""
    if isinstance(error, EtalonError):
        set_rollback()
        return Response(body_of(error.code, error.message, **error.details), status=error.status)
    if isinstance(error, Http404):
        message = "There is no such thing, or you may not know of it."
        return Response(body_of("not_found", message), status=status.HTTP_404_NOT_FOUND)
    if isinstance(error, PermissionDenied):
        message = str(error) or "You may not do this."
        return Response(body_of("not_allowed", message), status=status.HTTP_403_FORBIDDEN)
    if isinstance(error, RequestDataTooBig):
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 1e6
        message = f"The body is larger than {limit:.1f} MB. Send less at once."
        return Response(body_of("too_large", message), status=413)
    if isinstance(error, IntegrityError):
        set_rollback()
        message = "Something else was saved at the same moment. Read it again, then try again."
        return Response(body_of("conflict", message), status=status.HTTP_409_CONFLICT)
    if isinstance(error, OperationalError):
        return _database_away()
    if isinstance(error, DatabaseError):
        return None
    return _from_rest_framework(error, context)


def _database_away():
    message = "The database does not answer. Nothing was changed; try again in a few seconds."
    answer = Response(body_of("unavailable", message), status=503)
    answer["Retry-After"] = "5"
    return answer


def _from_rest_framework(error, context):
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        problems = problems_in(error.detail)
        sentence = problems[0]["message"] if len(problems) == 1 else "Some fields are not right."
        response.data = body_of("invalid", sentence, problems=problems)
        return response
    code, message = _MESSAGES.get(type(error), (None, None))
    response.data = body_of(
        code or getattr(error, "default_code", "error"), message or str(error.detail)
    )
    return response


def problems_in(detail) -> list[dict]:
    """The errors of a serializer as rows with a place, a code and a message."""
    return list(_problems(detail))


def _problems(detail, place: str = ""):
    """Flatten DRF's nested errors into rows with a place, e.g. `items.0.key`."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _problems(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(detail, list):
        for position, inner in enumerate(detail):
            nested = isinstance(inner, dict | list)
            yield from _problems(inner, f"{place}.{position}" if nested else place)
    else:
        yield {"place": place, "code": getattr(detail, "code", "invalid"), "message": str(detail)}
