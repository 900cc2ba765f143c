"""Who stands on whom: references, closures, joins, and the exact upstreams of a spec."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from semantics.definition import (
    AnySpec,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    EntityType,
    MetricInput,
    MetricSpec,
    RatioSpec,
    SegmentSpec,
    SimpleSpec,
)
from semantics.guard import names_in
from semantics.problems import DefinitionRefused, Problem, nearest

Specs = Mapping[str, AnySpec]
# Joins reach this many datasets away from the one that is aggregated.
MOST_HOPS = 2


def inputs_of(spec: AnySpec) -> list[MetricInput]:
    """The metrics in a metric's formula, in the order in which they are written."""
    match spec:
        case RatioSpec():
            return [spec.numerator, spec.denominator]
        case DerivedSpec():
            return list(spec.inputs)
        case CumulativeSpec():
            return [MetricInput(metric=spec.metric)]
        case ConversionSpec():
            return [MetricInput(metric=spec.base), MetricInput(metric=spec.conversion)]
    return []


def references(spec: AnySpec) -> set[str]:
    """The keys that a spec names. Datasets that it only joins are found by `joined_entities`."""
    named = {given.metric for given in inputs_of(spec)}
    if isinstance(spec, MetricSpec):
        named |= set(spec.segments)
    if isinstance(spec, SimpleSpec | SegmentSpec):
        named.add(spec.dataset)
    return named


def paths_in(spec: AnySpec) -> set[str]:
    """Every dimension path that a spec uses: in filters, dimensions and constant properties."""
    texts: list[str] = []
    found: set[str] = set()
    if isinstance(spec, SegmentSpec):
        texts.append(spec.filter)
    if isinstance(spec, MetricSpec):
        texts += spec.filters
        found |= set(spec.dimensions)
        texts += [text for given in inputs_of(spec) for text in given.filters]
    if isinstance(spec, ConversionSpec):
        for same in spec.constant_properties:
            found |= {same.base, same.conversion}
    for text in texts:
        try:
            found |= set(names_in(text))
        except DefinitionRefused:
            continue  # A text that cannot be read uses nothing; validation says what is wrong.
    return found


def joined_entities(spec: AnySpec) -> set[str]:
    """The entities over which a spec reaches other datasets: `product` of `product__brand`."""
    return {entity for path in paths_in(spec) for entity in path.split("__")[:-1]}


def provides(dataset: DatasetSpec, entity: str) -> bool:
    """Whether a row of the dataset is found by this entity."""
    return any(each.name == entity and each.type != EntityType.FOREIGN for each in dataset.entities)


def joinable(key: str, specs: Specs, *, hops: int = MOST_HOPS) -> dict[str, str]:
    """Entity paths over which a dataset can be joined, with the dataset at their end.

    `{"product": "products", "household__store": "stores"}`. A row of the dataset must find at
    most one row at the end of each hop, so only primary and unique entities are joined to.
    """
    start = specs.get(key)
    found: dict[str, str] = {}
    if not isinstance(start, DatasetSpec):
        return found
    frontier = [("", key)]
    for _ in range(hops):
        following = []
        for path, place in frontier:
            here = specs[place]
            for entity in here.entities if isinstance(here, DatasetSpec) else ():
                for other, spec in specs.items():
                    if other in (place, key) or not isinstance(spec, DatasetSpec):
                        continue
                    longer = f"{path}__{entity.name}".removeprefix("__")
                    if provides(spec, entity.name) and longer not in found:
                        found[longer] = other
                        following.append((longer, other))
        frontier = following
    return found


def dimensions_of_dataset(key: str, specs: Specs) -> dict[str, tuple[str, str]]:
    """Dimension paths that rows of a dataset can be told apart by -> (dataset, dimension)."""
    dataset = specs.get(key)
    if not isinstance(dataset, DatasetSpec):
        return {}
    found = {
        dimension.name: (key, dimension.name)
        for dimension in dataset.dimensions
        if dimension.type == "categorical"
    }
    # A row's own dimensions can be named over its primary entity too, as others name them.
    if primary := primary_entity(dataset):
        found |= {f"{primary}__{name}": place for name, place in list(found.items())}
    for path, other in joinable(key, specs).items():
        target = specs[other]
        for dimension in target.dimensions if isinstance(target, DatasetSpec) else ():
            if dimension.type == "categorical":
                found[f"{path}__{dimension.name}"] = (other, dimension.name)
    return found


def primary_entity(dataset: DatasetSpec) -> str | None:
    """The entity that names a row of the dataset, if it says one."""
    return next((one.name for one in dataset.entities if one.type == EntityType.PRIMARY), None)


def base_datasets(key: str, specs: Specs) -> list[str]:
    """The datasets whose rows a metric aggregates, each once."""
    found: dict[str, None] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        spec = specs.get(name)
        if spec is None or name in trail:
            return
        if isinstance(spec, SimpleSpec | SegmentSpec):
            found[spec.dataset] = None
        for given in inputs_of(spec):
            visit(given.metric, (*trail, name))

    visit(key, ())
    return list(found)


def closure(key: str, specs: Specs) -> dict[str, AnySpec]:
    """A spec with all that it stands on, dependencies first and itself last.

    Datasets that are only joined are part of it. Raises DefinitionRefused for what is unknown
    and for a cycle, which it names.
    """
    done: dict[str, AnySpec] = {}

    def visit(name: str, trail: tuple[str, ...]) -> None:
        if name in done:
            return
        if name in trail:
            loop = " → ".join((*trail[trail.index(name) :], name))
            raise DefinitionRefused(
                [Problem("", "cycle", f"It stands on itself: {loop}.", "Break the loop.")]
            )
        spec = specs.get(name)
        if spec is None:
            raise DefinitionRefused(
                [
                    Problem(
                        "",
                        "unknown_reference",
                        f"There is no `{name}` in the catalog.",
                        nearest(name, specs),
                    )
                ]
            )
        for other in sorted(references(spec)):
            visit(other, (*trail, name))
        done[name] = spec

    visit(key, ())
    for name in _joined(done, key, specs):
        done.setdefault(name, specs[name])
    done[key] = done.pop(key)
    return done


def _joined(done: Specs, key: str, specs: Specs) -> list[str]:
    entities = {entity for spec in done.values() for entity in joined_entities(spec)}
    if not entities:
        return []
    reached: set[str] = set()
    for dataset in base_datasets(key, specs) or list(done):
        for path, other in joinable(dataset, specs).items():
            if set(path.split("__")) <= entities:
                reached.add(other)
    return sorted(reached - set(done))


def resolution_hash(key: str, definition_hashes: Mapping[str, str]) -> str:
    """Names the series of a metric: SHA-256 over the definitions of its whole closure."""
    text = json.dumps([key, sorted(definition_hashes.items())], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Upstream:
    """Something that a spec is computed from: `how`, and by which columns or dimensions."""

    key: str
    how: str
    columns: tuple[str, ...] = ()


def upstreams(spec: AnySpec, specs: Specs) -> list[Upstream]:
    """Exactly what a spec says it is computed from, one step up."""
    return list(_upstreams(spec, specs))


def _upstreams(spec: AnySpec, specs: Specs) -> Iterator[Upstream]:
    if isinstance(spec, DatasetSpec):
        tables = [spec.relation.name] if spec.relation.kind == "table" else spec.relation.tables
        columns = tuple(column.name for column in spec.columns)
        yield from (Upstream(table, "reads", columns) for table in tables)
        return
    if isinstance(spec, SimpleSpec | SegmentSpec):
        yield Upstream(spec.dataset, "aggregates", _own_columns(spec))
        yield from _joins(spec, specs)
    roles = {
        RatioSpec: ("numerator", "denominator"),
        ConversionSpec: ("base", "conversion"),
        CumulativeSpec: ("accumulates",),
    }.get(type(spec))
    for position, given in enumerate(inputs_of(spec)):
        how = roles[position] if roles else "formula"
        yield Upstream(given.metric, how, tuple(sorted(names_in_all(given.filters))))
    if isinstance(spec, MetricSpec):
        yield from (Upstream(segment, "segment") for segment in spec.segments)


def _own_columns(spec: SimpleSpec | SegmentSpec) -> tuple[str, ...]:
    if isinstance(spec, SegmentSpec):
        return tuple(sorted(path for path in paths_in(spec) if "__" not in path))
    own = {path for path in paths_in(spec) if "__" not in path}
    return tuple(sorted(own | set(names_in(spec.expression))))


def _joins(spec: SimpleSpec | SegmentSpec, specs: Specs) -> Iterator[Upstream]:
    used: dict[str, set[str]] = {}
    reach = joinable(spec.dataset, specs)
    for path in paths_in(spec):
        entities, _, dimension = path.rpartition("__")
        if entities in reach:
            used.setdefault(reach[entities], set()).add(dimension)
    for key, dimensions in sorted(used.items()):
        yield Upstream(key, "joins", tuple(sorted(dimensions)))


def names_in_all(texts: list[str]) -> set[str]:
    return {name for text in texts for name in names_in(text)}
