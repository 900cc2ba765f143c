"""What is asked of definitions: some measures at one grain, in total or by dimensions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from semantics.definition import AnySpec, ConversionSpec, MetricSpec, SimpleSpec
from semantics.lineage import dimensions_of_dataset, inputs_of

# Stand-ins in a compiled text. No text of a person can hold them: the guard refuses the sign.
START, UNTIL = "§start§", "§until§"
SCAN_START, SCAN_UNTIL = "§scan_start§", "§scan_until§"
# How far back a metric without a window looks.
EARLIEST = date(1970, 1, 1)


@dataclass(frozen=True)
class Measure:
    """One metric by one closure. `label` tells two closures of the same key apart."""

    label: str
    key: str
    specs: Mapping[str, AnySpec]


@dataclass(frozen=True)
class CompiledQuestion:
    """One SELECT for any range. Its columns: `period`, one a dimension, then per measure three:
    value, numerator and denominator, in the order in which the measures were given.

    Rows are read from `reach_days` before the range to `ahead_days` after it.
    """

    text: str
    columns: tuple[str, ...]
    reach_days: int
    ahead_days: int

    def sql(self, start: date, until: date) -> str:
        """The text for the periods that begin in [start, until). It takes no compiling."""
        first, last = self.scan_range(start, until)
        days = {START: start, UNTIL: until, SCAN_START: first, SCAN_UNTIL: last}
        text = self.text
        for stand_in, day in days.items():
            text = text.replace(stand_in, f"DATE '{day.isoformat()}'")
        return text

    def scan_range(self, start: date, until: date) -> tuple[date, date]:
        """The days whose rows are read, half-open."""
        reach = min(timedelta(days=self.reach_days), start - EARLIEST)
        return start - max(reach, timedelta()), until + timedelta(days=self.ahead_days)


def askable_dimensions(key: str, specs: Mapping[str, AnySpec]) -> tuple[str, ...]:
    """The dimensions that a metric can be asked by, known before it is asked.

    A metric over several datasets can be told apart only by what is reached from each of them
    over an entity of the same name. A conversion is told apart by its base events.
    """
    paths = _askable(key, specs, ())
    return tuple(sorted(paths or ()))


def _askable(key: str, specs: Mapping[str, AnySpec], trail: tuple[str, ...]) -> set[str] | None:
    """The paths of one metric; None for what is unknown, which narrows nothing."""
    spec = specs.get(key)
    if key in trail or not isinstance(spec, MetricSpec):
        return None
    if isinstance(spec, SimpleSpec):
        return set(dimensions_of_dataset(spec.dataset, specs))
    if isinstance(spec, ConversionSpec):
        return _askable(spec.base, specs, (*trail, key))
    found: set[str] | None = None
    for given in inputs_of(spec):
        own = _askable(given.metric, specs, (*trail, key))
        if own is not None:
            found = own if found is None else found & own
    if found and len(rows_of(key, specs)) > 1:
        # A bare name means a dimension of one dataset, and here are rows of several.
        found = {path for path in found if "__" in path}
    return found


def rows_of(key: str, specs: Mapping[str, AnySpec]) -> list[str]:
    """The datasets whose rows a metric counts, where a conversion counts its base events."""
    spec = specs.get(key)
    if isinstance(spec, ConversionSpec):
        return rows_of(spec.base, specs)
    if isinstance(spec, SimpleSpec):
        return [spec.dataset]
    inputs = inputs_of(spec) if isinstance(spec, MetricSpec) else []
    return list(dict.fromkeys(row for given in inputs for row in rows_of(given.metric, specs)))
