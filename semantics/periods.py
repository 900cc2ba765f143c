"""Calendar periods, and which days each of them reads.

A period reads its own days; with an offset, the days of an earlier period; accumulated, the days
of a window that ends with it. A `Reading` says this twice: in SQL, for the engine, and for a
range of days in Python, which sizes a run and limits its scan.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import date, timedelta

from semantics.definition import CumulativeSpec, Grain, Weekday, Window

MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}
DAYS = {Grain.DAY: 1, Grain.WEEK: 7}
# How many days later a week's first day would be a Monday.
_TO_MONDAY = {Weekday.MONDAY: 0, Weekday.SUNDAY: 1, Weekday.SATURDAY: 2}
EVER = date.min
_DAY = timedelta(days=1)


def step(grain: Grain, count: int = 1) -> str:
    """The length of a time as an SQL interval."""
    if grain in DAYS:
        return f"INTERVAL '{count * DAYS[grain]} DAY'"
    return f"INTERVAL '{count * MONTHS[grain]} MONTH'"


def first_of(day: date, grain: Grain, week_start: Weekday) -> date:
    """The first day of the period that holds `day`."""
    if grain == Grain.DAY:
        return day
    if grain == Grain.WEEK:
        return day - timedelta(days=(day.weekday() + _TO_MONDAY[week_start]) % 7)
    return day.replace(month=(day.month - 1) // MONTHS[grain] * MONTHS[grain] + 1, day=1)


def moved(day: date, length: Window, sign: int = 1) -> date:
    """The day some time later or, with sign -1, earlier. Days that a month lacks are its last."""
    if length.grain in DAYS:
        return day + timedelta(days=sign * length.count * DAYS[length.grain])
    month = day.year * 12 + day.month - 1 + sign * length.count * MONTHS[length.grain]
    year, month = divmod(month, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


@dataclass(frozen=True)
class Reading:
    """Which days a period reads: first moved back by the offsets, then widened to the window."""

    offsets: tuple[Window, ...] = ()
    window: Window | None = None
    grain_to_date: Grain | None = None
    from_the_beginning: bool = False

    def earlier(self, offset: Window) -> Reading:
        return replace(self, offsets=(*self.offsets, offset))

    def accumulated(self, spec: CumulativeSpec) -> Reading:
        """The same periods, with the window or the to-date grain of a cumulative metric."""
        return replace(
            self,
            window=spec.window,
            grain_to_date=spec.grain_to_date,
            from_the_beginning=spec.window is None and spec.grain_to_date is None,
        )

    def days(
        self, start: date, until: date, grain: Grain, week_start: Weekday
    ) -> tuple[date, date]:
        """The days `[since, until)` that the periods of a range read, all together."""
        since, until = start, until
        for offset in self.offsets:
            since, until = _moved_back(since, until, offset, grain)
        if self.from_the_beginning:
            return EVER, until
        if self.window is not None:
            # The end of the first period is later than its start, so this is early enough.
            since = min(since, moved(since, self.window, -1))
        if self.grain_to_date is not None:
            since = first_of(since, self.grain_to_date, week_start)
        return since, until

    def spans(self, grain: Grain, week_start: Weekday) -> list[tuple[str, str]]:
        """SQL for `since` and `through`, step by step: each step reads those of the one before."""
        steps = [_span_moved_back(offset, grain) for offset in self.offsets]
        if self.window is not None:
            steps.append((_start_of_window(self.window), "through"))
        if self.grain_to_date is not None:
            steps.append((truncated("through", self.grain_to_date, week_start), "through"))
        return steps


def _start_of_window(window: Window) -> str:
    if window.grain in DAYS:
        return f"through - {window.count * DAYS[window.grain] - 1}"
    return f"CAST(through + 1 - {step(window.grain, window.count)} AS DATE)"


def truncated(day: str, grain: Grain, week_start: Weekday) -> str:
    """SQL for the first day of the period that holds a day."""
    if grain == Grain.DAY:
        return day
    shift = _TO_MONDAY[week_start] if grain == Grain.WEEK else 0
    if not shift:
        return f"CAST(DATE_TRUNC('{grain}', {day}) AS DATE)"
    return f"CAST(DATE_TRUNC('{grain}', {day} + {shift}) AS DATE) - {shift}"


def _moved_back(since: date, until: date, offset: Window, grain: Grain) -> tuple[date, date]:
    if offset.grain in DAYS or grain in MONTHS:
        return moved(since, offset, -1), moved(until, offset, -1)
    # By day and by week each period is moved by itself, a week to the nearest whole one.
    room = 10 * _DAY if grain == Grain.WEEK else 0 * _DAY
    return moved(since, offset, -1) - room, moved(until - _DAY, offset, -1) + _DAY + room


def _span_moved_back(offset: Window, grain: Grain) -> tuple[str, str]:
    """Where a span lies an offset earlier.

    Months have no fixed length. By month and longer both ends are moved, so that March stands
    against all of February. By day, the 29th to 31st of March stand against the last of February.
    A week stands against the whole week that is nearest.
    """
    if offset.grain in DAYS:
        length = offset.count * DAYS[offset.grain]
        return f"since - {length}", f"through - {length}"
    back = step(offset.grain, offset.count)
    if grain == Grain.DAY:
        return f"CAST(since - {back} AS DATE)", f"CAST(through - {back} AS DATE)"
    if grain == Grain.WEEK:
        weeks = f"7 * CAST(ROUND((since - CAST(since - {back} AS DATE)) / 7.0) AS INTEGER)"
        return f"since - {weeks}", f"through - {weeks}"
    return f"CAST(since - {back} AS DATE)", f"CAST(through + 1 - {back} AS DATE) - 1"


@dataclass(frozen=True)
class Scan:
    """The days whose rows are read for a reading: with what follows them, and with some room."""

    reading: Reading
    followed_by: Window | None = None
    room: int = 0

    def days(
        self, start: date, until: date, grain: Grain, week_start: Weekday
    ) -> tuple[date, date]:
        since, until = self.reading.days(start, until, grain, week_start)
        if self.followed_by is not None:
            # A day more, for conversions that begin to count on the day after.
            until = moved(until, self.followed_by) + _DAY
        room = timedelta(days=self.room)
        return (since if since == EVER else since - room), until + room
