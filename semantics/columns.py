"""Which columns of which tables a dataset reads.

Names are resolved within their own scope: a column with the alias of a table belongs to it, a bare
one to the only table there is. One that could belong to several is said of each of them.
"""

from __future__ import annotations

from sqlglot import exp
from sqlglot.optimizer.scope import Scope, traverse_scope

from semantics.definition import DatasetSpec, Query
from semantics.guard import names_in, parse
from semantics.problems import DefinitionRefused


def columns_read(dataset: DatasetSpec) -> list[tuple[str, tuple[str, ...]]]:
    """Each table with its columns, sorted; `*` where a query names none of a table's columns."""
    if isinstance(dataset.relation, Query):
        return _of_query(dataset.relation)
    return [(dataset.relation.name, tuple(sorted(_of_expressions(dataset))))]


def _of_expressions(dataset: DatasetSpec) -> set[str]:
    """What entities and dimensions use, and every declared column, which metrics may use."""
    found = {column.name for column in dataset.columns}
    for part in (*dataset.entities, *dataset.dimensions):
        try:
            found |= set(names_in(part.expression))
        except DefinitionRefused:
            continue
    return found


def _of_query(query: Query) -> list[tuple[str, tuple[str, ...]]]:
    found: dict[str, set[str]] = {table: set() for table in query.tables}
    declared = {table.lower(): table for table in query.tables}
    try:
        tree = parse(query.sql)
    except DefinitionRefused:
        return [(table, ()) for table in sorted(found)]
    for scope in traverse_scope(tree):
        _of_scope(scope, declared, found)
    return [(table, tuple(sorted(names)) or ("*",)) for table, names in sorted(found.items())]


def _of_scope(scope: Scope, declared: dict[str, str], found: dict[str, set[str]]) -> None:
    tables = {
        alias: declared.get(_full(source), _full(source))
        for alias, source in scope.sources.items()
        if isinstance(source, exp.Table)
    }
    for column in scope.columns:
        if column.table:
            owners = [tables[column.table]] if column.table in tables else []
        else:
            owners = list(tables.values())
        for table in owners:
            found.setdefault(table, set()).add(column.name)
    for join in scope.expression.args.get("joins") or []:
        for name in join.args.get("using") or []:
            for table in tables.values():
                found.setdefault(table, set()).add(name.name)
    for star in scope.stars:
        owner = star.table if isinstance(star, exp.Column) else ""
        names = [owner] if owner else list(tables)
        for alias in names:
            if alias in tables:
                found.setdefault(tables[alias], set()).add("*")


def _full(table: exp.Table) -> str:
    return ".".join(part.name for part in table.parts).lower()
