"""A typed formula, taken apart into the metrics that it stands for.

`sum(amount) / count(distinct customer)` is a ratio of two simple metrics. Parts that the catalog
has already are used by their names, and the others are given names. What has no such form is
refused with the reason.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from semantics.canonical import canonical
from semantics.definition import (
    Aggregation,
    AnyMetric,
    AnySpec,
    CategoricalDimension,
    DatasetSpec,
    DerivedSpec,
    MetricInput,
    MetricSpec,
    RatioSpec,
    SimpleSpec,
)
from semantics.equal import conjuncts
from semantics.functions import AGGREGATE_FUNCTIONS
from semantics.guard import (
    check_aggregates,
    check_expression,
    check_formula,
    is_boolean,
    names_in,
    render,
)
from semantics.paths import routes
from semantics.problems import DefinitionRefused, Problem, nearest, refuse

LONGEST_NAME = 60
# They say who may ask and how, and nothing about a value.
_NOT_OF_VALUE = ("grains", "dimensions", "late_data")

_AGGREGATIONS: dict[type[exp.Expr], Aggregation] = {
    exp.Sum: Aggregation.SUM,
    exp.Avg: Aggregation.AVERAGE,
    exp.Min: Aggregation.MIN,
    exp.Max: Aggregation.MAX,
    exp.Median: Aggregation.MEDIAN,
    exp.CountIf: Aggregation.SUM_BOOLEAN,
}


@dataclass(frozen=True)
class Split:
    """What a typed formula stands for.

    `spec` is the metric itself, `new` are the parts that have to be made with it, `reused` are the
    metrics of the catalog that it uses. `sentence` says so to the person who typed.
    """

    spec: AnyMetric
    sentence: str
    new: Mapping[str, SimpleSpec] = field(default_factory=dict)
    reused: tuple[str, ...] = ()


def split_formula(
    text: str,
    *,
    dataset_key: str,
    dataset: DatasetSpec | None,
    known: Mapping[str, AnySpec],
    name: str,
    reusable: Collection[str] | None = None,
    taken: Collection[str] = (),
) -> Split:
    """Take a typed formula apart. Raises DefinitionRefused with the reasons why it cannot be.

    Inside of aggregates stand columns of the dataset; `filter (where ...)` may use dimensions as
    well; outside of aggregates stand metrics of the catalog, by their keys. `reusable` are the
    metrics that may stand for an equal part without having been named (all of them unless told),
    and `taken` keys that no new part may get.
    """
    words = _Words(dataset_key, dataset, known)
    noun = "column" if dataset else "metric"
    tree = check_aggregates(text, names=words.all, noun=noun).unnest()
    _check_places(tree, words)
    parts = _Parts(words, name, known if reusable is None else reusable, taken)
    if _is_unit(tree):
        spec = parts.simple(tree)
        same = parts.known_as(spec)
        also = f" There is `{same}` already, which is the same." if same else ""
        how = str(spec.aggregation).replace("_", " ")
        return Split(spec, f"One aggregation over `{dataset_key}`: {how}.{also}")
    if isinstance(tree, exp.Column):
        raise refuse(
            "metric_itself",
            f"That is the metric `{tree.name}` itself.",
            "Compute something with it, or use it as it is.",
        )
    sides = _sides(tree)
    if sides is not None:
        top, bottom = (parts.named(side) for side in sides)
        if top != bottom:
            ratio = RatioSpec(
                numerator=MetricInput(metric=top), denominator=MetricInput(metric=bottom)
            )
            return parts.split(ratio, f"The ratio of `{top}` to `{bottom}`.")
    return _derived(tree, parts)


def _derived(tree: exp.Expr, parts: _Parts) -> Split:
    tree = exp.Paren(this=tree.copy())
    for unit in list(_units(tree)):
        unit.replace(exp.column(parts.named(unit)))
    inputs = list(dict.fromkeys(column.name for column in tree.find_all(exp.Column, bfs=False)))
    if not inputs:
        raise refuse(
            "nothing_measured",
            "This formula aggregates nothing, so that it is the same number for ever.",
            "Aggregate a column, e.g. `sum(amount)`, or name a metric.",
        )
    expression = check_formula(render(tree.this), names=inputs)
    spec = DerivedSpec(expression=expression, inputs=[MetricInput(metric=each) for each in inputs])
    return parts.split(spec, f"Derived from {_listed(inputs)}: {expression}.")


def _listed(names: list[str]) -> str:
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


# --- the dataset ---------------------------------------------------------------------------


def dataset_of_formula(
    text: str, known: Mapping[str, AnySpec], *, prefer: Collection[str] = ()
) -> str:
    """The dataset whose columns a typed formula aggregates, or "" when it aggregates none.

    Of several that have them, one that is preferred. Raises DefinitionRefused when there is none,
    or when it has to be chosen.
    """
    tree = check_aggregates(text, names=None)
    units = list(_units(tree))
    datasets = {key: spec for key, spec in known.items() if isinstance(spec, DatasetSpec)}
    has = {key: {column.name for column in spec.columns} for key, spec in datasets.items()}
    if not units:
        _refuse_bare_columns(tree, set().union(*has.values()) - set(known))
        return ""
    # Dimensions in a filter may be of a joined dataset: the columns that are aggregated decide.
    named = dict.fromkeys(
        column.name
        for unit in units
        for column in unit.find_all(exp.Column, bfs=False)
        if not isinstance(column.find_ancestor(*AGGREGATE_FUNCTIONS, exp.Where), exp.Where)
    )
    found = [key for key, columns in has.items() if columns.issuperset(named)]
    if not found:
        raise DefinitionRefused(_nowhere(list(named), has, known))
    preferred = [key for key in found if key in prefer]
    if len(found) > 1 and len(preferred) != 1:
        raise refuse(
            "several_datasets",
            f"{_listed(list(named))} {'is' if len(named) == 1 else 'are'} in several datasets: "
            f"{_listed(sorted(found))}."
            if named
            else "It counts rows, and does not say of which dataset.",
            "Choose the dataset.",
            place="dataset",
        )
    return (preferred or found)[0]


def _refuse_bare_columns(tree: exp.Expr, columns: Collection[str]) -> None:
    bare = [name for column in tree.find_all(exp.Column) if (name := column.name) in columns]
    if bare:
        raise DefinitionRefused([_not_aggregated(name) for name in dict.fromkeys(bare)])


def _nowhere(
    named: list[str], has: Mapping[str, set[str]], known: Mapping[str, AnySpec]
) -> Iterator[Problem]:
    """Why no dataset has all columns of these names."""
    columns = set().union(*has.values())
    missing = [name for name in named if name not in columns]
    for name in missing:
        if isinstance(known.get(name), MetricSpec):
            yield _already_aggregated(name, ())
        else:
            yield Problem(
                "",
                "unknown_column",
                f"No dataset has a column `{name}`.",
                nearest(name, columns) or "Choose the dataset: its columns are then completed.",
            )
    if not missing:
        yield Problem(
            "",
            "no_dataset",
            f"No dataset has all of {_listed(named)}.",
            "Aggregate the columns of one dataset; use metrics of others by their keys.",
        )


def _not_aggregated(name: str) -> Problem:
    return Problem(
        "",
        "not_aggregated",
        f"`{name}` stands outside of an aggregate, where only metrics can stand.",
        f"Write `sum({name})`, or another aggregate of it.",
    )


def _already_aggregated(name: str, columns: Collection[str]) -> Problem:
    return Problem(
        "",
        "metric_aggregated",
        f"`{name}` is a metric, which is aggregated already.",
        nearest(name, columns) or f"Use `{name}` outside of the aggregate.",
    )


# --- the tree ------------------------------------------------------------------------------


def _is_unit(node: exp.Expr) -> bool:
    """An aggregate with its filter: what becomes one simple metric."""
    return isinstance(node, (exp.Filter, *AGGREGATE_FUNCTIONS))


def _units(tree: exp.Expr) -> Iterator[exp.Expr]:
    """The aggregates of a tree; what they aggregate is not looked into."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if _is_unit(node):
            yield node
        else:
            waiting.extend(node.iter_expressions(reverse=True))


def _sides(tree: exp.Expr) -> tuple[exp.Expr, exp.Expr] | None:
    """Numerator and denominator, if the formula divides one metric by another and no more."""
    if not isinstance(tree, exp.Div):
        return None
    top, bottom = tree.this.unnest(), tree.expression.unnest()
    if isinstance(bottom, exp.Nullif) and render(bottom.expression) == "0":
        # A ratio by zero has no value anyway.
        bottom = bottom.this.unnest()
    if all(_is_unit(side) or isinstance(side, exp.Column) for side in (top, bottom)):
        return top, bottom
    return None


def _check_places(tree: exp.Expr, words: _Words) -> None:
    """Columns inside of aggregates, metrics outside, joined dimensions in filters alone."""
    problems = []
    for column in tree.find_all(exp.Column, bfs=False):
        above = column.find_ancestor(*AGGREGATE_FUNCTIONS, exp.Where)
        problem = words.problem_of(column.name, above)
        if problem:
            problems.append(problem)
    if problems:
        raise DefinitionRefused(dict.fromkeys(problems))


# --- names ---------------------------------------------------------------------------------


class _Words:
    """What names mean in a formula over one dataset."""

    def __init__(self, key: str, dataset: DatasetSpec | None, known: Mapping[str, AnySpec]):
        self.key, self.known = key, known
        self.columns = {column.name for column in dataset.columns} if dataset else set()
        self.metrics = {name for name, spec in known.items() if isinstance(spec, MetricSpec)}
        datasets = {name: spec for name, spec in known.items() if isinstance(spec, DatasetSpec)}
        self.paths = set(routes(key, {**datasets, key: dataset})) if dataset else set()
        self.all = self.columns | self.metrics | self.paths
        # Dimensions that are a column under its own name or another: filters prefer dimensions.
        self.dimension_of_column = {
            dimension.expression: dimension.name
            for dimension in reversed(dataset.dimensions if dataset else [])
            if isinstance(dimension, CategoricalDimension) and dimension.null_label is None
        }

    def problem_of(self, name: str, above: exp.Expr | None) -> Problem | None:
        if above is None:
            return None if name in self.metrics else _not_aggregated(name)
        if name in self.columns or (isinstance(above, exp.Where) and name in self.paths):
            return None
        if name in self.paths:
            return Problem(
                "",
                "dimension_aggregated",
                f"`{name}` is a dimension, and only columns of `{self.key}` are aggregated.",
                "Use it in `filter (where ...)`, or aggregate a column.",
            )
        return _already_aggregated(name, self.columns)

    def as_filters(self, condition: exp.Expr) -> list[str] | None:
        """The condition over dimensions, or None when a column of it is no dimension."""
        condition = condition.copy()
        for column in list(condition.find_all(exp.Column)):
            name = column.name
            if name in self.paths:
                continue
            if name not in self.dimension_of_column:
                return None
            column.this.set("this", self.dimension_of_column[name])
        return list(conjuncts(render(condition)))


class _Parts:
    """The simple metrics of a formula: those that exist, and those that have to be made."""

    def __init__(self, words: _Words, name: str, reusable: Collection[str], taken: Collection[str]):
        self.words, self.name, self.reusable, self.taken = words, name, reusable, taken
        self.new: dict[str, SimpleSpec] = {}
        self.reused: dict[str, None] = {}

    def split(self, spec: AnyMetric, sentence: str) -> Split:
        if self.new:
            sentence += f" New with it: {_listed(list(self.new))}."
        return Split(spec, sentence, dict(self.new), tuple(self.reused))

    def named(self, unit: exp.Expr) -> str:
        """The key by which a part is used in the formula."""
        if isinstance(unit, exp.Column):
            self.reused[unit.name] = None
            return unit.name
        spec = self.simple(unit)
        for key, made in self.new.items():
            if _value_form(made) == _value_form(spec):
                return key
        if found := self.known_as(spec):
            self.reused[found] = None
            return found
        key = self._free(_called(spec, self.words.key))
        self.new[key] = spec
        return key

    def known_as(self, spec: SimpleSpec) -> str | None:
        """The metric of the catalog that has the same values."""
        form = _value_form(spec)
        return next(
            (
                key
                for key, other in sorted(self.words.known.items())
                if isinstance(other, SimpleSpec)
                and (other.dataset, other.aggregation) == (spec.dataset, spec.aggregation)
                and key != self.name
                and key in self.reusable
                and _value_form(other) == form
            ),
            None,
        )

    def _free(self, wanted: str) -> str:
        taken = {*self.words.known, *self.taken, *self.new, self.name}
        wanted = wanted[:LONGEST_NAME].strip("_")
        if wanted not in taken:
            return wanted
        return next(f"{wanted}_{n}" for n in range(2, 10_000) if f"{wanted}_{n}" not in taken)

    def simple(self, unit: exp.Expr) -> SimpleSpec:
        """One aggregation over a row-level expression, with its filter."""
        condition = None
        if isinstance(unit, exp.Filter):
            condition = unit.expression.this
            unit = unit.this
        aggregation, row, percentile = _aggregated(unit)
        filters: list[str] = []
        if condition is not None:
            found = self.words.as_filters(condition)
            if found is None:
                # Of rows that do not match nothing is left, and aggregates pass over NULL.
                self._check_columns(condition)
                row = exp.Case(ifs=[exp.If(this=condition.copy(), true=row.copy())])
            filters = found or []
        expression = check_expression(render(row), names=self.words.columns)
        return SimpleSpec(
            dataset=self.words.key,
            aggregation=aggregation,
            expression=expression,
            percentile=percentile,
            filters=filters,
        )

    def _check_columns(self, condition: exp.Expr) -> None:
        for column in condition.find_all(exp.Column):
            if column.name not in self.words.columns:
                raise refuse(
                    "mixed_filter",
                    f"The filter uses the dimension `{column.name}` beside a column that is none.",
                    "Filter by dimensions alone, or make the column a dimension of "
                    f"`{self.words.key}`.",
                )


def _aggregated(unit: exp.Expr) -> tuple[Aggregation, exp.Expr, float | None]:
    """The aggregation, what it is of, and which percentile."""
    row = unit.this
    if isinstance(unit, exp.PercentileCont):
        return Aggregation.PERCENTILE, row, float(unit.expression.name)
    if isinstance(unit, exp.Count):
        if isinstance(row, exp.Star):
            return Aggregation.COUNT, exp.Literal.number(1), None
        if isinstance(row, exp.Distinct):
            return Aggregation.COUNT_DISTINCT, row.expressions[0], None
        return Aggregation.COUNT, row, None
    aggregation = _AGGREGATIONS[type(unit)]
    answers = not isinstance(row.unnest(), exp.Column) and is_boolean(row)
    if aggregation == Aggregation.SUM and answers:
        return Aggregation.SUM_BOOLEAN, row, None
    return aggregation, row, None


def _value_form(spec: SimpleSpec) -> dict:
    """What decides the values of a metric, and nothing else."""
    form = canonical(spec)
    return {name: said for name, said in form.items() if name not in _NOT_OF_VALUE}


_PREFIXES = {
    Aggregation.COUNT: "count",
    Aggregation.COUNT_DISTINCT: "distinct",
    Aggregation.SUM_BOOLEAN: "count",
    Aggregation.AVERAGE: "average",
}


def _called(spec: SimpleSpec, dataset: str) -> str:
    """A name that says what is aggregated: `sum_amount`, `p95_amount`, `orders_count`."""
    prefix = _PREFIXES.get(spec.aggregation, str(spec.aggregation))
    if spec.percentile is not None:
        prefix = f"p{spec.percentile * 100:g}".replace(".", "_")
    if spec.aggregation == Aggregation.COUNT and spec.expression == "1":
        return f"{dataset}_count"
    columns = "_".join(names_in(spec.expression)[:3])
    return f"{prefix}_{columns or dataset}"
