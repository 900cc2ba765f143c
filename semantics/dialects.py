"""How the expression language is written for each engine, so that all give the same values.

The tree is rewritten before it is rendered: sqlglot changes the spelling, this file mends the
meaning. What differs between engines and is mended here: division (by zero; of integers; of
decimals), remainders, rounding of halves, truncated dates, differences of dates, LIKE's
backslash, medians of decimals, and `count_if` over no rows.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import sqlglot
from sqlglot import exp

from semantics.parentheses import bound

DType = exp.DType


class Dialect(StrEnum):
    """The engines that Etalon writes SQL for, by sqlglot's names."""

    DUCKDB = "duckdb"
    POSTGRESQL = "postgres"


def rewritten(tree: exp.Expr, dialect: Dialect) -> exp.Expr:
    """A copy of the tree that means on `dialect` what the expression language says."""
    rules = _POSTGRESQL if dialect == Dialect.POSTGRESQL else _DUCKDB
    tree = tree.copy()
    # Children first, so that a rule sees operands that are mended already.
    for node in reversed(list(tree.walk(bfs=True))):
        rule = rules.get(type(node))
        if rule is None:
            continue
        replacement = rule(node)
        if replacement is node:
            continue
        if node is tree:
            tree = replacement
        else:
            node.replace(replacement)
    return bound(tree)


def _cast(value: exp.Expr, kind: exp.DType) -> exp.Expr:
    if isinstance(value, exp.Paren):
        value = value.this
    return exp.Cast(this=value.copy(), to=exp.DataType(this=kind, nested=False))


def _from(template: str, **parts: exp.Expr) -> exp.Expr:
    """Fill `:name` placeholders of a template of ours with parts of the tree."""
    tree: exp.Expr = sqlglot.parse_one(template, read="postgres", into=exp.Condition)
    for slot in list(tree.find_all(exp.Placeholder)):
        slot.replace(parts[slot.name].copy())
    return exp.Paren(this=tree)


def _never_zero(divisor: exp.Expr) -> exp.Expr:
    """A divisor that is NULL instead of 0, since engines answer 1/0 with inf, NULL or an error."""
    bare = divisor.unnest()
    if isinstance(bare, exp.Literal) and not bare.is_string and float(bare.name) != 0:
        return divisor
    if isinstance(bare, exp.Nullif) and _is_zero(bare.expression):
        return divisor
    return exp.Nullif(this=bare.copy(), expression=exp.Literal.number(0))


def _is_zero(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string and float(node.name) == 0


def _division(node: exp.Expr) -> exp.Expr:
    node.expression.replace(_never_zero(node.expression))
    return node


def _exact_division(node: exp.Expr) -> exp.Expr:
    """PostgreSQL cuts 7/2 to 3 and DuckDB gives a double: divide doubles on both."""
    node.this.replace(_cast(node.this, DType.DOUBLE))
    node.expression.replace(_never_zero(node.expression))
    node.set("typed", True)
    return node


def _decimal_remainder(node: exp.Expr) -> exp.Expr:
    node.this.replace(_cast(node.this, DType.DECIMAL))
    node.expression.replace(_never_zero(_cast(node.expression, DType.DECIMAL)))
    return node


def _over_double(*names: str) -> Callable[[exp.Expr], exp.Expr]:
    def rule(node: exp.Expr) -> exp.Expr:
        for name in names:
            node.set(name, _cast(node.args[name], DType.DOUBLE))
        return node

    return rule


def _decimal_rounding(node: exp.Expr) -> exp.Expr:
    """PostgreSQL rounds half of a double to even, and rounds only decimals to places."""
    node.this.replace(_cast(node.this, DType.DECIMAL))
    return node


_DATE_UNITS = frozenset(["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"])


def _truncation(node: exp.Expr) -> exp.Expr:
    """To a day or more gives a date, else a timestamp; never one with a time zone."""
    node.this.replace(_cast(node.this, DType.TIMESTAMP))
    if node.args["unit"].name.upper() not in _DATE_UNITS:
        return node
    return _cast(node, DType.DATE)


_MONTHS = "extract(year from {0}) * 12 + extract(month from {0})"
_QUARTERS = "extract(year from {0}) * 4 + extract(quarter from {0})"
_SECONDS = "extract(epoch from date_trunc('{unit}', {0})) / {length}"
_DIFFERENCES = {
    "DAY": "cast(:until as date) - cast(:since as date)",
    "MONTH": f"({_MONTHS.format(':until')}) - ({_MONTHS.format(':since')})",
    "QUARTER": f"({_QUARTERS.format(':until')}) - ({_QUARTERS.format(':since')})",
    "YEAR": "extract(year from :until) - extract(year from :since)",
    **{
        unit: "cast(" + _SECONDS.format(":until", unit=unit, length=length) + " as bigint)"
        " - cast(" + _SECONDS.format(":since", unit=unit, length=length) + " as bigint)"
        for unit, length in (("HOUR", 3600), ("MINUTE", 60), ("SECOND", 1))
    },
}


def _date_difference(node: exp.Expr) -> exp.Expr:
    """Boundaries crossed, as DuckDB counts them."""
    unit = node.args["unit"].name.upper()
    until, since = node.this, node.expression
    if unit != "DAY":
        until, since = _cast(until, DType.TIMESTAMP), _cast(since, DType.TIMESTAMP)
    found = _from(_DIFFERENCES[unit], until=until, since=since)
    for division in found.find_all(exp.Div):
        division.set("typed", True)
    return found


def _like(node: exp.Expr) -> exp.Expr:
    """PostgreSQL takes a backslash for an escape, the language does not."""
    pattern = node.expression
    if isinstance(pattern, exp.Literal) and "\\" not in pattern.name:
        return node
    return exp.Paren(this=exp.Escape(this=node.copy(), expression=exp.Literal.string("")))


def _contains(node: exp.Expr) -> exp.Expr:
    position = exp.StrPosition(this=node.this.copy(), substr=node.expression.copy())
    return exp.Paren(this=exp.GT(this=position, expression=exp.Literal.number(0)))


def _count_if(node: exp.Expr) -> exp.Expr:
    """Of no rows it is 0 on every engine."""
    case = exp.Case(ifs=[exp.If(this=node.this.copy(), true=exp.Literal.number(1))])
    return exp.Count(this=case, big_int=True)


def _whole_part(node: exp.Expr) -> exp.Expr:
    return _cast(node, DType.BIGINT)


_Rules = dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]]

_DUCKDB: _Rules = {
    exp.Div: _division,
    exp.Mod: _division,
    exp.TimestampTrunc: _truncation,
    exp.CountIf: _count_if,
    exp.Median: _over_double("this"),
    exp.PercentileCont: _over_double("this"),
}
_POSTGRESQL: _Rules = {
    exp.Div: _exact_division,
    exp.Mod: _decimal_remainder,
    exp.Round: _decimal_rounding,
    exp.Sqrt: _over_double("this"),
    exp.Ln: _over_double("this"),
    exp.Exp: _over_double("this"),
    exp.Pow: _over_double("this", "expression"),
    exp.TimestampTrunc: _truncation,
    exp.DateDiff: _date_difference,
    exp.Extract: _whole_part,
    exp.Like: _like,
    exp.ILike: _like,
    exp.Contains: _contains,
    exp.CountIf: _count_if,
    exp.Median: _over_double("this"),
    exp.PercentileCont: _over_double("this"),
}
