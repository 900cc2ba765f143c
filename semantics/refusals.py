"""The allow-list at work: every node of a tree that the language does not have, in words."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError

from semantics import arguments, functions
from semantics.problems import Problem, nearest
from semantics.reserved import needs_quotes

LANGUAGE = "duckdb"


def render(tree: exp.Expr) -> str:
    return tree.sql(dialect=LANGUAGE, comments=False)


def shortened(text: str, letters: int = 60) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def refusals(
    tree: exp.Expr, nodes: functions.Nodes, names: Collection[str] | None, noun: str
) -> Iterator[Problem]:
    """Every node that the language does not have, and every unknown name. Refused parts are not
    looked into: one fault is said once."""
    known = None if names is None else {name.lower() for name in names}
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if problem := _refused(node, nodes):
            yield problem
            continue
        if isinstance(node, exp.Column) and known is not None:
            if problem := _unknown(node, known, noun):
                yield problem
            continue
        waiting.extend(node.iter_expressions(reverse=True))


def _unknown(column: exp.Column, known: set[str], noun: str) -> Problem | None:
    identifier = column.this
    name = identifier.name
    if name.lower() in known:
        identifier.set("this", name.lower())
        identifier.set("quoted", needs_quotes(name.lower()))
        return None
    listed = ", ".join(f"`{other}`" for other in sorted(known)[:12])
    there_are = f"There is {listed}{' and more' if len(known) > 12 else ''}." if known else ""
    return Problem(
        "",
        f"unknown_{noun}",
        f"There is no {noun} `{shortened(name)}`.",
        nearest(name, known) or there_are,
    )


def _refused(node: exp.Expr, nodes: functions.Nodes) -> Problem | None:
    kind = type(node)
    allowed = nodes.get(kind)
    if allowed is None:
        return _not_allowed(node, nodes)
    if kind is exp.Column and "table" not in allowed and node.args.get("table"):
        return Problem(
            "",
            "qualified_name",
            f"`{shortened(render(node))}` names a table.",
            f"Write `{node.name}` alone; a dimension of another dataset is `entity__dimension`.",
        )
    for name, value in node.args.items():
        if value and name not in allowed:
            return _not_allowed_with(node, name, value)
    check = arguments.ARGUMENTS.get(kind)
    if check and (said := check(node)):
        return Problem("", "bad_argument", said, f"Mend `{shortened(as_text(node))}`.")
    return None


def _not_allowed_with(node: exp.Expr, name: str, value: object) -> Problem:
    part = value[0] if isinstance(value, list) else value
    if isinstance(part, exp.Expr) and (said := functions.advice(part)):
        return Problem("", "not_allowed", *said)
    option = name.strip("_").replace("_", " ").upper()
    return Problem(
        "",
        "not_allowed",
        f"`{shortened(as_text(node))}` uses {option}, which is not part of the language.",
        "Write it without.",
    )


def _not_allowed(node: exp.Expr, nodes: functions.Nodes) -> Problem:
    shown = shortened(as_text(node))
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc | exp.UserDefinedFunction):
        return _unknown_function(node.name.lower(), nodes)
    if type(node) in functions.AGGREGATES or isinstance(node, exp.AggFunc):
        if nodes is functions.QUERY_NODES or nodes is functions.FORMULA_NODES:
            said = functions.advice(node)
            message, fix = said or (f"`{shown}` is not allowed.", _allowed_functions(nodes))
            return Problem("", "function_not_allowed", message, fix)
        if nodes is functions.ARITHMETIC_NODES:
            return Problem(
                "",
                "aggregate_not_allowed",
                f"`{shown}` adds rows up, and a derived metric computes with other metrics.",
                "Make the aggregate a simple metric and use its name.",
            )
        return Problem(
            "",
            "aggregate_not_allowed",
            f"`{shown}` adds rows up, and this is an expression of one row.",
            "Choose the aggregation beside the expression, and write only what is aggregated.",
        )
    if said := functions.advice(node):
        return Problem("", "not_allowed", *said)
    if isinstance(node, exp.Func):
        return _unknown_function(shown.partition("(")[0].lower(), nodes)
    return Problem(
        "",
        "not_allowed",
        f"`{shown}` is not part of the language.",
        "Use arithmetic, comparisons, CASE and the listed functions.",
    )


def _unknown_function(name: str, nodes: functions.Nodes) -> Problem:
    if name in functions.CLOCK_NAMES:
        return Problem("", "not_allowed", *functions.CLOCK)
    if name in functions.CHANCE_NAMES:
        return Problem("", "not_allowed", *functions.CHANCE)
    known = functions.ROW_FUNCTION_NAMES
    if exp.Sum in nodes:
        known = (*known, *functions.AGGREGATE_NAMES)
    return Problem(
        "",
        "function_not_allowed",
        f"The function `{shortened(name)}` is not in the list of allowed functions.",
        nearest(name, known) or _allowed_functions(nodes),
    )


def _allowed_functions(nodes: functions.Nodes) -> str:
    names = functions.ROW_FUNCTION_NAMES
    if exp.Sum in nodes:
        names = (*functions.AGGREGATE_NAMES, *names)
    if nodes is functions.ARITHMETIC_NODES:
        names = functions.ARITHMETIC_NAMES
    return f"Allowed are {', '.join(names)}."


def as_text(node: exp.Expr) -> str:
    try:
        return node.sql(dialect=LANGUAGE, comments=False, unsupported_level=ErrorLevel.IGNORE)
    except (SqlglotError, ValueError, AttributeError, TypeError):
        return type(node).__name__
