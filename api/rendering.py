"""JSON by orjson. Decimals become numbers with all their digits, never rounded by a float."""

from dataclasses import asdict, is_dataclass
from decimal import Decimal

import orjson
from rest_framework.renderers import JSONRenderer


def plain(value):
    """What orjson does not write by itself."""
    if isinstance(value, Decimal):
        text = format(value, "f")
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return orjson.Fragment(b"0" if text in ("", "-0") else text.encode())
    if is_dataclass(value):
        return asdict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)


def to_json(body) -> bytes:
    options = orjson.OPT_NON_STR_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_UTC_Z
    return orjson.dumps(body, default=plain, option=options)


class ExactJSONRenderer(JSONRenderer):
    charset = None

    def render(self, data, accepted_media_type=None, renderer_context=None):
        return b"" if data is None else to_json(data)
