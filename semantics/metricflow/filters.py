"""Filters: which of them hold for the rows of a figure, and what their names mean there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from semantics import guard
from semantics.definition import MetricSpec, SegmentSpec
from semantics.metricflow.star import Star, World
from semantics.paths import Route, datasets_read, identifies, routes
from semantics.problems import nearest, refuse


@dataclass(frozen=True)
class Condition:
    """A filter, and the dataset that its bare names belong to (None: that of the rows)."""

    text: str
    dataset: str | None = None


def conditions_of(key: str, spec: MetricSpec, world: World) -> Iterator[Condition]:
    """The filters of a metric and of its segments."""
    yield from conditions(spec.filters, key, world)
    for name in spec.segments:
        segment = world.specs.get(name)
        if not isinstance(segment, SegmentSpec):
            raise refuse("unknown_segment", f"There is no segment `{name}`.", place="segments")
        yield Condition(segment.filter, segment.dataset)


def conditions(texts: Iterable[str], key: str, world: World) -> Iterator[Condition]:
    """Filters over the metric `key`. Over several datasets a bare name would be ambiguous."""
    read = datasets_read(key, world.specs)
    for text in texts:
        bare = [name for name in guard.names_in(text) if "__" not in name]
        if bare and len(read) > 1:
            owners = " or of ".join(f"`{dataset}`" for dataset in read)
            raise refuse(
                "ambiguous_dimension",
                f"`{bare[0]}` may be a dimension of {owners}.",
                "Filter the inputs, or use a dimension that all of them are joined to.",
                place="filters",
            )
        yield Condition(text)


def placed(condition: Condition, star: Star, world: World) -> str:
    """The condition as it is asked of the rows of a star."""
    reached = routes(star.key, world.specs)
    members = {}
    for name in guard.names_in(condition.text):
        path = name
        if condition.dataset not in (None, star.key) and "__" not in name:
            path = _seen_from_outside(name, condition.dataset or "", world, reached)
        members[name] = star.member(route(path, reached, star.key), world)
    return star.condition(condition.text, members)


def route(path: str, reached: Mapping[str, Route], dataset: str) -> Route:
    if path not in reached:
        raise refuse(
            "unknown_dimension",
            f"Rows of `{dataset}` have no dimension `{path}`.",
            nearest(path, reached) or "Use one of their own, or one that a join reaches.",
        )
    return reached[path]


def _seen_from_outside(name: str, dataset: str, world: World, reached: Mapping[str, Route]) -> str:
    """How other rows call a dimension of `dataset`: by the entity that identifies it."""
    entities = [each.name for each in world.dataset(dataset).entities if identifies(each)]
    paths = [f"{entity}__{name}" for entity in entities]
    return next((path for path in paths if path in reached), f"{dataset}__{name}")


def exclude_each_other(first: Sequence[Condition], second: Sequence[Condition]) -> bool:
    """Whether no row can meet both, as with `event = 'visit'` and `event = 'purchase'`."""
    allowed, others = _allowed(first), _allowed(second)
    return any(not values & others[name] for name, values in allowed.items() if name in others)


def _allowed(conditions: Sequence[Condition]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for condition in conditions:
        for name, values in _equalities(condition):
            found[name] = found.get(name, values) & values
    return found


def _equalities(condition: Condition) -> Iterator[tuple[str, frozenset[str]]]:
    tree = guard.parse(condition.text)
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        bare = part.unnest()
        if not isinstance(bare, exp.EQ | exp.In) or not isinstance(bare.this, exp.Column):
            continue
        values = bare.expressions if isinstance(bare, exp.In) else [bare.expression]
        if values and all(isinstance(each, exp.Literal) and each.is_string for each in values):
            yield bare.this.name, frozenset(each.name for each in values)
