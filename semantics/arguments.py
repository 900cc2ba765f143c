"""What the arguments of allowed functions must look like, where any expression would not do.

Units, lengths, places and types are written out as literals: what decides how much an engine has
to do, or which of its dialects it speaks, is never computed from rows.
"""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from functools import cache

from sqlglot import exp

from semantics.functions import (
    CAST_TYPES,
    COUNTED_IN,
    INTERVAL_UNITS,
    NEED_ORDER,
    PARTS,
    TRUNCATED_TO,
    DType,
)


def _number(node: exp.Expr | None, *, least: int, most: int) -> bool:
    if not isinstance(node, exp.Literal) or node.is_string or not node.name.isdigit():
        return False
    return least <= int(node.name[:9]) <= most and len(node.name) <= 9


def _literal(node: exp.Literal) -> str | None:
    if node.is_string:
        return None if len(node.name) <= 500 else "A text may have at most 500 characters."
    digits = sum(letter.isdigit() for letter in node.name)
    _, _, exponent = node.name.lower().partition("e")
    if digits > 38 or abs(int(exponent or 0)) > 300:
        return f"The number `{node.name[:45]}` has more digits than engines can hold."
    return None


def _cast(node: exp.Cast) -> str | None:
    to = node.args["to"]
    kind = to.args.get("this") if isinstance(to, exp.DataType) else None
    if kind not in CAST_TYPES or to.args.get("nested"):
        known = ", ".join(sorted(set(CAST_TYPES.values())))
        return f"A cast to `{to.sql('duckdb').lower()}` is not allowed; allowed are {known}."
    params = [param.this for param in to.expressions]
    if kind != DType.DECIMAL:
        return None if not params else "This type takes no length."
    if len(params) != 2 or not all(_number(param, least=0, most=38) for param in params):
        return "Say how many digits a decimal has, e.g. `decimal(18, 2)`."
    precision, scale = (int(param.name) for param in params)
    if not 1 <= precision <= 38 or scale > precision:
        return "A decimal has 1 to 38 digits, and not more of them behind the point than in all."
    return None


def _unit(allowed: frozenset[str], what: str) -> Callable[[exp.Expr], str | None]:
    def check(node: exp.Expr) -> str | None:
        unit = node.this if isinstance(node, exp.Extract) else node.args.get("unit")
        if isinstance(unit, exp.Var) and unit.name.upper() in allowed:
            return None
        return f"The unit of {what} is one of {', '.join(sorted(allowed)).lower()}."

    return check


def _interval(node: exp.Interval) -> str | None:
    amount = node.this
    if not isinstance(amount, exp.Literal) or not amount.name.isdigit() or len(amount.name) > 6:
        return "An interval is a whole number and a unit, e.g. `interval 3 day`."
    return _unit(INTERVAL_UNITS, "an interval")(node)


def _time_zone(node: exp.AtTimeZone) -> str | None:
    zone = node.args.get("zone")
    if isinstance(zone, exp.Literal) and zone.is_string and zone.name in time_zones():
        return None
    return "A time zone is written as a known name, e.g. `'Europe/Berlin'`."


@cache
def time_zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones()) - {"localtime", "Factory"}


def _round(node: exp.Round) -> str | None:
    places = node.args.get("decimals")
    if places is None or _number(places, least=0, most=12):
        return None
    return "`round` takes the number of decimals as a whole number from 0 to 12."


def _length(node: exp.Expr) -> str | None:
    if _number(node.args.get("expression"), least=0, most=10_000):
        return None
    return "`left` and `right` take a whole number of letters that is not negative."


def _substring(node: exp.Substring) -> str | None:
    length = node.args.get("length")
    if _number(node.args.get("start"), least=1, most=100_000) and (
        length is None or _number(length, least=0, most=100_000)
    ):
        return None
    return "`substring` takes whole numbers: where it starts (from 1), and how long it is."


def _split_part(node: exp.SplitPart) -> str | None:
    delimiter = node.args.get("delimiter")
    if (
        isinstance(delimiter, exp.Literal)
        and delimiter.is_string
        and delimiter.name
        and _number(node.args.get("part_index"), least=1, most=1000)
    ):
        return None
    return "`split_part` takes a text to split at, and which part is meant, from 1."


def _is(node: exp.Is) -> str | None:
    if isinstance(node.expression, exp.Null | exp.Boolean):
        return None
    return "`is` is followed by null, not null, true or false."


def _operands(node: exp.Expr) -> str | None:
    named = (node.args.get("this"), node.args.get("expression"))
    return None if all(named) else "An operand is missing."


def _list(node: exp.In) -> str | None:
    if node.expressions or node.args.get("query"):
        return None
    return "`in` is followed by a list of values in parentheses."


def _case(node: exp.Case) -> str | None:
    return None if node.args.get("ifs") else "A CASE needs at least one WHEN."


def _percentile(node: exp.PercentileCont) -> str | None:
    share = node.args.get("expression")
    if isinstance(share, exp.Literal) and not share.is_string and 0 < float(share.name) < 1:
        return None
    return "A percentile is a number between 0 and 1, e.g. `percentile_cont(0.95)`."


def _distinct(node: exp.Distinct) -> str | None:
    if isinstance(node.parent, exp.Select | exp.SetOperation):
        return None
    if isinstance(node.parent, exp.Count) and len(node.expressions) == 1:
        return None
    return "DISTINCT belongs into `count(distinct ...)`, over one expression."


def _star(node: exp.Star) -> str | None:
    if isinstance(node.parent, exp.Count | exp.Select | exp.Column):
        return None
    return "A star belongs into `count(*)`."


def _window(node: exp.Window) -> str | None:
    if isinstance(node.this, NEED_ORDER) and not node.args.get("order"):
        return "This window needs an `order by`, or its answer differs from run to run."
    return None


def _join(node: exp.Join) -> str | None:
    if node.args.get("kind", "") in ("", "INNER", "OUTER", "CROSS"):
        return None
    return "Joins are inner, left, right, full or cross."


def _select(node: exp.Select) -> str | None:
    return None if node.expressions else "The SELECT names no columns."


ARGUMENTS: dict[type[exp.Expr], Callable[..., str | None]] = {
    exp.Literal: _literal,
    exp.Cast: _cast,
    exp.Interval: _interval,
    exp.AtTimeZone: _time_zone,
    exp.TimestampTrunc: _unit(TRUNCATED_TO, "`date_trunc`"),
    exp.DateDiff: _unit(COUNTED_IN, "`date_diff`"),
    exp.Extract: _unit(PARTS, "`extract`"),
    exp.Round: _round,
    exp.Left: _length,
    exp.Right: _length,
    exp.Substring: _substring,
    exp.SplitPart: _split_part,
    exp.Is: _is,
    exp.In: _list,
    exp.Case: _case,
    exp.Nullif: _operands,
    exp.PercentileCont: _percentile,
    exp.Distinct: _distinct,
    exp.Star: _star,
    exp.Window: _window,
    exp.Join: _join,
    exp.Select: _select,
}
