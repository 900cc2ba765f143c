"""One spelling for what can be typed in several: `year(a)` and `date_part('year', a)` are EXTRACT.

Only spellings are touched here. What is equal for deeper reasons is for `semantics.canonical`.
"""

from __future__ import annotations

from sqlglot import exp

_PARTS: dict[type[exp.Expr], str] = {
    exp.Year: "YEAR",
    exp.Quarter: "QUARTER",
    exp.Month: "MONTH",
    exp.Week: "WEEK",
    exp.Day: "DAY",
    exp.DayOfMonth: "DAY",
    exp.DayOfWeek: "DOW",
    exp.DayOfWeekIso: "ISODOW",
    exp.DayOfYear: "DOY",
    exp.Hour: "HOUR",
    exp.Minute: "MINUTE",
}
_PART_NAMES = {
    "DAYOFWEEK": "DOW",
    "WEEKDAY": "DOW",
    "DAYOFYEAR": "DOY",
    "DAYOFMONTH": "DAY",
    "WEEKOFYEAR": "WEEK",
}


def normal(tree: exp.Expr) -> exp.Expr:
    """The tree with one spelling for each construct. Changes the tree that it is given."""
    for node in list(tree.walk(bfs=True)):
        replacement = _replacement(node)
        if replacement is node:
            continue
        if node is tree:
            tree = replacement
        else:
            node.replace(replacement)
    return tree


def _replacement(node: exp.Expr) -> exp.Expr:
    if part := _PARTS.get(type(node)):
        return exp.Extract(this=exp.Var(this=part), expression=node.this)
    if isinstance(node, exp.Anonymous) and node.name.lower() in ("date_part", "datepart"):
        return _date_part(node)
    if isinstance(node, exp.Extract) and isinstance(node.this, exp.Var):
        node.this.set("this", _part(node.this.name))
    if isinstance(node, exp.Date) and not node.expressions and node.this and not _has_zone(node):
        return exp.Cast(this=node.this, to=exp.DataType(this=exp.DType.DATE, nested=False))
    if isinstance(node, exp.DateTrunc) and not node.args.get("zone"):
        # The parser's word for `date_trunc` of what is a date by its looks.
        unit = node.args.get("unit")
        if isinstance(unit, exp.Literal | exp.Var):
            return exp.TimestampTrunc(this=node.this, unit=exp.Var(this=unit.name.upper()))
    if isinstance(node, exp.Interval) and isinstance(node.args.get("unit"), exp.Var):
        unit = node.args["unit"]
        unit.set("this", unit.name.upper().removesuffix("S"))
    if isinstance(node, exp.WithinGroup):
        return _percentile(node)
    if isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        default = node.args.get("false")
        return exp.Case(ifs=[exp.If(this=node.this, true=node.args.get("true"))], default=default)
    return node


def _part(name: str) -> str:
    name = name.upper()
    return _PART_NAMES.get(name, name)


def _date_part(node: exp.Anonymous) -> exp.Expr:
    if len(node.expressions) != 2 or not isinstance(node.expressions[0], exp.Literal):
        return node
    part, value = node.expressions
    return exp.Extract(this=exp.Var(this=_part(part.name)), expression=value)


def _has_zone(node: exp.Date) -> bool:
    return bool(node.args.get("zone"))


def _percentile(node: exp.WithinGroup) -> exp.Expr:
    """`percentile_cont(0.9) within group (order by a)` says the same as `quantile_cont(a, 0.9)`."""
    inner, order = node.this, node.expression
    if not isinstance(inner, exp.PercentileCont) or not isinstance(order, exp.Order):
        return node
    if len(order.expressions) != 1 or inner.expression:
        return node
    by = order.expressions[0]
    if not isinstance(by, exp.Ordered) or by.args.get("desc"):
        return node
    return exp.PercentileCont(this=by.this, expression=inner.this)
