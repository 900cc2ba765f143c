"""A star: the rows of one dataset, dated by period, with what they are joined to.

The relations of a star are common table expressions in front of MetricFlow's SELECT. In them the
columns get the compiler's own names, days are cut in the dataset's time zone, and missing members
are told apart from labels.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp
from sqlglot.optimizer.annotate_types import annotate_types

from semantics import guard
from semantics.definition import (
    AnySpec,
    CategoricalDimension,
    ColumnType,
    DatasetSpec,
    Dimension,
    Query,
    TimeDimension,
)
from semantics.guard import Dialect
from semantics.metricflow.manifest import OWN, Model, called_in_filters
from semantics.paths import Hop, Route, identifies
from semantics.problems import refuse
from semantics.reserved import needs_quotes

_TYPES = {
    ColumnType.STRING: "TEXT",
    ColumnType.INTEGER: "BIGINT",
    ColumnType.DECIMAL: "DECIMAL",
    ColumnType.FLOAT: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.TIMESTAMP: "TIMESTAMP",
}


# The column of rows that holds the local day, before it is known what period reads it.
DAY = "on_day"


class Names:
    """Gives things short names that are unique, whatever people called them."""

    def __init__(self, taken: frozenset[str] = frozenset()):
        self._taken = set(taken)
        self._given: dict[Hashable, str] = {}

    def of(self, thing: Hashable, wanted: str, longest: int = 40) -> str:
        """The name of a thing: the wanted one, or one like it with a number."""
        if thing not in self._given:
            base = re.sub("_+", "_", wanted)[:longest].strip("_")
            name, number = base, 1
            while name in self._taken:
                number += 1
                name = f"{base}_{number}"
            self._taken.add(name)
            self._given[thing] = name
        return self._given[thing]


@dataclass(frozen=True)
class World:
    """The definitions that a measure stands on, with their hashes."""

    specs: Mapping[str, AnySpec]
    hashes: Mapping[str, str]

    def dataset(self, key: str) -> DatasetSpec:
        spec = self.specs.get(key)
        if not isinstance(spec, DatasetSpec):
            raise refuse("unknown_dataset", f"There is no dataset `{key}`.")
        return spec


@dataclass
class _Joined:
    """A dataset that rows are joined to along one path, with the columns that are asked for."""

    relation: str
    entity: str
    spec: DatasetSpec
    columns: dict[str, str] = field(default_factory=dict)
    foreign: dict[str, None] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """A dimension where MetricFlow finds it, with the label of its missing members, if any.

    The value is NULL wherever the label applies, be it that the column is empty, that there is
    no row to join to, or that the label is written in the column.
    """

    path: str
    label: str | None
    is_text: bool


class Star:
    """Rows of one dataset and their joins. Grows while figures and dimensions are asked of it."""

    def __init__(self, key: str, spec: DatasetSpec, dialect: Dialect, relations: Names):
        self.key, self.spec, self.dialect = key, spec, dialect
        self._relations = relations
        self._names = Names()
        self._joined: dict[tuple, _Joined] = {}
        self.rows = relations.of(self, f"{key}_rows")
        self.columns: dict[str, str] = {}
        self._dimensions: dict[str, None] = {}
        self.foreign: dict[str, None] = {}

    def column(self, expression: str, wanted: str = "v") -> str:
        """The name of a column of the rows that holds an SQL expression."""
        name = self._names.of(("column", expression), wanted)
        self.columns[name] = expression
        return name

    def own(self, column: str) -> str:
        """The path of a column of the rows that is asked for as a dimension."""
        self._dimensions[column] = None
        return f"{OWN}__{column}"

    def member(self, route: Route, world: World) -> Member:
        """Make a dimension askable, with all joins on the way to it."""
        place: tuple = ()
        reached: Star | _Joined = self
        way = []
        for hop in route.hops:
            target = world.dataset(hop.dataset)
            place = (*place, hop, world.hashes[hop.dataset])
            reached = self._join(place, reached, hop, target)
            way.append(reached.entity)
        said = next(each for each in reached.spec.dimensions if each.name == route.dimension)
        expression, label, is_text = _member(said, reached.spec, self.dialect)
        column = self._names.of((place, expression), f"by_{said.name}", longest=17)
        reached.columns[column] = expression
        path = self.own(column) if reached is self else "__".join((*way, column))
        return Member(path, label, is_text)

    def _join(self, place: tuple, left: Star | _Joined, hop: Hop, target: DatasetSpec) -> _Joined:
        if place not in self._joined:
            entity = self._names.of(place, f"to_{hop.entity}", longest=17)
            points = next(each for each in left.spec.entities if each.name == hop.entity)
            found = next(
                each for each in target.entities if each.name == hop.entity and identifies(each)
            )
            joined = _Joined(self._relations.of((self, place), hop.dataset), entity, target)
            joined.columns[entity] = guard.to_dialect(found.expression, self.dialect)
            left.columns[entity] = guard.to_dialect(points.expression, self.dialect)
            left.foreign[entity] = None
            self._joined[place] = joined
        return self._joined[place]

    def condition(self, text: str, members: Mapping[str, Member]) -> str:
        """A filter as a template for MetricFlow, over the members that its names stand for.

        A missing member that has a label is called by it, except where a filter asks `IS NULL`.
        """
        tree = guard.parse(text)
        for column in list(tree.find_all(exp.Column)):
            member = members[column.name]
            if member.label is None or not member.is_text or _asks_for_null(column):
                continue
            label = exp.Literal.string(member.label)
            called = exp.Coalesce(this=column.copy(), expressions=[label])
            if column is tree:
                tree = called
            else:
                column.replace(called)
        return guard.to_dialect(
            guard.render(tree),
            self.dialect,
            rename=lambda name: called_in_filters(members[name].path),
        )

    def model(self, relation: str, dated: str) -> Model:
        return Model(relation, tuple(self.foreign), tuple(self._dimensions), dated=dated)

    def looked_up(self) -> list[Model]:
        return [
            Model(
                joined.relation,
                tuple(joined.foreign),
                tuple(
                    name
                    for name in joined.columns
                    if name != joined.entity and name not in joined.foreign
                ),
                primary=joined.entity,
            )
            for joined in self._joined.values()
        ]

    def relations(self, day: str, condition: str) -> Iterator[tuple[str, str]]:
        """The relation of the rows, and those that they are joined to, with their names."""
        yield self.rows, _select({DAY: day, **self.columns}, self.spec, self.dialect, condition)
        for joined in self._joined.values():
            yield joined.relation, _select(joined.columns, joined.spec, self.dialect)


def _select(
    columns: Mapping[str, str], spec: DatasetSpec, dialect: Dialect, condition: str = ""
) -> str:
    listed = ",\n  ".join(f"{expression} AS {name}" for name, expression in columns.items())
    where = f"\nWHERE {condition}" if condition else ""
    return f"SELECT\n  {listed}\nFROM {relation(spec, dialect)}{where}"


# --- columns -------------------------------------------------------------------------------


def relation(spec: DatasetSpec, dialect: Dialect) -> str:
    if isinstance(spec.relation, Query):
        return f"({guard.to_dialect(spec.relation.sql, dialect)}) AS source"
    parts = spec.relation.name.split(".")
    return ".".join(f'"{part}"' if needs_quotes(part.lower()) else part for part in parts)


def time_of(spec: DatasetSpec, name: str) -> TimeDimension:
    for dimension in spec.dimensions:
        if dimension.name == name and isinstance(dimension, TimeDimension):
            return dimension
    raise refuse(
        "unknown_time",
        f"There is no time dimension `{name}`.",
        "Name one of the dataset's time dimensions.",
    )


def local_day(dimension: TimeDimension, spec: DatasetSpec, dialect: Dialect) -> str:
    """SQL for the day, in the dataset's zone, on which a row happened.

    Seconds since 1970 mean the same instant for columns with and without a zone, whatever the
    zone of the session is.
    """
    at = moment(dimension, dialect)
    if not dimension.is_utc_timestamp:
        return f"CAST({at} AS DATE)"
    zone = exp.Literal.string(spec.time_zone).sql(dialect=dialect.value)
    return f"CAST(TO_TIMESTAMP(EXTRACT(EPOCH FROM {at})) AT TIME ZONE {zone} AS DATE)"


def moment(dimension: TimeDimension, dialect: Dialect) -> str:
    return guard.to_dialect(dimension.expression, dialect)


def _member(
    dimension: Dimension, spec: DatasetSpec, dialect: Dialect
) -> tuple[str, str | None, bool]:
    if isinstance(dimension, TimeDimension):
        return local_day(dimension, spec, dialect), None, False
    expression = guard.to_dialect(dimension.expression, dialect)
    label = dimension.null_label
    if label is None:
        return expression, None, False
    kind = _type_of(dimension, spec)
    if kind is not None and kind not in exp.DataType.TEXT_TYPES:
        _check_label(dimension.name, label)
        return expression, label, False
    quoted = exp.Literal.string(label).sql(dialect=dialect.value)
    if kind is None:
        expression = f"CAST({expression} AS VARCHAR)"
    return f"NULLIF({expression}, {quoted})", label, True


def _type_of(dimension: CategoricalDimension, spec: DatasetSpec) -> exp.DType | None:
    """The type that an expression has by its columns, or None where that cannot be said."""
    types = {column.name: _TYPES[column.type] for column in spec.columns}
    tree = guard.parse(dimension.expression).copy()
    for column in list(tree.find_all(exp.Column)):
        typed = exp.cast(exp.column(column.name), types.get(column.name, "UNKNOWN"))
        if column is tree:
            tree = typed
        else:
            column.replace(typed)
    found = annotate_types(tree, dialect=guard.LANGUAGE).type
    known = found is not None and found.this != exp.DType.UNKNOWN
    return found.this if known and found is not None else None


def _check_label(name: str, label: str) -> None:
    """A number may not be called by another number: two members would be one."""
    if re.fullmatch(r"[-+.\d: eE]+|true|false", label.strip().lower()):
        raise refuse(
            "ambiguous_label",
            f"Missing members of `{name}` are called `{label}`, which may be a member.",
            "Give them a word, such as `Unknown`.",
        )


def _asks_for_null(column: exp.Column) -> bool:
    parent = column.parent
    return isinstance(parent, exp.Is | exp.NullSafeEQ | exp.NullSafeNEQ) and isinstance(
        parent.expression, exp.Null
    )
