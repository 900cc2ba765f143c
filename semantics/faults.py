"""Faults of keys, of names and of datasets: what can be said without looking at other metrics."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from semantics.arguments import time_zones
from semantics.definition import AnySpec, DatasetSpec, EntityType, Query, Table
from semantics.guard import check_expression, check_query
from semantics.problems import DefinitionRefused, Problem, nearest
from semantics.relations import is_system
from semantics.reserved import RESERVED, TIME_WORDS


def of_key(key: str) -> Iterator[Problem]:
    if key in RESERVED or key in TIME_WORDS:
        yield Problem(
            "key",
            "reserved_word",
            f"`{key}` is a word of SQL, so that it cannot be a name.",
            f"Call it `{key}_count`, or what it counts.",
        )
    if "__" in key:
        yield Problem(
            "key",
            "double_underscore",
            f"`{key}` reads like a path over a join, because of its two underscores.",
            f"Call it `{key.replace('__', '_')}`.",
        )


def reserved(names: Collection[str], place: str, noun: str) -> Iterator[Problem]:
    for name in names:
        if name in RESERVED or name in TIME_WORDS:
            yield Problem(
                f"{place}.{name}",
                "reserved_word",
                f"`{name}` is a word of SQL, so that it cannot name {noun}.",
                f"Call it `{name}_id` or `the_{name}`.",
            )
        if "__" in name:
            yield Problem(
                f"{place}.{name}",
                "double_underscore",
                f"`{name}` reads like a path over a join, because of its two underscores.",
                f"Call it `{name.replace('__', '_')}`.",
            )


def twice(names: list[str], place: str, noun: str) -> Iterator[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            f"{place}.{name}", "duplicate", f"There are two {noun} “{name}”.", "Rename one."
        )


def of_text(place: str, check: Callable[..., str], text: str, **names: Any) -> list[Problem]:
    try:
        check(text, **names)
    except DefinitionRefused as refused:
        return [problem.at(place) for problem in refused.problems]
    return []


def columns_of(dataset: AnySpec | None) -> list[str]:
    return [column.name for column in dataset.columns] if isinstance(dataset, DatasetSpec) else []


def of_dataset(spec: DatasetSpec) -> Iterator[Problem]:
    columns = columns_of(spec)
    yield from twice(columns, "columns", "columns")
    named = [dimension.name for dimension in spec.dimensions]
    yield from twice(named, "dimensions", "dimensions")
    yield from reserved(named, "dimensions", "a dimension")
    entities = [entity.name for entity in spec.entities]
    yield from twice(entities, "entities", "entities")
    yield from reserved(entities, "entities", "an entity")
    for entity in spec.entities:
        yield from of_text(
            f"entities.{entity.name}", check_expression, entity.expression, names=columns
        )
    if sum(entity.type == EntityType.PRIMARY for entity in spec.entities) > 1:
        yield Problem(
            "entities",
            "two_primaries",
            "A row has one primary entity at most.",
            "Make the others unique or foreign.",
        )
    for dimension in spec.dimensions:
        yield from of_text(
            f"dimensions.{dimension.name}", check_expression, dimension.expression, names=columns
        )
    if isinstance(spec.relation, Table) and is_system(spec.relation.name):
        yield Problem(
            "relation.name",
            "system_table",
            f"`{spec.relation.name}` belongs to the engine itself.",
            "Read a table of the source.",
        )
    if isinstance(spec.relation, Query):
        yield from of_text(
            "relation.sql", check_query, spec.relation.sql, tables=spec.relation.tables
        )
    times = [dimension.name for dimension in spec.dimensions if dimension.type == "time"]
    if spec.time_dimension and spec.time_dimension not in times:
        yield Problem(
            "time_dimension",
            "unknown_dimension",
            f"There is no time dimension `{spec.time_dimension}`.",
            nearest(spec.time_dimension, times) or f"Choose among {', '.join(times) or 'none'}.",
        )
    if spec.time_zone not in time_zones():
        yield Problem(
            "time_zone",
            "unknown_zone",
            f"“{spec.time_zone}” is no time zone.",
            "Write e.g. Europe/Rome.",
        )
