"""What kind of value an expression gives, as far as the declared types of columns tell.

Only what is certain is said: an engine would refuse it, or would give something that is no number.
An expression of unknown kind passes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from sqlglot import exp

from semantics.definition import Aggregation, ColumnType, DatasetSpec, SimpleSpec
from semantics.guard import is_boolean, parse, render
from semantics.problems import DefinitionRefused, Level, Problem


class Kind(StrEnum):
    NUMBER = "a number"
    TEXT = "a text"
    ANSWER = "yes or no"
    TIME = "a day or a time"


_OF_COLUMNS = {
    ColumnType.STRING: Kind.TEXT,
    ColumnType.INTEGER: Kind.NUMBER,
    ColumnType.DECIMAL: Kind.NUMBER,
    ColumnType.FLOAT: Kind.NUMBER,
    ColumnType.BOOLEAN: Kind.ANSWER,
    ColumnType.DATE: Kind.TIME,
    ColumnType.TIMESTAMP: Kind.TIME,
}
_OF_CASTS = {
    exp.DType.TEXT: Kind.TEXT,
    exp.DType.INT: Kind.NUMBER,
    exp.DType.BIGINT: Kind.NUMBER,
    exp.DType.DOUBLE: Kind.NUMBER,
    exp.DType.DECIMAL: Kind.NUMBER,
    exp.DType.BOOLEAN: Kind.ANSWER,
    exp.DType.DATE: Kind.TIME,
    exp.DType.TIMESTAMP: Kind.TIME,
    exp.DType.TIMESTAMPNTZ: Kind.TIME,
}
_TEXTS = (exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Replace)
_NUMBERS = (exp.Mul, exp.Div, exp.Mod, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Sqrt, exp.Ln)
_NUMBERED = (exp.Length, exp.Extract, exp.DateDiff, exp.StrPosition, exp.Sign, exp.Exp, exp.Pow)
_COMPARED = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)
_OF_NUMBERS = (*(Aggregation.SUM, Aggregation.AVERAGE, Aggregation.MEDIAN, Aggregation.PERCENTILE),)


def kind_of(node: exp.Expr, columns: Mapping[str, Kind]) -> Kind | None:
    """The kind of a tree, or None when it is not certain. A quoted literal may be anything."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        return columns.get(node.name)
    if isinstance(node, exp.Literal):
        return None if node.is_string else Kind.NUMBER
    if isinstance(node, exp.Cast):
        return _OF_CASTS.get(node.args["to"].this)
    if isinstance(node, _TEXTS):
        return Kind.TEXT
    if isinstance(node, (*_NUMBERS, *_NUMBERED)):
        return Kind.NUMBER
    if isinstance(node, exp.Neg | exp.Nullif):
        return kind_of(node.this, columns)
    return Kind.ANSWER if is_boolean(node) and not isinstance(node, exp.Coalesce) else None


def kinds_of(dataset: DatasetSpec) -> dict[str, Kind]:
    return {column.name: _OF_COLUMNS[column.type] for column in dataset.columns}


def problems_of_kind(text: str, columns: Mapping[str, Kind]) -> Iterator[Problem]:
    """Comparisons of unlike kinds, and arithmetic over texts."""
    try:
        tree = parse(text)
    except DefinitionRefused:
        return  # The guard has said what is wrong with it.
    for node in tree.find_all(*_COMPARED, *(exp.Mul, exp.Div, exp.Mod)):
        left, right = kind_of(node.this, columns), kind_of(node.expression, columns)
        if isinstance(node, _COMPARED) and left and right and left != right:
            yield Problem(
                "",
                "unlike_kinds",
                f"`{render(node)}` compares {left} with {right}.",
                "Compare like with like, or cast one of the two.",
            )
        if not isinstance(node, _COMPARED) and (Kind.TEXT in (left, right)):
            yield Problem(
                "",
                "unlike_kinds",
                f"`{render(node)}` calculates with a text.",
                "Cast it to a number first, e.g. `cast(a as decimal(18, 2))`.",
            )


def problems_of_aggregation(spec: SimpleSpec, dataset: DatasetSpec) -> Iterator[Problem]:
    """An aggregation that does not fit to what is aggregated."""
    try:
        kind = kind_of(parse(spec.expression), kinds_of(dataset))
    except DefinitionRefused:
        return
    if kind is None:
        return
    if spec.aggregation in _OF_NUMBERS and kind != Kind.NUMBER:
        fix = "Count it, or aggregate a number."
        if kind == Kind.ANSWER:
            fix = "Use the aggregation sum_boolean, which counts how often it is true."
        yield Problem(
            "expression",
            "not_a_number",
            f"`{spec.expression}` is {kind}, of which there is no {spec.aggregation}.",
            fix,
        )
    if spec.aggregation == Aggregation.SUM_BOOLEAN and kind != Kind.ANSWER:
        yield Problem(
            "expression",
            "not_boolean",
            f"`{spec.expression}` is {kind}, and sum_boolean counts how often something is true.",
            "Compare it with something, e.g. `status = 'completed'`.",
        )
    if spec.aggregation in (Aggregation.MIN, Aggregation.MAX) and kind != Kind.NUMBER:
        yield Problem(
            "expression",
            "not_a_number",
            f"The {spec.aggregation} of `{spec.expression}` is {kind}, and values are numbers.",
            "Aggregate a number, e.g. the days since a fixed date by `date_diff('day', ...)`.",
            Level.NEEDS_ANSWER,
        )
