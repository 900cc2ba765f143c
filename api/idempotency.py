"""Writes that may be sent twice: with an Idempotency-Key the second answer is the first one.

The key's row is written in the transaction of the deed. A copy that arrives at the same moment
waits for that transaction and then finds the answer; a refused write leaves nothing behind, so
that it is judged anew when it is sent again.
"""

import hashlib
from functools import wraps

import orjson
from django.db import connection, transaction
from rest_framework.response import Response

from api.rendering import to_json
from core.errors import EtalonError, Invalid
from core.models import IdempotentAnswer


class KeyReused(EtalonError):
    """The same key came with another request before."""

    code = "idempotency_key_reused"
    status = 422


MAX_KEY = 80


def idempotent(handler):
    """Make a writing method of a view honour the Idempotency-Key header."""

    @wraps(handler)
    def once(view, request, *args, **kwargs):
        key = request.headers.get("Idempotency-Key", "").strip()
        if not key:
            return handler(view, request, *args, **kwargs)
        if len(key) > MAX_KEY:
            raise Invalid(f"An Idempotency-Key has at most {MAX_KEY} characters.")
        with transaction.atomic():
            earlier = _claim(request, key)
            if earlier is not None:
                return earlier
            response = handler(view, request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
                return response
            IdempotentAnswer.objects.filter(user=request.user, key=key).update(
                status=response.status_code,
                body=orjson.loads(to_json(response.data)),
                location=response.headers.get("Location", ""),
            )
            return response

    once.is_idempotent = True
    return once


def _claim(request, key: str) -> Response | None:
    """Take the key for this request, or give the answer that it was given before."""
    fingerprint = _fingerprint(request)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO core_idempotentanswer (user_id, key, fingerprint, location, created_at)"
            " VALUES (%s, %s, %s, '', clock_timestamp()) ON CONFLICT (user_id, key) DO NOTHING",
            [request.user.pk, key, fingerprint],
        )
        if cursor.rowcount:
            return None
    row = IdempotentAnswer.objects.get(user=request.user, key=key)
    if row.fingerprint != fingerprint:
        raise KeyReused(
            "This Idempotency-Key came with another request before. Use a new key for a new request"
        )
    response = Response(row.body, status=row.status)
    response["Idempotent-Replay"] = "true"
    if row.location:
        response["Location"] = row.location
    return response


def _fingerprint(request) -> str:
    body = to_json([request.method, request.get_full_path(), request.data])
    return hashlib.sha256(body).hexdigest()
