"""What a dataset over a table begins as: all that can be told from its columns alone.

A person goes on from there. What is guessed is small and says itself: a day that dates the rows,
entities that other datasets know already, texts to ask by.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from semantics.definition import (
    AnySpec,
    CategoricalDimension,
    Column,
    ColumnType,
    DatasetSpec,
    Dimension,
    Entity,
    EntityType,
    Table,
    TimeDimension,
)
from semantics.guard import render
from semantics.reserved import RESERVED, TIME_WORDS, needs_quotes

_NAME = re.compile(r"^[a-z_][a-z0-9_]{0,62}$")
# By how the name of a type begins at a source; anything else is read as text.
_TYPES: tuple[tuple[tuple[str, ...], ColumnType], ...] = (
    (("BIGINT", "INT", "SMALLINT", "TINYINT", "HUGEINT", "UINT", "UBIG"), ColumnType.INTEGER),
    (("USMALL", "UTINY", "UHUGE"), ColumnType.INTEGER),
    (("DECIMAL", "NUMERIC", "MONEY"), ColumnType.DECIMAL),
    (("DOUBLE", "FLOAT", "REAL"), ColumnType.FLOAT),
    (("BOOL",), ColumnType.BOOLEAN),
    (("DATE",), ColumnType.DATE),
    (("TIMESTAMP", "DATETIME"), ColumnType.TIMESTAMP),
)


@dataclass(frozen=True)
class DatasetStart:
    """The spec, and the columns that a definition cannot name as they are written there."""

    spec: DatasetSpec
    left_out: tuple[str, ...]


def dataset_start(
    *, key: str, source: str, table: str, columns: Mapping[str, str], known: Mapping[str, AnySpec]
) -> DatasetStart:
    """A valid dataset over a table whose columns and types are as the source names them.

    Its zone is the one of the other datasets of the source. Raises ValueError when no column can
    be named.
    """
    datasets = [spec for spec in known.values() if isinstance(spec, DatasetSpec)]
    named = {name.lower(): _type(type_) for name, type_ in columns.items() if _is_name(name)}
    zones = [spec.time_zone for spec in datasets if spec.source == source]
    dimensions = list(_dimensions(named))
    times = [each.name for each in dimensions if isinstance(each, TimeDimension)]
    spec = DatasetSpec(
        source=source,
        relation=Table(name=table),
        columns=[Column(name=name, type=type_) for name, type_ in named.items()],
        entities=list(_entities(key, named, datasets)),
        dimensions=dimensions,
        time_dimension=times[0] if times else None,
        time_zone=max(zones, key=zones.count) if zones else "UTC",
    )
    return DatasetStart(spec, tuple(name for name in columns if not _is_name(name)))


def _is_name(name: str) -> bool:
    return bool(_NAME.match(name.lower()))


def _type(at_source: str) -> ColumnType:
    name = at_source.upper()
    return next((ours for begins, ours in _TYPES if name.startswith(begins)), ColumnType.STRING)


def _can_name(name: str) -> bool:
    """Whether a dimension or an entity may have this name."""
    return "__" not in name and name not in RESERVED and name not in TIME_WORDS


def _dimensions(columns: Mapping[str, ColumnType]) -> Iterator[Dimension]:
    """Days before instants, since a row is usually dated by one; then what can be asked by."""
    for wanted in (ColumnType.DATE, ColumnType.TIMESTAMP):
        for name, type_ in columns.items():
            if type_ == wanted and _can_name(name):
                yield TimeDimension(name=name, expression=_column(name))
    for name, type_ in columns.items():
        if not _can_name(name):
            continue
        if type_ == ColumnType.STRING:
            yield CategoricalDimension(name=name, expression=_column(name))
        elif type_ == ColumnType.BOOLEAN:
            yield CategoricalDimension(name=name, expression=f"CAST({_column(name)} AS TEXT)")


def _entities(
    key: str, columns: Mapping[str, ColumnType], datasets: list[DatasetSpec]
) -> Iterator[Entity]:
    """The row's own, by a column `id` or one named like the dataset; and those of others."""
    one = key.removesuffix("s")
    own = next((name for name in ("id", f"{key}_id", f"{one}_id") if name in columns), None)
    if own and _can_name(one):
        yield Entity(name=one, type=EntityType.PRIMARY, expression=_column(own))
    identified = {
        entity.name
        for spec in datasets
        for entity in spec.entities
        if entity.type != EntityType.FOREIGN
    }
    for name in columns:
        named = name.removesuffix("_id")
        if name != own and named != name and named in identified and named != one:
            yield Entity(name=named, type=EntityType.FOREIGN, expression=_column(name))


def _column(name: str) -> str:
    """The column as an expression: with quotes where it reads like a word of SQL."""
    return render(exp.column(exp.to_identifier(name, quoted=needs_quotes(name))))
