"""Who and why, for the next row that django-simple-history writes about a row."""

from typing import Any, TypeVar

Row = TypeVar("Row")

LONGEST_REASON = 100  # the column of django-simple-history


def sign(row: Row, *, actor, reason: str = "") -> Row:
    """Say who changes this row and why. It holds outside of requests too, and None is nobody."""
    signed: Any = row
    signed._history_user = actor
    signed._change_reason = reason[:LONGEST_REASON] or None
    return row


def keep_quiet(row: Any) -> None:
    """Let the next save of this row leave no history: it is nothing that people edit."""
    row.skip_history_when_saving = True
