"""The application's one clock.

`ETALON_NOW` fixes it for tests, benchmarks and demonstrations. A *simulated* clock is used by the
real services while a history is loaded; the audit log marks what was done under it. Leases,
tokens and `known_from` never use this clock: they use the database's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

_simulated: ContextVar[datetime | None] = ContextVar("simulated_now", default=None)


def now() -> datetime:
    """The instant that the application calls now, aware and in UTC."""
    return _simulated.get() or settings.ETALON_NOW or timezone.now()


def today(zone: str = "UTC") -> date:
    """The day that it is now in a time zone."""
    return now().astimezone(ZoneInfo(zone)).date()


def is_simulated() -> bool:
    return _simulated.get() is not None


@contextmanager
def simulated(instant: datetime) -> Iterator[None]:
    """Declare that what happens inside happened at another instant, as far as records say."""
    token = _simulated.set(instant)
    try:
        yield
    finally:
        _simulated.reset(token)
