"""Dimension paths: which dimensions can be reached from a dataset, and over which joins.

The rule is MetricFlow's. A join goes from an entity of any type to the dataset where it is
`primary` or `unique`, so that no row is counted twice; a path has at most two joins; a path that
two datasets would answer is no path. What a dataset says itself is always reached by its bare name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from semantics.definition import (
    AnySpec,
    CategoricalDimension,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    Entity,
    EntityType,
    MetricSpec,
    RatioSpec,
    SimpleSpec,
)
from semantics.problems import refuse

MOST_JOINS = 2


@dataclass(frozen=True)
class Hop:
    """One join: from an entity of a row to the row of `dataset` that the entity identifies."""

    entity: str
    dataset: str


@dataclass(frozen=True)
class Route:
    """How a dimension is reached: over which joins, and in which dataset it is said."""

    hops: tuple[Hop, ...]
    dataset: str
    dimension: str


def routes(dataset: str, specs: Mapping[str, AnySpec]) -> dict[str, Route]:
    """Every path that rows of `dataset` can be asked by, bare names first.

    A dimension of the dataset has its bare name and, where the dataset has a primary or unique
    entity, the name that other datasets reach it by (`basket__size`).
    """
    found: dict[str, Route] = {}
    ambiguous: set[str] = set()
    for path, route in _walk(dataset, (), specs):
        if found.setdefault(path, route) != route:
            ambiguous.add(path)
    own = [dimension.name for dimension in _dataset(dataset, specs).dimensions]
    return {path: route for path, route in found.items() if path in own or path not in ambiguous}


def _walk(
    start: str, hops: tuple[Hop, ...], specs: Mapping[str, AnySpec]
) -> Iterator[tuple[str, Route]]:
    """Paths into the dataset that `hops` lead to, and into those that follow. None comes back."""
    name = hops[-1].dataset if hops else start
    spec = _dataset(name, specs)
    passed = (start, *(hop.dataset for hop in hops))
    entered = "__".join(hop.entity for hop in hops)
    for dimension in spec.dimensions:
        route = Route(hops, name, dimension.name)
        if hops:
            yield f"{entered}__{dimension.name}", route
            continue
        yield dimension.name, route
        for entity in spec.entities:
            if identifies(entity):
                yield f"{entity.name}__{dimension.name}", route
    if len(hops) == MOST_JOINS:
        return
    for entity in spec.entities:
        if entity.name in (hop.entity for hop in hops):
            continue
        for other, target in specs.items():
            if not isinstance(target, DatasetSpec) or target.source != spec.source:
                continue
            if other in passed:
                continue
            if any(each.name == entity.name and identifies(each) for each in target.entities):
                yield from _walk(start, (*hops, Hop(entity.name, other)), specs)


def reachable(dataset: str, specs: Mapping[str, AnySpec]) -> set[str]:
    """The datasets that rows of `dataset` can be joined to, with those on the way."""
    return {hop.dataset for _, route in _walk(dataset, (), specs) for hop in route.hops}


def identifies(entity: Entity) -> bool:
    return entity.type in (EntityType.PRIMARY, EntityType.UNIQUE)


def _dataset(name: str, specs: Mapping[str, AnySpec]) -> DatasetSpec:
    spec = specs.get(name)
    if not isinstance(spec, DatasetSpec):
        raise refuse(
            "unknown_dataset", f"There is no dataset `{name}`.", "Name a dataset of the catalog."
        )
    return spec


def is_categorical(route: Route, specs: Mapping[str, AnySpec]) -> bool:
    """Whether the dimension has members. Days are none: they are filtered by, not grouped by."""
    spec = _dataset(route.dataset, specs)
    found = next(each for each in spec.dimensions if each.name == route.dimension)
    return isinstance(found, CategoricalDimension)


# --- metrics -------------------------------------------------------------------------------


def datasets_read(key: str, specs: Mapping[str, AnySpec]) -> tuple[str, ...]:
    """The datasets whose rows a metric counts. A conversion is counted in rows of its base."""
    return tuple(dict.fromkeys(_datasets_read(key, specs, ())))


def _datasets_read(key: str, specs: Mapping[str, AnySpec], above: tuple[str, ...]) -> Iterator[str]:
    if key in above:
        raise refuse("cycle", f"`{key}` is made of itself.", "Take it out of its own formula.")
    spec = specs.get(key)
    if isinstance(spec, SimpleSpec):
        yield spec.dataset
        return
    if not isinstance(spec, MetricSpec):
        raise refuse("unknown_metric", f"There is no metric `{key}`.", "Name one of the catalog.")
    for name in _inputs(spec):
        yield from _datasets_read(name, specs, (*above, key))


def _inputs(spec: MetricSpec) -> Iterable[str]:
    if isinstance(spec, RatioSpec):
        return (spec.numerator.metric, spec.denominator.metric)
    if isinstance(spec, DerivedSpec):
        return [each.metric for each in spec.inputs]
    if isinstance(spec, CumulativeSpec):
        return (spec.metric,)
    return (spec.base,) if isinstance(spec, ConversionSpec) else ()


def filterable_dimensions(key: str, specs: Mapping[str, AnySpec]) -> tuple[str, ...]:
    """Every dimension path that a filter of the metric may use: what all its inputs share.

    Bare names mean the same thing only within one dataset.
    """
    names = datasets_read(key, specs)
    reached = [routes(name, specs) for name in names]
    shared = [path for path in reached[0] if all(path in other for other in reached[1:])]
    if len(names) > 1:
        return tuple(path for path in shared if "__" in path)
    own = {each.name for each in _dataset(names[0], specs).dimensions}
    return tuple(path for path in shared if path in own or reached[0][path].hops)


def askable_dimensions(key: str, specs: Mapping[str, AnySpec]) -> tuple[str, ...]:
    """The dimension paths that a metric can be grouped by, known before it is asked.

    What all its inputs share; a conversion is told apart by its base events.
    """
    reached = routes(datasets_read(key, specs)[0], specs)
    return tuple(
        path for path in filterable_dimensions(key, specs) if is_categorical(reached[path], specs)
    )
