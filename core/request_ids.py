"""One id for one HTTP request: in its answer, in its lines of the log, and on the audit events that
it caused, so that a complaint can be followed to the deed."""

import re
import uuid
from contextvars import ContextVar

import structlog

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[A-Za-z0-9._-]{8,40}")
_current: ContextVar[str] = ContextVar("request_id", default="")


def current_request_id() -> str:
    """The id of the HTTP request that is being answered here; empty outside of one."""
    return _current.get()


class RequestId:
    """Take the caller's X-Request-ID over when it is a usable one, else make a new one."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get(HEADER, "")
        request_id = given if _USABLE.fullmatch(given) else uuid.uuid4().hex
        token = _current.set(request_id)
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                response = self.get_response(request)
        finally:
            _current.reset(token)
        response[HEADER] = request_id
        return response
