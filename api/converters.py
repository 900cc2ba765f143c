"""What may stand in an address."""

from typing import Any, ClassVar

from django.urls import register_converter


class Move:
    """A verb on a backfill."""

    regex = "pause|resume|cancel|retry|release"
    choices: ClassVar[list[Any]] = regex.split("|")

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Move, "move")
