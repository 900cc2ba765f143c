"""Which tables a query reads: only declared ones, each written with its full name."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp

from semantics.problems import Problem, nearest
from semantics.reserved import HIDDEN_COLUMNS, needs_quotes

_SYSTEM = frozenset(
    ["information_schema", "pg_catalog", "pg_toast", "duckdb", "system", "sys", "mysql"]
)


def is_system(name: str) -> bool:
    """Whether a table belongs to the engine itself and so can never be declared."""
    parts = name.lower().split(".")
    return parts[-1].startswith(("pg_", "duckdb_", "sqlite_")) or any(
        part in _SYSTEM or part.startswith("pg_") for part in parts[:-1]
    )


def qualify(tree: exp.Expr, tables: Collection[str]) -> Iterator[Problem]:
    """Replace the tables of a query by their declared names, and name those that are not declared.

    Names of a WITH are visible where SQL makes them visible and nowhere else, so that one of them
    cannot lend its name to a real table.
    """
    for name in tables:
        if is_system(name):
            yield Problem(
                "",
                "system_table",
                f"`{name}` belongs to the engine itself.",
                "Declare tables of the source only.",
            )
    declared = {tuple(name.lower().split(".")): name for name in tables}
    yield from _query(tree, declared, frozenset())
    for column in tree.find_all(exp.Column):
        if column.name.lower() in HIDDEN_COLUMNS:
            yield Problem(
                "",
                "hidden_column",
                f"`{column.name}` is a number of the engine's own, which changes by itself.",
                "Use a column of the table.",
            )


_Declared = dict[tuple[str, ...], str]


def _query(tree: exp.Expr, declared: _Declared, visible: frozenset[str]) -> Iterator[Problem]:
    """Check one query and, with what is visible in them, the queries inside of it."""
    for cte in (tree.args.get("with_") or exp.With(expressions=[])).expressions:
        yield from _query(cte.this, declared, visible)
        visible |= {cte.alias.lower()}
    waiting = [child for child in tree.iter_expressions() if not isinstance(child, exp.With)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.Query) and not isinstance(node, exp.Subquery):
            yield from _query(node, declared, visible)
        elif isinstance(node, exp.Table):
            yield from _table(node, declared, visible)
        else:
            waiting.extend(node.iter_expressions())


def _table(table: exp.Table, declared: _Declared, visible: frozenset[str]) -> Iterator[Problem]:
    parts = tuple(part.name.lower() for part in table.parts)
    if len(parts) == 1 and parts[0] in visible:
        return
    matches = [name for full, name in declared.items() if full[-len(parts) :] == parts]
    shown = ".".join(parts)
    if len(matches) > 1 and parts in declared:
        matches = [declared[parts]]
    if len(matches) == 1:
        _rename(table, matches[0])
        return
    if matches:
        yield Problem(
            "",
            "ambiguous_table",
            f"`{shown}` may be {' or '.join(f'`{name}`' for name in sorted(matches))}.",
            "Write the full name.",
        )
        return
    yield Problem(
        "",
        "unknown_table",
        f"The table `{shown}` is not declared for this dataset.",
        nearest(shown, declared.values())
        or f"Add it to the tables of the dataset, or read {_listed(declared.values())}.",
    )


def _listed(names: Collection[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)[:8]) or "a declared one"


def _rename(table: exp.Table, name: str) -> None:
    """Write the declared name, and keep the short one as the alias by which columns call it."""
    if not table.alias:
        short = table.this.copy()
        table.set("alias", exp.TableAlias(this=short))
    parts = [exp.Identifier(this=part, quoted=needs_quotes(part)) for part in name.split(".")]
    table.set("this", parts[-1])
    table.set("db", parts[-2] if len(parts) > 1 else None)
    table.set("catalog", parts[-3] if len(parts) > 2 else None)
