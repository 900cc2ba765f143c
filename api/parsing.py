"""JSON bodies, read strictly: what the database could not keep is refused before it gets there."""

import orjson
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

MAX_DEPTH = 60


class StrictJSONParser(JSONParser):
    """UTF-8 without lone surrogates, no NaN, no NUL character, and not nested without end."""

    def parse(self, stream, media_type=None, parser_context=None):
        try:
            body = orjson.loads(stream.read())
        except orjson.JSONDecodeError as error:
            raise ParseError(f"The body is no JSON: {error}.") from error
        _check(body)
        return body


def _check(body) -> None:
    waiting = [(body, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise ParseError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(value, dict):
            waiting += [(inner, depth + 1) for pair in value.items() for inner in pair]
        elif isinstance(value, list):
            waiting += [(inner, depth + 1) for inner in value]
        elif isinstance(value, str) and "\0" in value:
            raise ParseError("A text holds the character NUL, which cannot be kept. Take it out.")
