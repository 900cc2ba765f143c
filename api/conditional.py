"""Reads that cost nothing when the reader already has the answer (RFC 9110, section 13)."""

import hashlib
from collections.abc import Callable

import orjson
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags
from rest_framework.response import Response

from api.rendering import to_json


def answer(request, build: Callable[[], object], *, stamp=None, status: int = 200) -> Response:
    """Answer a read with an ETag, or with 304 when it matches If-None-Match.

    `stamp` is anything that changes whenever the answer does (a revision number, an instant); with
    it a match costs no work. Without one the tag is made of the answer itself.
    """
    body = None
    if stamp is None:
        stamp = to_json(build())
        # It is written already, and is sent as it is.
        body = orjson.Fragment(stamp)
    else:
        stamp = to_json([request.get_full_path(), request.user.pk, stamp])
    tag = f'W/"{hashlib.sha256(stamp).hexdigest()[:32]}"'
    asked = {given.removeprefix("W/") for given in _given_tags(request)}
    if tag.removeprefix("W/") in asked or "*" in asked:
        response = Response(status=304)
    else:
        response = Response(build() if body is None else body, status=status)
    response["ETag"] = tag
    response["Cache-Control"] = "private, no-cache"
    patch_vary_headers(response, ["Authorization", "Cookie"])
    return response


def _given_tags(request) -> list[str]:
    return parse_etags(request.headers.get("If-None-Match", ""))
