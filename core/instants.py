"""Instants of record time as people write them, and as a loaded history has them.

A history that was loaded was made within minutes, under a clock that was declared to be another.
An instant inside of it means the moment of the load at which that much had been told.
"""

from datetime import UTC, date, datetime
from typing import TypeVar

from django.db.models import Max

from core.models import AuditEvent

FIRST_YEAR, LAST_YEAR = 1900, 2999
Moment = TypeVar("Moment", date, datetime)
# What changes what readers see: new versions and cards, and new values.
_SHOWN = ("change.publish", "backfill.finish")


def read_instant(text: str) -> datetime:
    """`2026-03-31` is the end of that day, `2026-03-31T12:00:00Z` itself; UTC unless told.
    Raises ValueError when it is neither."""
    if len(text) == 10:
        day = within(date.fromisoformat(text))
        return datetime(day.year, day.month, day.day, 23, 59, 59, 999999, tzinfo=UTC)
    found = within(datetime.fromisoformat(text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def within(found: Moment) -> Moment:
    """Within the years that can be counted on from, forwards and backwards."""
    if not FIRST_YEAR <= found.year <= LAST_YEAR:
        raise ValueError
    return found


def told_by(instant: datetime) -> datetime:
    """Until when, by the database's clock, that had been recorded which was known at an instant.

    It is the instant itself unless a history was loaded later that reaches back beyond it.
    """
    loaded = AuditEvent.objects.filter(
        is_simulated=True, action__in=_SHOWN, happened_at__lte=instant, recorded_at__gt=instant
    )
    return loaded.aggregate(last=Max("recorded_at"))["last"] or instant
