"""What can be told from a metric's closure: its source, its calendar, and the datasets it reads."""

from collections.abc import Mapping

from catalog.selectors.entries import specs_of
from core.errors import Invalid
from measurement.periods import Calendar
from semantics.definition import (
    AnySpec,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    Grain,
    MetricSpec,
    RatioSpec,
    SegmentSpec,
    SimpleSpec,
)

Closure = Mapping[str, AnySpec]
_DAYS = {Grain.DAY: 1, Grain.WEEK: 7, Grain.MONTH: 31, Grain.QUARTER: 92, Grain.YEAR: 366}


def closure_of(hashes: Mapping[str, str]) -> dict[str, AnySpec]:
    """The specs behind {key: definition hash}. Definitions never change, so they are kept."""
    specs = specs_of(hashes.values())
    return {key: specs[hash_] for key, hash_ in hashes.items()}


def metric_spec(key: str, specs: Closure) -> MetricSpec:
    """The metric of that key. Raises TypeError when the key is a dataset's or a segment's."""
    spec = specs[key]
    if not isinstance(spec, MetricSpec):
        raise TypeError(f"{key} is no metric.")
    return spec


def dated_datasets(specs: Closure) -> dict[str, DatasetSpec]:
    """The datasets whose rows have a day: those that can be counted and be late."""
    return {key: spec for key, spec in datasets(specs).items() if spec.time_dimension}


def datasets(specs: Closure) -> dict[str, DatasetSpec]:
    return {key: spec for key, spec in specs.items() if isinstance(spec, DatasetSpec)}


def measured_datasets(specs: Closure) -> dict[str, DatasetSpec]:
    """The datasets that the simple metrics of a closure aggregate, look-ups left out."""
    keys = {spec.dataset for spec in specs.values() if isinstance(spec, SimpleSpec)}
    return {key: spec for key, spec in dated_datasets(specs).items() if key in keys}


def root_dataset(key: str, specs: Closure) -> DatasetSpec:
    """The dataset that dates a metric's values: the first one that its formula comes to."""
    spec = specs[key]
    while not isinstance(spec, DatasetSpec):
        spec = specs[_first_input(spec)]
    return spec


def _first_input(spec: AnySpec) -> str:
    match spec:
        case SimpleSpec() | SegmentSpec():
            return spec.dataset
        case RatioSpec():
            return spec.numerator.metric
        case DerivedSpec():
            return spec.inputs[0].metric
        case CumulativeSpec():
            return spec.metric
        case ConversionSpec():
            return spec.base
    raise Invalid(f"A definition of type {spec.type} has no dataset of its own.")


def calendar_of(key: str, specs: Closure) -> Calendar:
    dataset = root_dataset(key, specs)
    return Calendar(dataset.time_zone, dataset.week_start)


def days_that_may_move(key: str, specs: Closure) -> int:
    """How many closed days back a daily run computes again: late rows, and conversions that
    count for the day of their base event."""
    spec = specs[key]
    late = spec.late_data.recompute_days if isinstance(spec, MetricSpec) else 0
    windows = [
        part.window.count * _DAYS[part.window.grain]
        for part in specs.values()
        if isinstance(part, ConversionSpec)
    ]
    return late + max(windows, default=0)
