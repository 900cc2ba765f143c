"""Everything that is wrong with a definition, each fault with its place and a way out.

`problems_of` never stops at the first fault. `checked_spec` gives the spec with every text
re-rendered by the guard, and refuses when anything blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any
from zoneinfo import available_timezones

from pydantic import ValidationError

from semantics.definition import (
    METRIC_TYPES,
    Aggregation,
    AnySpec,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    EntityType,
    MetricInput,
    MetricSpec,
    RatioSpec,
    SegmentSpec,
    SimpleSpec,
    read_spec,
)
from semantics.guard import check_expression, check_filter, check_formula, check_query, names_in
from semantics.lineage import closure, dimensions_of_dataset, inputs_of
from semantics.problems import DefinitionRefused, Level, Problem, nearest
from semantics.question import askable_dimensions
from semantics.reserved import RESERVED, TIME_WORDS

Known = Mapping[str, AnySpec]
_WHOLE_DIVISORS = (Aggregation.COUNT, Aggregation.COUNT_DISTINCT, Aggregation.SUM)


def problems_of(document: dict[str, Any], *, key: str, known: Known) -> list[Problem]:
    """All problems of a spec that would be called `key`, among the specs that are `known`."""
    try:
        spec = read_spec(document)
    except ValidationError as error:
        return [_of_shape(document, fault) for fault in error.errors(include_url=False)]
    among = {**known, key: spec}
    return [*_key(key), *_references(spec, key, among), *_by_type(spec, key, among)]


def checked_spec(document: dict[str, Any], *, key: str, known: Known) -> AnySpec:
    """The spec with every text re-rendered. Raises DefinitionRefused when anything blocks."""
    problems = problems_of(document, key=key, known=known)
    if blocking := [problem for problem in problems if problem.level == Level.BLOCKS]:
        raise DefinitionRefused(blocking)
    spec = read_spec(document)
    return _rendered(spec, {**known, key: spec})


# --- shape ---------------------------------------------------------------------------------


def _of_shape(document: dict[str, Any], fault: Any) -> Problem:
    """pydantic's words, in ours."""
    location = [str(part) for part in fault["loc"] if part not in (*METRIC_TYPES, "dataset_")]
    place = ".".join(location)
    name = location[-1].replace("_", " ") if location else "definition"
    kind = fault["type"]
    context = fault.get("ctx", {})
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        given = document.get("type") if isinstance(document, dict) else None
        return Problem(
            "type",
            "unknown_type",
            f"“{given}” is no type of definition.",
            f"Choose among {', '.join((*METRIC_TYPES, 'dataset', 'segment'))}.",
        )
    if kind == "missing":
        return Problem(place, "missing", f"The {name} is missing.", f"Give its {name}.")
    if kind == "extra_forbidden":
        return Problem(
            place, "unknown_field", f"A definition has no field “{name}”.", "Remove or rename it."
        )
    if kind == "string_pattern_mismatch":
        return Problem(
            place,
            "bad_name",
            f"“{fault.get('input')}” is no name here.",
            "Use small letters, digits and underscores; begin with a letter.",
        )
    if kind in ("enum", "literal_error"):
        return Problem(
            place,
            "unknown_choice",
            f"“{fault.get('input')}” is no {name}.",
            f"Choose among {context.get('expected', '')}.",
        )
    return Problem(place, kind, f"{name.capitalize()}: {fault['msg']}.")


def _key(key: str) -> Iterator[Problem]:
    if key in RESERVED or key in TIME_WORDS:
        yield Problem(
            "key",
            "reserved_word",
            f"`{key}` is a word of SQL, so that it cannot be a name.",
            f"Call it `{key}_count`, or what it counts.",
        )


def _reserved(names: Collection[str], place: str, noun: str) -> Iterator[Problem]:
    for name in names:
        if name in RESERVED or name in TIME_WORDS:
            yield Problem(
                f"{place}.{name}",
                "reserved_word",
                f"`{name}` is a word of SQL, so that it cannot name {noun}.",
                f"Call it `{name}_id` or `the_{name}`.",
            )


def _twice(names: list[str], place: str, noun: str) -> Iterator[Problem]:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield Problem(
            f"{place}.{name}", "duplicate", f"There are two {noun} “{name}”.", "Rename one."
        )


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
    for place, given in _placed_inputs(spec):
        yield place, given.metric, "metric"


def _placed_inputs(spec: AnySpec) -> list[tuple[str, MetricInput]]:
    match spec:
        case RatioSpec():
            return [("numerator", spec.numerator), ("denominator", spec.denominator)]
        case DerivedSpec():
            return [(f"inputs.{n}", given) for n, given in enumerate(spec.inputs)]
        case CumulativeSpec():
            return [("metric", MetricInput(metric=spec.metric))]
        case ConversionSpec():
            return [
                ("base", MetricInput(metric=spec.base)),
                ("conversion", MetricInput(metric=spec.conversion)),
            ]
    return []


def _is(spec: AnySpec, kind: str) -> bool:
    wanted = {"dataset": DatasetSpec, "segment": SegmentSpec, "metric": MetricSpec}[kind]
    return isinstance(spec, wanted)


# --- texts ---------------------------------------------------------------------------------


def _text(place: str, check: Callable[..., str], text: str, **names: Any) -> list[Problem]:
    try:
        check(text, **names)
    except DefinitionRefused as refused:
        return [problem.at(place) for problem in refused.problems]
    return []


def _columns(dataset: AnySpec | None) -> list[str]:
    return [column.name for column in dataset.columns] if isinstance(dataset, DatasetSpec) else []


def _filter(place: str, text: str, paths: Collection[str]) -> list[Problem]:
    problems = _text(place, check_filter, text, names=paths)
    listed = ", ".join(sorted(paths)[:12])
    return [
        Problem(
            problem.place,
            problem.code,
            problem.message,
            problem.fix or (f"It can be asked by {listed}." if listed else ""),
        )
        for problem in problems
    ]


# --- by type -------------------------------------------------------------------------------


def _by_type(spec: AnySpec, key: str, known: Known) -> Iterator[Problem]:
    if isinstance(spec, DatasetSpec):
        yield from _dataset(spec)
        return
    if isinstance(spec, SegmentSpec):
        if isinstance(known.get(spec.dataset), DatasetSpec):
            paths = dimensions_of_dataset(spec.dataset, known)
            yield from _filter("filter", spec.filter, paths)
        return
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


def _dataset(spec: DatasetSpec) -> Iterator[Problem]:
    columns = _columns(spec)
    yield from _twice(columns, "columns", "columns")
    named = [dimension.name for dimension in spec.dimensions]
    yield from _twice(named, "dimensions", "dimensions")
    yield from _reserved(named, "dimensions", "a dimension")
    entities = [entity.name for entity in spec.entities]
    yield from _twice(entities, "entities", "entities")
    yield from _reserved(entities, "entities", "an entity")
    for entity in spec.entities:
        yield from _text(
            f"entities.{entity.name}", check_expression, entity.expression, names=columns
        )
    if sum(entity.type == EntityType.PRIMARY for entity in spec.entities) > 1:
        yield Problem("entities", "two_primaries", "A row has one primary entity at most.")
    for dimension in spec.dimensions:
        yield from _text(
            f"dimensions.{dimension.name}", check_expression, dimension.expression, names=columns
        )
    if spec.relation.kind == "query":
        yield from _text(
            "relation.sql", check_query, spec.relation.sql, tables=spec.relation.tables
        )
    times = [dimension.name for dimension in spec.dimensions if dimension.type == "time"]
    if spec.time_dimension and spec.time_dimension not in times:
        yield Problem(
            "time_dimension",
            "unknown_dimension",
            f"There is no time dimension `{spec.time_dimension}`.",
            nearest(spec.time_dimension, times) or f"Choose among {', '.join(times) or 'none'}.",
        )
    if spec.time_zone not in available_timezones():
        yield Problem(
            "time_zone", "unknown_zone", f"“{spec.time_zone}” is no time zone.", "E.g. Europe/Rome."
        )


def _metric(spec: MetricSpec, key: str, known: Known) -> Iterator[Problem]:
    """What holds for every type: its dimensions, its filters, its grains."""
    askable = askable_dimensions(key, known)
    for position, path in enumerate(spec.dimensions):
        if path not in askable:
            listed = ", ".join(askable[:20]) or "no dimension"
            yield Problem(
                f"dimensions.{position}",
                "no_join_path",
                f"It cannot be asked by `{path}`: no join leads there from its rows.",
                nearest(path, askable) or f"It can be asked by {listed}.",
            )
    for position, text in enumerate(spec.filters):
        yield from _filter(f"filters.{position}", text, askable)
    for place, given in _placed_inputs(spec):
        for position, text in enumerate(given.filters):
            paths = askable_dimensions(given.metric, known)
            yield from _filter(f"{place}.filters.{position}", text, paths)
    if len(set(spec.grains)) != len(spec.grains):
        yield Problem("grains", "duplicate", "A grain is listed twice.", "Name each once.")


def _simple(spec: SimpleSpec, known: Known) -> Iterator[Problem]:
    dataset = known.get(spec.dataset)
    if not isinstance(dataset, DatasetSpec):
        return
    yield from _text("expression", check_expression, spec.expression, names=_columns(dataset))
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
    if (top.metric, sorted(top.filters), top.offset) == (
        bottom.metric,
        sorted(bottom.filters),
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
            "This is usually right. Say so in the card's caveats.",
            Level.NEEDS_ANSWER,
        )


def _may_be_zero(key: str, known: Known) -> bool:
    spec = known.get(key)
    return not isinstance(spec, SimpleSpec) or spec.aggregation in _WHOLE_DIVISORS


def _derived(spec: DerivedSpec) -> Iterator[Problem]:
    names = [given.name for given in spec.inputs]
    yield from _twice(names, "inputs", "inputs")
    yield from _reserved(names, "inputs", "an input")
    faults = _text("expression", check_formula, spec.expression, names=names)
    yield from faults
    if faults:
        return
    used = set(names_in(spec.expression))
    for position, name in enumerate(names):
        if name not in used:
            yield Problem(
                f"inputs.{position}",
                "unused_input",
                f"The formula does not use `{name}`.",
                "Remove the input, or use it.",
            )


def _cumulative(spec: CumulativeSpec, known: Known) -> Iterator[Problem]:
    if spec.window and spec.grain_to_date:
        yield Problem(
            "window", "two_windows", "Choose a trailing window or a period to date, not both."
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
                place, "not_simple", f"The {place} must be a simple metric.", "Count rows."
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
            "converts_itself",
            "Base and conversion are events of the same dataset, so that every event would count "
            "as its own conversion.",
            "Make a dataset in which only later events are dated, and count those.",
        )


# --- re-rendering --------------------------------------------------------------------------


def _rendered(spec: AnySpec, known: Known) -> AnySpec:
    """Every text as the guard writes it."""
    document = spec.model_dump(mode="json")
    if isinstance(spec, DatasetSpec):
        columns = _columns(spec)
        for part in (*document["entities"], *document["dimensions"]):
            part["expression"] = check_expression(part["expression"], names=columns)
        if spec.relation.kind == "query":
            tables = spec.relation.tables
            document["relation"]["sql"] = check_query(spec.relation.sql, tables=tables)
        return read_spec(document)
    if isinstance(spec, SegmentSpec):
        names = dimensions_of_dataset(spec.dataset, known)
        document["filter"] = check_filter(spec.filter, names=names)
        return read_spec(document)
    every = _anywhere(known)
    document["filters"] = [check_filter(text, names=every) for text in spec.filters]
    for name in ("numerator", "denominator"):
        if name in document:
            document[name]["filters"] = _filters(document[name]["filters"], every)
    for given in document.get("inputs", []):
        given["filters"] = _filters(given["filters"], every)
    if isinstance(spec, SimpleSpec):
        columns = _columns(known[spec.dataset])
        document["expression"] = check_expression(spec.expression, names=columns)
    if isinstance(spec, DerivedSpec):
        names = [given.name for given in inputs_of(spec)]
        document["expression"] = check_formula(spec.expression, names=names)
    return read_spec(document)


def _filters(texts: list[str], names: Collection[str]) -> list[str]:
    return [check_filter(text, names=names) for text in texts]


def _anywhere(known: Known) -> set[str]:
    """Every dimension path that exists: which of them are right was checked before."""
    datasets = [key for key, spec in known.items() if isinstance(spec, DatasetSpec)]
    return {path for key in datasets for path in dimensions_of_dataset(key, known)}
