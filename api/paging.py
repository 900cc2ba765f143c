"""Cursors of lists, as parameters of the API."""

from rest_framework.request import Request

from api.parameters import Refused, whole_number
from core.cursors import cursor_after, position_of
from core.errors import Invalid

DEFAULT_LIMIT = 50
MAX_LIMIT = 200


def limit_of(request: Request) -> int:
    return whole_number(request, "limit", default=DEFAULT_LIMIT, low=1, high=MAX_LIMIT)


def cursor_of(request: Request):
    """What the last page left off at, or None on the first."""
    token = request.query_params.get("cursor")
    if not token:
        return None
    try:
        return position_of(token, request.path, request.query_params.lists())
    except Invalid as error:
        raise Refused("cursor", error.message) from error


def page(request: Request, rows: list, position) -> dict:
    """One page of a list; `position` is where the next one begins, None after the last."""
    following = None
    if position is not None:
        following = cursor_after(position, request.path, request.query_params.lists())
    return {"results": rows, "next_cursor": following}
