"""What is asked of definitions, and the SQL that answers it for any range of days.

Nothing here compiles: `semantics.metricflow.compile_question` does, and only workers import it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from semantics.definition import AnySpec, Grain, Weekday
from semantics.paths import askable_dimensions as askable_dimensions
from semantics.paths import filterable_dimensions as filterable_dimensions
from semantics.periods import Scan, first_of

# Stand for days in a compiled text. No text of a person holds these letters.
START, UNTIL = "\x02start\x02", "\x02until\x02"


def mark(scan: int, bound: str) -> str:
    """Stands for the first day that a scan reads, or for the first that it reads no more."""
    return f"\x02{bound} {scan}\x02"


@dataclass(frozen=True)
class Measure:
    """One metric by one closure. `label` tells two definitions of the same key apart."""

    label: str
    key: str
    specs: Mapping[str, AnySpec]


@dataclass(frozen=True)
class CompiledQuestion:
    """One SELECT for any range, to be filled in and run as often as needed.

    `columns` are `period`, one per dimension, and for each measure its value, numerator and
    denominator; these two are NULL but for ratios and conversions. A row says at least one value.
    """

    text: str
    columns: tuple[str, ...]
    grain: Grain
    week_start: Weekday
    scans: tuple[Scan, ...]

    def sql(self, start: date, until: date) -> str:
        """The SELECT for the periods that begin in `[start, until)`.

        `start` begins a period. A period that `until` cuts off is measured as far as it goes.
        """
        if start >= until:
            raise ValueError(f"There are no days from {start} until {until}.")
        if first_of(start, self.grain, self.week_start) != start:
            raise ValueError(f"No {self.grain} begins on {start}; ranges begin with a period.")
        days = {START: start, UNTIL: until}
        for number, scan in enumerate(self.scans):
            since, through = scan.days(start, until, self.grain, self.week_start)
            days |= {mark(number, "since"): since, mark(number, "until"): through}
        text = self.text
        for stand_in, day in days.items():
            text = text.replace(stand_in, day.isoformat())
        return text

    def scan_range(self, start: date, until: date) -> tuple[date, date]:
        """The days `[since, until)` whose rows are read; `date.min` is the beginning of all."""
        read = [scan.days(start, until, self.grain, self.week_start) for scan in self.scans]
        return min(since for since, _ in read), max(until for _, until in read)
