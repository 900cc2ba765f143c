"""Who stands on whom: references, closures, and the exact upstreams of a spec."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from semantics.columns import columns_read
from semantics.definition import (
    AnySpec,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    MetricInput,
    MetricSpec,
    RatioSpec,
    SegmentSpec,
    SimpleSpec,
)
from semantics.guard import names_in
from semantics.paths import Route, datasets_read, routes
from semantics.problems import DefinitionRefused, nearest, refuse

Specs = Mapping[str, AnySpec]


def inputs_of(spec: object) -> list[tuple[str, MetricInput]]:
    """The metrics in a metric's formula with their places, in the order of the formula."""
    match spec:
        case RatioSpec():
            return [("numerator", spec.numerator), ("denominator", spec.denominator)]
        case DerivedSpec():
            return [(f"inputs.{number}", each) for number, each in enumerate(spec.inputs)]
        case CumulativeSpec():
            return [("metric", MetricInput(metric=spec.metric))]
        case ConversionSpec():
            return [
                ("base", MetricInput(metric=spec.base)),
                ("conversion", MetricInput(metric=spec.conversion)),
            ]
    return []


def references(spec: AnySpec) -> set[str]:
    """The keys that a spec names. Datasets that it only joins are found by `closure`."""
    named = {given.metric for _, given in inputs_of(spec)}
    if isinstance(spec, MetricSpec):
        named |= set(spec.segments)
    if isinstance(spec, SimpleSpec | SegmentSpec):
        named.add(spec.dataset)
    return named


def names_in_all(texts: Iterable[str]) -> set[str]:
    """The names that texts use. One that cannot be read uses none; validation says why."""
    found: set[str] = set()
    for text in texts:
        try:
            found |= set(names_in(text))
        except DefinitionRefused:
            continue
    return found


# --- closures ------------------------------------------------------------------------------


def closure(key: str, specs: Specs) -> dict[str, AnySpec]:
    """A spec with all that it stands on, dependencies first and itself last.

    Datasets that a filter or a dimension is reached over are part of it, others that could be
    joined are not. Raises DefinitionRefused for what is unknown and for a cycle, which it names.
    """
    done: dict[str, AnySpec] = {}
    _visit(key, specs, done, ())
    joined = sorted(_joined(done, specs) - set(done))
    return {**{name: specs[name] for name in joined}, **done}


def _visit(name: str, specs: Specs, done: dict[str, AnySpec], trail: tuple[str, ...]) -> None:
    if name in trail:
        loop = " → ".join((*trail[trail.index(name) :], name))
        raise refuse(
            "cycle",
            f"It stands on itself: {loop}.",
            f"Take `{name}` out of the formula of `{trail[-1]}`.",
        )
    if name in done:
        return
    spec = specs.get(name)
    if spec is None:
        raise refuse(
            "unknown_reference",
            f"There is no `{name}` in the catalog.",
            nearest(name, specs) or "Propose it first, or in the same request.",
        )
    for other in sorted(references(spec)):
        _visit(other, specs, done, (*trail, name))
    done[name] = spec


def _joined(done: Specs, specs: Specs) -> set[str]:
    """The datasets that the paths of these specs lead through."""
    datasets = {name: spec for name, spec in specs.items() if isinstance(spec, DatasetSpec)}
    reached: dict[str, dict[str, Route]] = {}
    found: set[str] = set()
    for name, spec in done.items():
        for dataset, paths in _asked(name, spec, {**datasets, **done}):
            if all("__" not in path for path in paths):
                continue
            if dataset not in reached:
                reached[dataset] = routes(dataset, datasets)
            for path in paths:
                if path in reached[dataset]:
                    found |= {hop.dataset for hop in reached[dataset][path].hops}
    return found


def _asked(name: str, spec: AnySpec, specs: Specs) -> Iterator[tuple[str, set[str]]]:
    """Which dimension paths a spec asks of the rows of which dataset."""
    if isinstance(spec, SegmentSpec):
        yield spec.dataset, names_in_all([spec.filter])
    if not isinstance(spec, MetricSpec):
        return
    segments = [specs.get(each) for each in spec.segments]
    filters = [each.filter for each in segments if isinstance(each, SegmentSpec)]
    paths = names_in_all([*spec.filters, *filters]) | set(spec.dimensions)
    for dataset in datasets_read(name, specs):
        yield dataset, paths
    for _, given in inputs_of(spec):
        for dataset in datasets_read(given.metric, specs):
            yield dataset, names_in_all(given.filters)
    if isinstance(spec, ConversionSpec):
        for dataset in datasets_read(spec.base, specs):
            yield dataset, {same.base for same in spec.constant_properties}
        for dataset in datasets_read(spec.conversion, specs):
            yield dataset, {same.conversion for same in spec.constant_properties}


def resolution_hash(key: str, definition_hashes: Mapping[str, str]) -> str:
    """Names the series of a metric: SHA-256 over the definitions of its whole closure."""
    text = json.dumps([key, sorted(definition_hashes.items())], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


# --- upstreams -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Upstream:
    """Something that a spec is computed from: `how`, and by which columns or dimensions.

    `how` is one of reads, aggregates, joins, numerator, denominator, formula, accumulates, base,
    conversion, segment.
    """

    key: str
    how: str
    columns: tuple[str, ...] = ()


# Stands for the spec that is looked at, which need not be in the catalog yet.
_ITSELF = ""
_ROLES = {
    RatioSpec: ("numerator", "denominator"),
    ConversionSpec: ("base", "conversion"),
    CumulativeSpec: ("accumulates",),
}


def upstreams(spec: AnySpec, specs: Specs) -> list[Upstream]:
    """Exactly what a spec says it is computed from, one step up; each key and `how` once.

    Of a dataset these are tables with the columns that are read, in conditions and joins too; `*`
    stands for all of a table whose columns the query does not name.
    """
    columns: dict[tuple[str, str], set[str]] = {}
    for each in _upstreams(spec, specs):
        columns.setdefault((each.key, each.how), set()).update(each.columns)
    return [Upstream(key, how, tuple(sorted(names))) for (key, how), names in columns.items()]


def _upstreams(spec: AnySpec, specs: Specs) -> Iterator[Upstream]:
    if isinstance(spec, DatasetSpec):
        yield from (Upstream(table, "reads", columns) for table, columns in columns_read(spec))
        return
    if isinstance(spec, SimpleSpec | SegmentSpec):
        yield Upstream(spec.dataset, "aggregates", _own_columns(spec, specs))
    roles = _ROLES.get(type(spec))
    for position, (_, given) in enumerate(inputs_of(spec)):
        how = roles[position] if roles else "formula"
        yield Upstream(given.metric, how, tuple(names_in_all(given.filters)))
    if isinstance(spec, ConversionSpec):
        yield Upstream(spec.base, "base", tuple(same.base for same in spec.constant_properties))
        shared = tuple(same.conversion for same in spec.constant_properties)
        yield Upstream(spec.conversion, "conversion", shared)
    yield from _joins(spec, specs)
    if isinstance(spec, MetricSpec):
        yield from (Upstream(segment, "segment") for segment in sorted(set(spec.segments)))


def _own_columns(spec: SimpleSpec | SegmentSpec, specs: Specs) -> tuple[str, ...]:
    """The columns and dimensions of its own dataset by which a value is decided."""
    if isinstance(spec, SegmentSpec):
        return tuple(sorted(name for name in names_in_all([spec.filter]) if "__" not in name))
    dataset = specs.get(spec.dataset)
    dated_by = spec.time_dimension or getattr(dataset, "time_dimension", None)
    own = {path for path in (*names_in_all(spec.filters), *spec.dimensions) if "__" not in path}
    named = own | names_in_all([spec.expression]) | ({dated_by} if dated_by else set())
    return tuple(sorted(named))


def _joins(spec: AnySpec, specs: Specs) -> Iterator[Upstream]:
    datasets = {name: each for name, each in specs.items() if isinstance(each, DatasetSpec)}
    used: dict[str, set[str]] = {}
    try:
        asked = list(_asked(_ITSELF, spec, {**specs, _ITSELF: spec}))
        for dataset, paths in asked:
            reached = routes(dataset, datasets) if any("__" in path for path in paths) else {}
            for path in paths & set(reached):
                if reached[path].hops:
                    used.setdefault(reached[path].dataset, set()).add(reached[path].dimension)
    except DefinitionRefused:
        return  # It names what is not there, so that nothing is known of its rows.
    for name, dimensions in sorted(used.items()):
        yield Upstream(name, "joins", tuple(sorted(dimensions)))
