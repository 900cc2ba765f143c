"""Calendar periods: where one begins, which come next, and what people call it.

A period belongs to the run or window in which it begins; so every period is computed by exactly
one question, whatever the grain, and windows need no alignment of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from semantics.definition import Grain, Weekday

_FIRST_WEEKDAY = {Weekday.MONDAY: 0, Weekday.SATURDAY: 5, Weekday.SUNDAY: 6}
_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}
_ORDINALS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Calendar:
    """How a dataset cuts time."""

    zone: str = "UTC"
    week_start: Weekday = Weekday.MONDAY

    def floor(self, day: date, grain: Grain) -> date:
        """The first day of the period that a day lies in."""
        if grain == Grain.DAY:
            return day
        if grain == Grain.WEEK:
            return day - timedelta(days=(day.weekday() - _FIRST_WEEKDAY[self.week_start]) % 7)
        months = _MONTHS[grain]
        return day.replace(month=(day.month - 1) // months * months + 1, day=1)

    def ceil(self, day: date, grain: Grain) -> date:
        """The first period that begins on a day or after it."""
        start = self.floor(day, grain)
        return start if start == day else after(start, grain)

    def starts(self, start: date, until: date, grain: Grain) -> Iterator[date]:
        """Every period that begins in [start, until)."""
        period = self.ceil(start, grain)
        while period < until:
            yield period
            period = after(period, grain)


def after(period: date, grain: Grain) -> date:
    """The first day that is no longer in a period; it begins the next one."""
    if grain == Grain.DAY:
        return period + timedelta(days=1)
    if grain == Grain.WEEK:
        return period + timedelta(days=7)
    month = period.month - 1 + _MONTHS[grain]
    return period.replace(year=period.year + month // 12, month=month % 12 + 1)


@lru_cache(maxsize=10_000)
def label(period: date, grain: Grain) -> str:
    """A period as a chart's axis says it. Each is said of many values, a year's of each member."""
    if grain == Grain.MONTH:
        return f"{period:%B} {period.year}"
    if grain == Grain.QUARTER:
        return f"Q{(period.month + 2) // 3} {period.year}"
    if grain == Grain.YEAR:
        return str(period.year)
    return f"{period.day} {period:%B} {period.year}"


def phrase(period: date, grain: Grain, *, with_year: bool) -> str:
    """A period within a sentence: "in the week of 20 July"."""
    year = f" {period.year}" if with_year else ""
    if grain == Grain.DAY:
        return f"on {period.day} {period:%B}{year}"
    if grain == Grain.WEEK:
        return f"in the week of {period.day} {period:%B}{year}"
    if grain == Grain.MONTH:
        return f"in {period:%B}{year}"
    if grain == Grain.QUARTER:
        return f"in the {_ORDINALS[(period.month - 1) // 3]} quarter{year and ' of' + year}"
    return f"in {period.year}"


def plural(grain: Grain, count: int) -> str:
    return f"{count} {grain}" if count == 1 else f"{count} {grain}s"
