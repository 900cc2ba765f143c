"""The allow-list: which nodes and functions Etalon's expression language has.

The language is a part of DuckDB's SQL that gives the same values on every engine. Each kind of
node is listed with the arguments that it may carry; all else is refused, so that a new construct
of the parser is refused too until somebody lists it here. Left out on purpose: whatever reads a
clock, a file, a setting or another table, whatever is random or depends on the order of rows,
and whatever engines answer differently (regular expressions, casts to text types of limited
length, integer division).
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp

DType = exp.DType

Nodes = Mapping[type[exp.Expr], frozenset[str]]


def _args(names: str = "") -> frozenset[str]:
    return frozenset(names.split())


_BINARY = _args("this expression")
_UNARY = _args("this")
_OPERANDS = _args("this expression")

OPERATORS: Nodes = {
    exp.Column: _UNARY,
    exp.Identifier: _args("this quoted"),
    exp.Literal: _args("this is_string"),
    exp.Boolean: _UNARY,
    exp.Null: _args(),
    exp.Paren: _UNARY,
    exp.Neg: _UNARY,
    exp.Not: _UNARY,
    exp.Add: _BINARY,
    exp.Sub: _BINARY,
    exp.Mul: _BINARY,
    exp.Div: _args("this expression typed safe"),
    exp.Mod: _BINARY,
    exp.And: _BINARY,
    exp.Or: _BINARY,
    exp.EQ: _BINARY,
    exp.NEQ: _BINARY,
    exp.GT: _BINARY,
    exp.GTE: _BINARY,
    exp.LT: _BINARY,
    exp.LTE: _BINARY,
    exp.NullSafeEQ: _BINARY,
    exp.NullSafeNEQ: _BINARY,
    exp.Is: _BINARY,
    exp.In: _args("this expressions"),
    exp.Between: _args("this low high"),
    exp.Like: _args("this expression negate"),
    exp.ILike: _args("this expression negate"),
    exp.DPipe: _args("this expression safe"),
    exp.Case: _args("this ifs default"),
    exp.If: _args("this true false"),
    exp.Cast: _args("this to"),
    exp.DataType: _args("this expressions nested"),
    exp.DataTypeParam: _UNARY,
    exp.Interval: _args("this unit"),
    exp.Var: _UNARY,
    exp.AtTimeZone: _args("this zone"),
}

FUNCTIONS: Nodes = {
    exp.Abs: _UNARY,
    exp.Ceil: _UNARY,
    exp.Coalesce: _args("this expressions"),
    exp.Concat: _args("expressions safe coalesce"),
    exp.Contains: _BINARY,
    exp.DateDiff: _args("this expression unit date_part_boundary"),
    exp.Exp: _UNARY,
    exp.Extract: _args("this expression"),
    exp.Floor: _UNARY,
    exp.Greatest: _args("this expressions ignore_nulls"),
    exp.Least: _args("this expressions ignore_nulls"),
    exp.Left: _BINARY,
    exp.Length: _UNARY,
    exp.Ln: _UNARY,
    exp.Lower: _UNARY,
    exp.Nullif: _BINARY,
    exp.Pow: _BINARY,
    exp.Replace: _args("this expression replacement"),
    exp.Right: _BINARY,
    exp.Round: _args("this decimals"),
    exp.Sign: _UNARY,
    exp.SplitPart: _args("this delimiter part_index"),
    exp.Sqrt: _UNARY,
    exp.StartsWith: _BINARY,
    exp.StrPosition: _args("this substr"),
    exp.Substring: _args("this start length"),
    exp.TimestampTrunc: _args("this unit"),
    exp.Trim: _UNARY,
    exp.Upper: _UNARY,
}

AGGREGATES: Nodes = {
    exp.Avg: _UNARY,
    exp.Count: _args("this big_int"),
    exp.CountIf: _UNARY,
    exp.Distinct: _args("expressions"),
    exp.Filter: _OPERANDS,
    exp.Max: _UNARY,
    exp.Median: _UNARY,
    exp.Min: _UNARY,
    exp.PercentileCont: _OPERANDS,
    exp.Star: _args(),
    exp.Sum: _UNARY,
    exp.Where: _UNARY,
}

QUERY: Nodes = {
    exp.Column: _args("this table"),
    exp.Select: _args("expressions from_ joins where group having order with_ distinct"),
    exp.Union: _args("this expression distinct order with_"),
    exp.With: _args("expressions"),
    exp.CTE: _args("this alias"),
    exp.TableAlias: _args("this columns"),
    exp.From: _UNARY,
    exp.Join: _args("this side kind on using"),
    exp.Table: _args("this db catalog alias"),
    exp.Subquery: _args("this alias"),
    exp.Exists: _UNARY,
    exp.In: _args("this expressions query"),
    exp.Alias: _args("this alias"),
    exp.Group: _args("expressions"),
    exp.Having: _UNARY,
    exp.Order: _args("expressions"),
    exp.Ordered: _args("this desc nulls_first"),
    exp.Window: _args("this partition_by order spec over"),
    exp.WindowSpec: _args("kind start start_side end end_side"),
    exp.RowNumber: _args(),
    exp.Rank: _args(),
    exp.DenseRank: _args(),
    exp.Lag: _args("this offset default"),
    exp.Lead: _args("this offset default"),
    exp.FirstValue: _UNARY,
    exp.LastValue: _UNARY,
}
# Their answer is decided by the order of the rows, so the window must say one.
NEED_ORDER = (
    exp.RowNumber,
    exp.Rank,
    exp.DenseRank,
    exp.Lag,
    exp.Lead,
    exp.FirstValue,
    exp.LastValue,
)

AGGREGATE_FUNCTIONS = (
    *(exp.Avg, exp.Count, exp.CountIf, exp.Max, exp.Median, exp.Min),
    *(exp.PercentileCont, exp.Sum),
)

ROW_NODES: Nodes = {**OPERATORS, **FUNCTIONS}
FORMULA_NODES: Nodes = {**ROW_NODES, **AGGREGATES}
QUERY_NODES: Nodes = {**FORMULA_NODES, **QUERY}
ARITHMETIC_NODES: Nodes = {
    kind: ROW_NODES[kind]
    for kind in (
        *(exp.Column, exp.Identifier, exp.Literal, exp.Null, exp.Boolean, exp.Paren, exp.Neg),
        *(exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Case, exp.If, exp.Not, exp.And, exp.Or),
        *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.Between),
        *(exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Abs, exp.Round, exp.Floor),
        *(exp.Ceil, exp.Sqrt, exp.Ln, exp.Exp, exp.Pow, exp.Sign),
    )
}

# What a person types; the editor completes these names.
ROW_FUNCTION_NAMES = (
    *[
        "abs",
        "ceil",
        "coalesce",
        "concat",
        "contains",
        "date",
        "date_diff",
        "date_part",
        "date_trunc",
        "exp",
        "extract",
        "floor",
        "greatest",
        "if",
        "ifnull",
        "least",
        "left",
        "length",
        "ln",
        "lower",
        "nullif",
        "power",
        "replace",
        "right",
        "round",
        "sign",
        "split_part",
        "sqrt",
        "starts_with",
        "strpos",
        "substring",
        "trim",
        "upper",
        "year",
        "quarter",
        "month",
        "week",
        "day",
        "hour",
        "minute",
        "dayofweek",
        "isodow",
        "dayofyear",
    ],
)
ARITHMETIC_NAMES = (
    *("abs", "ceil", "coalesce", "exp", "floor", "greatest", "if", "ifnull", "least", "ln"),
    *("nullif", "power", "round", "sign", "sqrt"),
)
AGGREGATE_NAMES = (
    *[
        "avg",
        "count",
        "count_if",
        "max",
        "median",
        "min",
        "percentile_cont",
        "quantile_cont",
        "sum",
    ],
)

TRUNCATED_TO = frozenset(["DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "HOUR", "MINUTE"])
COUNTED_IN = frozenset(["DAY", "MONTH", "QUARTER", "YEAR", "HOUR", "MINUTE", "SECOND"])
PARTS = frozenset(
    ["YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "DOW", "ISODOW", "DOY", "HOUR", "MINUTE"]
)
INTERVAL_UNITS = frozenset(["SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"])

CAST_TYPES = {
    DType.BOOLEAN: "boolean",
    DType.INT: "integer",
    DType.BIGINT: "bigint",
    DType.DOUBLE: "double",
    DType.DECIMAL: "decimal(18, 2)",
    DType.TEXT: "varchar",
    DType.DATE: "date",
    DType.TIMESTAMP: "timestamp",
    DType.TIMESTAMPNTZ: "timestamp",
}

# Why something well known is missing, and what to write instead.
ADVICE: dict[type[exp.Expr], tuple[str, str]] = {
    exp.Subquery: ("A subquery is not allowed here.", "Make it a dataset of its own and join it."),
    exp.Select: ("A query is not allowed here.", "Make it a dataset of its own and join it."),
    exp.Exists: ("A subquery is not allowed here.", "Make it a dataset of its own and join it."),
    exp.SetOperation: ("Only UNION joins queries here.", "Write joins and filters instead."),
    exp.Window: (
        "A window (`over`) is not allowed here.",
        "Use a cumulative metric, or a dataset that is a query.",
    ),
    exp.IntDiv: ("Engines do not agree on `//`.", "Write `floor(a / b)`."),
    exp.TryCast: ("`try_cast` is not known to every engine.", "Write `cast(... as ...)`."),
    exp.Collate: ("A collation is not allowed.", "Compare `lower(a)` with `lower(b)`."),
    exp.RegexpLike: (
        "Engines do not agree on regular expressions.",
        "Use `like`, `starts_with` or `contains`.",
    ),
    exp.SimilarTo: (
        "Engines do not agree on `similar to`.",
        "Use `like`, `starts_with` or `contains`.",
    ),
    exp.Glob: ("Engines do not agree on `glob`.", "Use `like`."),
    exp.Lambda: ("A lambda is not allowed.", "Name the columns one by one."),
    exp.Columns: ("`columns()` is not allowed.", "Name the columns one by one."),
    exp.Struct: ("Braces and structs are not allowed.", "Name the columns one by one."),
    exp.Bracket: ("Lists and brackets are not allowed.", "Name the columns one by one."),
    exp.Placeholder: ("A placeholder is not allowed.", "Write the value itself."),
    exp.Parameter: ("A parameter is not allowed.", "Write the value itself."),
    exp.AnyValue: ("`any_value` may differ from run to run.", "Use `min` or `max`."),
    exp.First: ("`first` depends on the order of rows.", "Use `min` or `max`."),
    exp.Last: ("`last` depends on the order of rows.", "Use `min` or `max`."),
    exp.ApproxDistinct: (
        "Approximate counts differ from engine to engine.",
        "Use `count(distinct ...)`.",
    ),
    exp.Limit: ("LIMIT picks rows by chance.", "Filter the rows with WHERE."),
    exp.Offset: ("OFFSET picks rows by chance.", "Filter the rows with WHERE."),
    exp.Fetch: ("FETCH picks rows by chance.", "Filter the rows with WHERE."),
    exp.TableSample: ("A sample is random.", "Filter the rows with WHERE."),
    exp.Qualify: ("QUALIFY is not known to every engine.", "Filter in an outer query."),
    exp.Lateral: ("LATERAL is not allowed.", "Join a subquery on a column instead."),
    exp.Values: ("VALUES is not allowed.", "Use a CASE, or a table of the source."),
    exp.Lock: ("Locking rows is not allowed.", "Take out `for update`."),
    exp.Into: ("A query may only read.", "Take out `into`."),
}

_CLOCKS = (
    exp.CurrentDate,
    exp.CurrentTime,
    exp.CurrentTimestamp,
    exp.CurrentDatetime,
    exp.Localtime,
    exp.Localtimestamp,
)
CLOCK_NAMES = frozenset(
    [
        "now",
        "today",
        "get_current_timestamp",
        "transaction_timestamp",
        "statement_timestamp",
        "clock_timestamp",
        "timeofday",
        "current_localtime",
        "current_localtimestamp",
        "get_current_time",
        "sysdate",
        "getdate",
    ]
)
_CHANCES = (exp.Rand, exp.Randn, exp.Uuid)
CHANCE_NAMES = frozenset(
    ["random", "setseed", "gen_random_uuid", "uuidv4", "uuidv7", "hash_random"]
)

CLOCK = (
    "It would depend on the moment at which it runs, so past values would move by themselves.",
    "Compare with a date of the dataset, or use a window or an offset of the metric.",
)
CHANCE = ("It would give another value on every run.", "Take out the random part.")


def advice(node: exp.Expr) -> tuple[str, str] | None:
    """Why a well-known construct is left out and what to do instead, if there is more to say."""
    if isinstance(node, _CLOCKS):
        return CLOCK
    if isinstance(node, _CHANCES):
        return CHANCE
    return next((said for kind, said in ADVICE.items() if isinstance(node, kind)), None)
