"""What has arrived at a source, so that runs begin when there is something to compute."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from core.errors import EtalonError, SourceUnavailable
from measurement.models import Source
from measurement.warehouses import open_source
from measurement.warehouses.base import Limits
from measurement.warehouses.datasets import rows_by_day
from semantics.definition import DatasetSpec


@dataclass
class Arrivals:
    """How many rows a day datasets have, each asked of its source once however many metrics
    stand on it.

    Ask first, with `want`, for the whole range that anybody will look at.
    """

    sources: Mapping[str, Source]
    now: datetime
    _wanted: dict[str, tuple[DatasetSpec, date, date]] = field(default_factory=dict)
    _found: dict[str, dict[date, int] | EtalonError] = field(default_factory=dict)

    def want(self, hash_: str, dataset: DatasetSpec, start: date, until: date) -> None:
        """Look at a dataset, by its definition's hash, at least over these days."""
        _, first, last = self._wanted.get(hash_, (dataset, start, until))
        self._wanted[hash_] = (dataset, min(first, start), max(last, until))

    def of(self, hash_: str, start: date, until: date) -> list:
        """Newest day with rows and number of rows of a range. When they are the same as at the
        last run, no row has come since. Raises what the source said when it was asked."""
        if hash_ not in self._found:
            self._found[hash_] = self._ask(*self._wanted[hash_])
        rows = self._found[hash_]
        if isinstance(rows, EtalonError):
            raise rows
        within = {day: count for day, count in rows.items() if start <= day < until}
        newest = max(within, default=None)
        return [newest and newest.isoformat(), sum(within.values())]

    def _ask(self, dataset: DatasetSpec, start: date, until: date) -> dict[date, int] | EtalonError:
        source = self.sources.get(dataset.source)
        if source is None:
            return SourceUnavailable(f"There is no source `{dataset.source}`.")
        limits = Limits(source.time_limit_seconds)
        try:
            return rows_by_day(open_source(source), dataset, start, until, limits, now=self.now)
        except EtalonError as error:
            return error
