"""What has arrived at a source, so that runs begin when there is something to compute."""

from collections.abc import Mapping
from datetime import date, datetime

from measurement.models import Source
from measurement.warehouses import open_source
from measurement.warehouses.base import Limits
from measurement.warehouses.datasets import rows_by_day
from semantics.definition import DatasetSpec


def arrival_of(
    datasets: Mapping[str, DatasetSpec], start: date, until: date, *, now: datetime
) -> dict[str, list]:
    """What is there of a range: newest day with rows and number of rows, by dataset. When it is
    the same as at the last run, no row has come since."""
    found = {}
    for key, dataset in datasets.items():
        source = Source.objects.get(key=dataset.source)
        limits = Limits(source.time_limit_seconds)
        counts = rows_by_day(open_source(source), dataset, start, until, limits, now=now)
        newest = max(counts, default=None)
        found[key] = [newest and newest.isoformat(), sum(counts.values())]
    return found
