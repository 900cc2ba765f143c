"""Cursors: opaque, signed, and good for the very query that they came from."""

import hashlib

from django.core import signing
from rest_framework.request import Request

from api.parameters import Refused, whole_number

DEFAULT_LIMIT = 50
MAX_LIMIT = 200
_SALT = "etalon.api.cursor"


def limit_of(request: Request) -> int:
    return whole_number(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)


def cursor_of(request: Request):
    """What the last page left off at, or None on the first."""
    token = request.query_params.get("cursor")
    if not token:
        return None
    try:
        fingerprint, position = signing.loads(token, salt=_SALT)
    except (signing.BadSignature, ValueError) as error:
        raise Refused("cursor", "This cursor is not one of ours. Start without one.") from error
    if fingerprint != _fingerprint(request):
        raise Refused(
            "cursor", "This cursor belongs to another query. Start that query without a cursor."
        )
    return position


def page(request: Request, rows: list, position) -> dict:
    """One page of a list; `position` is where the next one begins, None after the last."""
    following = None
    if position is not None:
        following = signing.dumps([_fingerprint(request), position], salt=_SALT)
    return {"results": rows, "next_cursor": following}


def _fingerprint(request: Request) -> str:
    asked = sorted(
        (name, value)
        for name, values in request.query_params.lists()
        if name not in ("cursor", "limit")
        for value in values
    )
    return hashlib.sha256(repr([request.path, asked]).encode()).hexdigest()[:16]
