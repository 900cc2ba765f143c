"""Everything that is wrong with a definition, each fault with its place and a way out.

`problems_of` never stops at the first fault. `checked_spec` gives the spec with every text
re-rendered by the guard, and refuses when anything blocks; `judged` gives both.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from pydantic import ValidationError
from sqlglot import exp

from semantics.canonical import canonical_filters
from semantics.definition import (
    Aggregation,
    AnyMetric,
    AnySpec,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    MetricSpec,
    RatioSpec,
    SegmentSpec,
    SimpleSpec,
    read_spec,
)
from semantics.faults import columns_of, of_dataset, of_key, of_text, reserved, twice
from semantics.guard import (
    check_expression,
    check_filter,
    check_formula,
    check_query,
    names_in,
    parse,
    render,
)
from semantics.kinds import kinds_of, problems_of_aggregation, problems_of_kind
from semantics.lineage import closure, inputs_of
from semantics.paths import askable_dimensions, datasets_read, filterable_dimensions, routes
from semantics.problems import DefinitionRefused, Level, Problem, nearest
from semantics.shape import problems_of_shape

Known = Mapping[str, AnySpec]
_WHOLE_DIVISORS = (Aggregation.COUNT, Aggregation.COUNT_DISTINCT, Aggregation.SUM)


def problems_of(document: dict[str, Any], *, key: str, known: Known) -> list[Problem]:
    """All problems of a spec that would be called `key`, among the specs that are `known`."""
    try:
        spec = read_spec(document)
    except ValidationError as error:
        return problems_of_shape(document, error)
    among = {**known, key: spec}
    missing = list(_references(spec, key, among))
    if not missing:
        # Joins are looked for among all datasets, and nothing else of a large catalog matters.
        datasets = {name: each for name, each in among.items() if isinstance(each, DatasetSpec)}
        return [*of_key(key), *_by_type(spec, key, {**datasets, **closure(key, among)})]
    # Without its inputs it is not known what it can be asked by; its own texts are looked at.
    return [*of_key(key), *missing, *_by_type(spec, key, among, is_whole=False)]


def checked_spec(document: dict[str, Any], *, key: str, known: Known) -> AnySpec:
    """The spec with every text re-rendered. Raises DefinitionRefused when anything blocks."""
    problems, spec = judged(document, key=key, known=known)
    if spec is None:
        raise DefinitionRefused([each for each in problems if each.level == Level.BLOCKS])
    return spec


def judged(
    document: dict[str, Any], *, key: str, known: Known
) -> tuple[list[Problem], AnySpec | None]:
    """All problems, and the spec with every text re-rendered unless one of them blocks."""
    problems = problems_of(document, key=key, known=known)
    if any(problem.level == Level.BLOCKS for problem in problems):
        return problems, None
    spec = read_spec(document)
    return problems, _rendered(spec, {**known, key: spec})


# --- references ----------------------------------------------------------------------------


def _references(spec: AnySpec, key: str, known: Known) -> Iterator[Problem]:
    found = False
    for place, name, kind in _named(spec):
        other = known.get(name)
        if other is None:
            found = True
            candidates = [each for each, one in known.items() if _is(one, kind)]
            yield Problem(
                place,
                f"unknown_{kind}",
                f"There is no {kind} `{name}`.",
                nearest(name, candidates) or f"Choose one of the catalog's {kind}s.",
            )
        elif not _is(other, kind):
            found = True
            yield Problem(place, "wrong_kind", f"`{name}` is no {kind}.", f"Name a {kind}.")
    if not found:
        try:
            closure(key, known)
        except DefinitionRefused as refused:
            yield from refused.problems


def _named(spec: AnySpec) -> Iterator[tuple[str, str, str]]:
    """Each key that a spec names: (place, key, kind)."""
    if isinstance(spec, SimpleSpec | SegmentSpec):
        yield "dataset", spec.dataset, "dataset"
    if isinstance(spec, MetricSpec):
        for position, segment in enumerate(spec.segments):
            yield f"segments.{position}", segment, "segment"
    for place, given in inputs_of(spec):
        yield place, given.metric, "metric"


def _is(spec: AnySpec, kind: str) -> bool:
    wanted = {"dataset": DatasetSpec, "segment": SegmentSpec, "metric": MetricSpec}[kind]
    return isinstance(spec, wanted)


# --- texts ---------------------------------------------------------------------------------


def _filter(place: str, text: str, paths: Collection[str]) -> list[Problem]:
    return of_text(place, check_filter, text, names=paths)


def _paths_from(dataset: str, known: Known) -> list[str]:
    """What rows of a dataset can be filtered by: their own dimensions, and those of joins."""
    return [path for path, way in routes(dataset, known).items() if way.hops or "__" not in path]


# --- by type -------------------------------------------------------------------------------


def _by_type(spec: AnySpec, key: str, known: Known, *, is_whole: bool = True) -> Iterator[Problem]:
    if isinstance(spec, DatasetSpec):
        yield from of_dataset(spec)
        return
    if isinstance(spec, SegmentSpec):
        if is_whole:
            yield from _filter("filter", spec.filter, _paths_from(spec.dataset, known))
        return
    if is_whole:
        yield from _metric(spec, key, known)
    match spec:
        case SimpleSpec():
            yield from _simple(spec, known)
        case RatioSpec():
            yield from _ratio(spec, known)
        case DerivedSpec():
            yield from _derived(spec)
        case CumulativeSpec():
            yield from _cumulative(spec, known)
        case ConversionSpec():
            yield from _conversion(spec, known)


def _metric(spec: AnyMetric, key: str, known: Known) -> Iterator[Problem]:
    """What holds for every type: its dimensions, its filters and segments, its grains."""
    askable = askable_dimensions(key, known)
    for position, path in enumerate(spec.dimensions):
        if path not in askable:
            yield Problem(
                f"dimensions.{position}",
                "no_join_path",
                f"It cannot be asked by `{path}`: no join leads there from its rows.",
                nearest(path, askable) or _asked_by(askable),
            )
    yield from twice(spec.dimensions, "dimensions", "dimensions")
    filterable = filterable_dimensions(key, known)
    for position, text in enumerate(spec.filters):
        yield from _filter(f"filters.{position}", text, filterable)
    for place, given in inputs_of(spec):
        paths = filterable_dimensions(given.metric, known) if given.filters else ()
        for position, text in enumerate(given.filters):
            yield from _filter(f"{place}.filters.{position}", text, paths)
    for position, name in enumerate(spec.segments):
        segment = known[name]
        if isinstance(segment, SegmentSpec):
            yield from _segment_in_reach(f"segments.{position}", name, segment, key, known)
    if len(set(spec.grains)) != len(spec.grains):
        yield Problem("grains", "duplicate", "A grain is listed twice.", "Name each once.")


def _asked_by(paths: Sequence[str]) -> str:
    listed = ", ".join(f"`{path}`" for path in paths[:20])
    return f"It can be asked by {listed}." if listed else "It can only be asked in total."


def _segment_in_reach(
    place: str, name: str, segment: SegmentSpec, key: str, known: Known
) -> Iterator[Problem]:
    """A segment speaks of rows of its own dataset; others must reach it over a join."""
    for dataset in datasets_read(key, known):
        if dataset == segment.dataset:
            continue
        reached = routes(dataset, known).values()
        if segment.dataset not in {hop.dataset for way in reached for hop in way.hops}:
            yield Problem(
                place,
                "segment_out_of_reach",
                f"The segment `{name}` is about rows of `{segment.dataset}`, and no join leads "
                f"there from `{dataset}`.",
                f"Choose a segment of `{dataset}`, or leave it out.",
            )


def _simple(spec: SimpleSpec, known: Known) -> Iterator[Problem]:
    dataset = known.get(spec.dataset)
    if not isinstance(dataset, DatasetSpec):
        return
    yield from of_text("expression", check_expression, spec.expression, names=columns_of(dataset))
    for problem in problems_of_kind(spec.expression, kinds_of(dataset)):
        yield problem.at("expression")
    yield from problems_of_aggregation(spec, dataset)
    wanted = spec.time_dimension or dataset.time_dimension
    times = [one.name for one in dataset.dimensions if one.type == "time"]
    if wanted is None:
        yield Problem(
            "dataset",
            "no_time",
            f"The rows of `{spec.dataset}` have no day, so that no value has a period.",
            "Give the dataset a time dimension.",
        )
    elif spec.time_dimension and spec.time_dimension not in times:
        yield Problem(
            "time_dimension",
            "unknown_dimension",
            f"`{spec.dataset}` has no time dimension `{spec.time_dimension}`.",
            nearest(spec.time_dimension, times) or f"Choose among {', '.join(times)}.",
        )
    if (spec.aggregation == Aggregation.PERCENTILE) != (spec.percentile is not None):
        yield Problem(
            "percentile",
            "percentile",
            "A percentile goes with the aggregation percentile, and with no other.",
            "Give both, or neither.",
        )
    if spec.aggregation not in (Aggregation.COUNT,) and spec.expression.strip() == "1":
        yield Problem(
            "expression",
            "constant",
            f"The {spec.aggregation} of the constant 1 says nothing about the rows.",
            "Name a column, or choose the aggregation count.",
            Level.NEEDS_ANSWER,
        )


def _ratio(spec: RatioSpec, known: Known) -> Iterator[Problem]:
    top, bottom = spec.numerator, spec.denominator
    if (top.metric, canonical_filters(top.filters), top.offset) == (
        bottom.metric,
        canonical_filters(bottom.filters),
        bottom.offset,
    ):
        yield Problem(
            "numerator",
            "ratio_to_itself",
            "Numerator and denominator are the same, so that the ratio is always 1.",
            "Filter the numerator, or choose another metric.",
        )
    if bottom.metric in known and _may_be_zero(bottom.metric, known):
        yield Problem(
            "denominator",
            "denominator_zero",
            f"`{bottom.metric}` can be 0; such periods have no value.",
            "This is usually right. Say so under Caveats.",
            Level.NEEDS_ANSWER,
        )


def _may_be_zero(key: str, known: Known) -> bool:
    spec = known.get(key)
    return not isinstance(spec, SimpleSpec) or spec.aggregation in _WHOLE_DIVISORS


def _derived(spec: DerivedSpec) -> Iterator[Problem]:
    names = [given.name for given in spec.inputs]
    yield from twice(names, "inputs", "inputs")
    yield from reserved(names, "inputs", "an input")
    faults = of_text("expression", check_formula, spec.expression, names=names)
    yield from faults
    if faults:
        return
    yield from _division(spec.expression)
    used = set(names_in(spec.expression))
    for position, name in enumerate(names):
        if name not in used:
            yield Problem(
                f"inputs.{position}",
                "unused_input",
                f"The formula does not use `{name}`.",
                "Remove the input, or use it.",
            )


def _division(formula: str) -> Iterator[Problem]:
    for division in parse(formula).find_all(exp.Div):
        divisor = division.expression.unnest()
        if isinstance(divisor, exp.Literal | exp.Nullif):
            continue
        yield Problem(
            "expression",
            "denominator_zero",
            f"`{render(divisor)}` can be 0; such periods have no value.",
            "This is usually right. Say so under Caveats.",
            Level.NEEDS_ANSWER,
        )


def _cumulative(spec: CumulativeSpec, known: Known) -> Iterator[Problem]:
    if spec.window and spec.grain_to_date:
        yield Problem(
            "window",
            "two_windows",
            "Choose a trailing window or a period to date, not both.",
            "Take one of them out.",
        )
    inner = known.get(spec.metric)
    if isinstance(inner, MetricSpec) and not isinstance(inner, SimpleSpec):
        yield Problem(
            "metric",
            "not_simple",
            f"`{spec.metric}` is no simple metric: only rows can be added up over a window.",
            "Accumulate numerator and denominator, and divide the two.",
        )


def _conversion(spec: ConversionSpec, known: Known) -> Iterator[Problem]:
    sides = {"base": known.get(spec.base), "conversion": known.get(spec.conversion)}
    datasets = {}
    for place, side in sides.items():
        if side is None:
            continue
        if not isinstance(side, SimpleSpec):
            yield Problem(
                place,
                "not_simple",
                f"`{getattr(spec, place)}` is no simple metric, and events are the rows of one.",
                "Name a simple metric that counts the events.",
            )
            continue
        dataset = known.get(side.dataset)
        datasets[place] = side.dataset
        if side.aggregation not in (Aggregation.COUNT, Aggregation.COUNT_DISTINCT):
            yield Problem(
                place,
                "not_a_count",
                f"A conversion counts events, and `{getattr(spec, place)}` is a "
                f"{side.aggregation}.",
                "Choose a metric whose aggregation is count.",
            )
        if isinstance(dataset, DatasetSpec):
            entities = [entity.name for entity in dataset.entities]
            if spec.entity not in entities:
                yield Problem(
                    "entity",
                    "unknown_entity",
                    f"The rows of `{side.dataset}` do not name a `{spec.entity}`.",
                    nearest(spec.entity, entities) or f"Choose among {', '.join(entities)}.",
                )
    if len(datasets) == 2 and datasets["base"] == datasets["conversion"]:
        yield Problem(
            "conversion",
            "same_events",
            f"Base and conversion are both rows of `{datasets['base']}`. Unless their "
            "filters exclude each other, only events of later days are counted as conversions.",
            "If that is meant, say so under Caveats.",
            Level.NEEDS_ANSWER,
        )
    yield from _properties(spec, known)


def _properties(spec: ConversionSpec, known: Known) -> Iterator[Problem]:
    for position, pair in enumerate(spec.constant_properties):
        for side, key, name in (
            ("base", spec.base, pair.base),
            ("conversion", spec.conversion, pair.conversion),
        ):
            events = known.get(key)
            dataset = known.get(events.dataset) if isinstance(events, SimpleSpec) else None
            if not isinstance(dataset, DatasetSpec):
                continue
            own = [each.name for each in dataset.dimensions if each.type == "categorical"]
            if name not in own:
                yield Problem(
                    f"constant_properties.{position}.{side}",
                    "unknown_dimension",
                    f"The events of `{key}` have no dimension `{name}` of their own.",
                    nearest(name, own) or f"Choose among {', '.join(own) or 'none'}.",
                )


# --- re-rendering --------------------------------------------------------------------------


def _rendered(spec: AnySpec, known: Known) -> AnySpec:
    """Every text as the guard writes it."""
    document = spec.model_dump(mode="json")
    if isinstance(spec, DatasetSpec):
        columns = columns_of(spec)
        for part in (*document["entities"], *document["dimensions"]):
            part["expression"] = check_expression(part["expression"], names=columns)
        if spec.relation.kind == "query":
            tables = spec.relation.tables
            document["relation"]["sql"] = check_query(spec.relation.sql, tables=tables)
        return read_spec(document)
    if isinstance(spec, SegmentSpec):
        document["filter"] = _again(spec.filter)
        return read_spec(document)
    for part in (document, *_inputs_in(document)):
        part["filters"] = [_again(text) for text in part["filters"]]
    if isinstance(spec, SimpleSpec):
        columns = columns_of(known[spec.dataset])
        document["expression"] = check_expression(spec.expression, names=columns)
    if isinstance(spec, DerivedSpec):
        names = [given.name for given in spec.inputs]
        document["expression"] = check_formula(spec.expression, names=names)
    return read_spec(document)


def _inputs_in(document: dict[str, Any]) -> list[dict[str, Any]]:
    sides = [document[name] for name in ("numerator", "denominator") if name in document]
    return [*sides, *document.get("inputs", [])]


def _again(text: str) -> str:
    """A filter that has been found right, re-rendered. Its names are those that it has."""
    return check_filter(text, names=names_in(text))
