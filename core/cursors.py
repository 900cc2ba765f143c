"""Where a list's next page begins: opaque, signed, good for the very query it came from."""

import hashlib
from collections.abc import Iterable
from typing import Any

from django.core import signing

from core.errors import Invalid

_SALT = "etalon.cursor"
# What says where one is in a list, and not which list it is.
_NOT_ASKED = ("cursor", "limit")


def cursor_after(position: Any, path: str, parameters: Iterable[tuple[str, list[str]]]) -> str:
    return signing.dumps([_fingerprint(path, parameters), position], salt=_SALT)


def position_of(cursor: str, path: str, parameters: Iterable[tuple[str, list[str]]]) -> Any:
    """What the last page left off at; refused when it was another list's last page."""
    try:
        fingerprint, position = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError) as error:
        raise Invalid("This cursor is not one of ours. Start without one.") from error
    if fingerprint != _fingerprint(path, parameters):
        raise Invalid("This cursor belongs to another query. Start that query without a cursor.")
    return position


def _fingerprint(path: str, parameters: Iterable[tuple[str, list[str]]]) -> str:
    asked = sorted(
        (name, value) for name, values in parameters if name not in _NOT_ASKED for value in values
    )
    return hashlib.sha256(repr([path, asked]).encode()).hexdigest()[:16]
