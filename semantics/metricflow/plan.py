"""From measures to what must be asked: formulas over figures, and a star for each set of rows.

A figure is one aggregation that MetricFlow computes. Ratios and derived metrics are arithmetic
over figures; offsets, windows and conversions decide which rows a figure is computed from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from semantics import guard
from semantics.definition import (
    Aggregation,
    ConversionSpec,
    CumulativeSpec,
    DatasetSpec,
    DerivedSpec,
    Grain,
    MetricInput,
    MetricSpec,
    RatioSpec,
    SegmentSpec,
    SimpleSpec,
    TimeDimension,
    Weekday,
    Window,
)
from semantics.guard import Dialect
from semantics.metricflow.manifest import Figure
from semantics.metricflow.star import Member, Names, Star, World, time_of
from semantics.paths import (
    Route,
    askable_dimensions,
    datasets_read,
    identifies,
    is_categorical,
    routes,
)
from semantics.periods import Reading
from semantics.problems import nearest, refuse

# Base events can be counted; an average of them cannot have a share.
_COUNTS = (
    Aggregation.COUNT,
    Aggregation.COUNT_DISTINCT,
    Aggregation.SUM,
    Aggregation.SUM_BOOLEAN,
)
# Of rows that are there and do not match, these are 0; a sum of no rows is unknown.
_ZERO_OF_NOTHING = (Aggregation.COUNT, Aggregation.COUNT_DISTINCT, Aggregation.SUM_BOOLEAN)
_OF_DOUBLES = (Aggregation.MEDIAN, Aggregation.PERCENTILE)


@dataclass(frozen=True)
class Condition:
    """A filter, and the dataset that its bare names belong to (None: that of the rows)."""

    text: str
    dataset: str | None = None


@dataclass(frozen=True)
class Value:
    """SQL for a value, and the figures that it stands on. In it, figures are marked."""

    sql: str
    figures: tuple[str, ...]
    numerator: str | None = None
    denominator: str | None = None


@dataclass
class Events:
    """Conversion events: which rows of a star count, and when they follow a base event."""

    name: str
    star: Star
    time: TimeDimension
    who: str
    same: tuple[str, ...]
    window: Window
    only_later_days: bool
    conditions: tuple[str, ...]
    base_who: str
    base_same: tuple[str, ...]


@dataclass
class Ask:
    """What is asked of one star: figures, by period and by the members of the question."""

    star: Star
    time: TimeDimension
    reading: Reading
    members: tuple[Member, ...]
    figures: dict[tuple, Figure] = field(default_factory=dict)
    events: dict[tuple, Events] = field(default_factory=dict)
    # Columns that hold an expression only in rows that were followed by an event.
    followed: dict[str, tuple[str, Events]] = field(default_factory=dict)


class Plan:
    """Everything that one question asks. Filled measure by measure, then written as SQL."""

    def __init__(self, grain: Grain, group_by: Sequence[str], dialect: Dialect, taken: frozenset):
        self.grain, self.group_by, self.dialect = grain, tuple(group_by), dialect
        self.names = Names(taken)
        self.figure_names = Names()
        self.asks: dict[tuple, Ask] = {}
        self._asked_of: dict[str, tuple[Ask, Figure]] = {}
        self._sources: dict[str, str] = {}
        self._week_starts: dict[Weekday, str] = {}

    @property
    def week_start(self) -> Weekday:
        return next(iter(self._week_starts), Weekday.MONDAY)

    def value(self, key: str, world: World) -> Value:
        """The value of a metric, with all that it needs asked."""
        spec = world.specs.get(key)
        if not isinstance(spec, MetricSpec):
            raise refuse("unknown_metric", f"There is no metric `{key}`.")
        _check_group_by(self.group_by, key, world)
        return self._metric(key, world, Reading(), ())

    # --- one function for each type of metric ----------------------------------------------

    def _metric(
        self, key: str, world: World, reading: Reading, inherited: tuple[Condition, ...]
    ) -> Value:
        spec = world.specs[key]
        conditions = (*inherited, *_conditions(key, world))
        match spec:
            case SimpleSpec():
                value = self._simple(key, world, reading, conditions)
            case CumulativeSpec():
                value = self._cumulative(spec, world, reading, conditions)
            case RatioSpec():
                value = self._ratio(spec, world, reading, conditions)
            case DerivedSpec():
                value = self._derived(spec, world, reading, conditions)
            case ConversionSpec():
                value = self._conversion(key, world, reading, conditions)
            case _:
                raise refuse("unknown_metric", f"There is no metric `{key}`.")
        assert isinstance(spec, MetricSpec)
        if spec.fill_nulls_with is None:
            return value
        return replace(value, sql=f"COALESCE({value.sql}, {spec.fill_nulls_with})")

    def _simple(
        self, key: str, world: World, reading: Reading, conditions: tuple[Condition, ...]
    ) -> Value:
        spec = world.specs[key]
        assert isinstance(spec, SimpleSpec)
        ask = self._ask(spec, world, reading)
        column = ask.star.column(self._aggregated(spec))
        name = self._figure(ask, key, spec, world, column, conditions)
        return Value(_marked(name), (name,))

    def _cumulative(
        self,
        spec: CumulativeSpec,
        world: World,
        reading: Reading,
        conditions: tuple[Condition, ...],
    ) -> Value:
        if not isinstance(world.specs.get(spec.metric), SimpleSpec):
            raise refuse(
                "not_simple",
                f"`{spec.metric}` is not simple, and only a simple metric can be accumulated.",
                "Accumulate its inputs, and make the ratio or formula of those.",
                place="metric",
            )
        return self._metric(spec.metric, world, reading.accumulated(spec), conditions)

    def _ratio(
        self, spec: RatioSpec, world: World, reading: Reading, conditions: tuple[Condition, ...]
    ) -> Value:
        numerator = self._input(spec.numerator, world, reading, conditions)
        denominator = self._input(spec.denominator, world, reading, conditions)
        return Value(
            _divided(numerator.sql, denominator.sql),
            tuple(dict.fromkeys((*numerator.figures, *denominator.figures))),
            numerator.sql,
            denominator.sql,
        )

    def _derived(
        self, spec: DerivedSpec, world: World, reading: Reading, conditions: tuple[Condition, ...]
    ) -> Value:
        inputs = {each.name: self._input(each, world, reading, conditions) for each in spec.inputs}
        unknown = [name for name in guard.names_in(spec.expression) if name not in inputs]
        if unknown:
            raise refuse(
                "unknown_input",
                f"There is no input `{unknown[0]}`.",
                nearest(unknown[0], inputs) or f"There is {', '.join(inputs)}.",
                place="expression",
            )
        sql = guard.to_dialect(
            spec.expression, self.dialect, rename=lambda name: f"({inputs[name].sql})"
        )
        figures = (name for value in inputs.values() for name in value.figures)
        return Value(f"({sql})", tuple(dict.fromkeys(figures)))

    def _input(
        self,
        given: MetricInput,
        world: World,
        reading: Reading,
        conditions: tuple[Condition, ...],
    ) -> Value:
        if given.offset is not None:
            reading = reading.earlier(given.offset)
        own = _checked([Condition(text) for text in given.filters], given.metric, world)
        return self._metric(given.metric, world, reading, (*conditions, *own))

    def _conversion(
        self, key: str, world: World, reading: Reading, conditions: tuple[Condition, ...]
    ) -> Value:
        spec = world.specs[key]
        assert isinstance(spec, ConversionSpec)
        base = _simple_metric(spec.base, "base", world)
        if base.aggregation not in _COUNTS:
            raise refuse(
                "not_a_count",
                f"`{spec.base}` is no number of events, so no share of it can convert.",
                "Choose a metric that counts or adds up.",
                place="base",
            )
        conditions = (*conditions, *_conditions(spec.base, world))
        ask = self._ask(base, world, reading)
        events = self._events_of(key, world, ask)
        plain = ask.star.column(self._aggregated(base))
        column = f"{plain}_{events.name}"
        ask.followed[column] = (plain, events)
        figures = (
            self._figure(ask, spec.base, base, world, plain, conditions),
            self._figure(ask, key, base, world, column, conditions),
        )
        whole, part = map(_marked, figures)
        # Base events of which none converted are a share of 0, not an unknown one.
        numerator = f"CASE WHEN {whole} IS NOT NULL THEN COALESCE({part}, 0) END"
        rate = spec.calculation == "conversion_rate"
        value = _divided(numerator, whole) if rate else numerator
        return Value(value, figures, numerator, whole)

    # --- what is asked of the rows ---------------------------------------------------------

    def _ask(self, spec: SimpleSpec, world: World, reading: Reading) -> Ask:
        dataset = world.dataset(spec.dataset)
        time = self._time(spec, dataset)
        reached = routes(spec.dataset, world.specs)
        ways = [_route(path, reached, spec.dataset) for path in self.group_by]
        through = tuple(
            (way, world.hashes[way.dataset], tuple(world.hashes[hop.dataset] for hop in way.hops))
            for way in ways
        )
        place = (spec.dataset, world.hashes[spec.dataset], time.name, reading, through)
        if place not in self.asks:
            self._check_calendar(spec.dataset, dataset)
            star = Star(spec.dataset, dataset, self.dialect, self.names)
            members = tuple(star.member(way, world) for way in ways)
            self.asks[place] = Ask(star, time, reading, members)
        return self.asks[place]

    def _time(self, spec: SimpleSpec, dataset: DatasetSpec) -> TimeDimension:
        name = spec.time_dimension or dataset.time_dimension
        if name is None:
            raise refuse(
                "no_time",
                f"Rows of `{spec.dataset}` have no day, so nothing in them can be counted by day.",
                "Say which time dimension dates a row of the dataset.",
                place="dataset",
            )
        return time_of(dataset, name)

    def _check_calendar(self, key: str, dataset: DatasetSpec) -> None:
        self._sources.setdefault(dataset.source, key)
        if len(self._sources) > 1:
            first, second = self._sources.values()
            raise refuse(
                "several_sources",
                f"`{first}` and `{second}` are in different sources.",
                "Ask for them one by one; a formula can use one source only.",
            )
        if self.grain == Grain.WEEK:
            self._week_starts.setdefault(dataset.week_start, key)
        if len(self._week_starts) > 1:
            said = [f"those of `{name}` on {day}" for day, name in self._week_starts.items()]
            raise refuse(
                "several_week_starts",
                f"Weeks begin on different days: {' and '.join(said)}.",
                "Give both datasets the same start of the week, or ask by another grain.",
            )

    def _aggregated(self, spec: SimpleSpec) -> str:
        expression = guard.to_dialect(spec.expression, self.dialect)
        if spec.aggregation in _OF_DOUBLES:
            # DuckDB would interpolate decimals in decimals, and round.
            return f"CAST({expression} AS DOUBLE PRECISION)"
        return expression

    def _figure(
        self,
        ask: Ask,
        key: str,
        spec: SimpleSpec,
        world: World,
        column: str,
        conditions: Sequence[Condition],
    ) -> str:
        texts = tuple(
            dict.fromkeys(_placed(each, ask.star, spec.dataset, world) for each in conditions)
        )
        percentile = spec.percentile if spec.aggregation == Aggregation.PERCENTILE else None
        place = (column, spec.aggregation, percentile, texts)
        if place not in ask.figures:
            name = self.figure_names.of((id(ask), place), f"{key}_{world.hashes[key][:6]}", 50)
            figure = Figure(name, spec.aggregation, column, texts, percentile)
            ask.figures[place] = figure
            self._asked_of[name] = (ask, figure)
        return ask.figures[place].name

    def unmarked(self, sql: str, figures: Sequence[str]) -> str:
        """The SQL with the columns of its figures in it.

        A count of no matching rows is 0 where another figure of the value found rows of the same
        dataset in the same period: then rows were there, and none of them matched.
        """
        for name in figures:
            ask, figure = self._asked_of[name]
            others = [each for each in figures if each != name and self._asked_of[each][0] is ask]
            column = name
            if others and figure.aggregation in _ZERO_OF_NOTHING:
                some = " OR ".join(f"{each} IS NOT NULL" for each in others)
                column = f"COALESCE({name}, CASE WHEN {some} THEN 0 END)"
            sql = sql.replace(_marked(name), column)
        return sql

    def _events_of(self, key: str, world: World, ask: Ask) -> Events:
        """The conversion events of a metric, as its base rows are to be compared with them."""
        spec = world.specs[key]
        assert isinstance(spec, ConversionSpec)
        base = _simple_metric(spec.base, "base", world)
        conversion = _simple_metric(spec.conversion, "conversion", world)
        dataset = world.dataset(conversion.dataset)
        self._check_calendar(conversion.dataset, dataset)
        both = _conditions(spec.base, world), _conditions(spec.conversion, world)
        same_rows = world.hashes[base.dataset] == world.hashes[conversion.dataset]
        place = (key, tuple(world.hashes.items()))
        if place not in ask.events:
            star = Star(conversion.dataset, dataset, self.dialect, self.names)
            ask.events[place] = Events(
                name=self.names.of((id(ask), place), "events"),
                star=star,
                time=self._time(conversion, dataset),
                who=_entity(spec.entity, star),
                same=tuple(_own_column(star, each.conversion) for each in spec.constant_properties),
                window=spec.window,
                only_later_days=same_rows and not _exclude_each_other(*both),
                conditions=tuple(
                    _placed(each, star, conversion.dataset, world) for each in both[1]
                ),
                base_who=_entity(spec.entity, ask.star),
                base_same=tuple(
                    _own_column(ask.star, each.base) for each in spec.constant_properties
                ),
            )
        return ask.events[place]


# --- filters -------------------------------------------------------------------------------


def _conditions(key: str, world: World) -> list[Condition]:
    """The filters of a metric and of its segments."""
    spec = world.specs[key]
    assert isinstance(spec, MetricSpec)
    found = _checked([Condition(text) for text in spec.filters], key, world)
    for name in spec.segments:
        segment = world.specs.get(name)
        if not isinstance(segment, SegmentSpec):
            raise refuse("unknown_segment", f"There is no segment `{name}`.", place="segments")
        found.append(Condition(segment.filter, segment.dataset))
    return found


def _checked(conditions: list[Condition], key: str, world: World) -> list[Condition]:
    """Refuse a bare name that would mean something else in each of a metric's datasets."""
    read = datasets_read(key, world.specs)
    for condition in conditions if len(read) > 1 else ():
        for name in guard.names_in(condition.text):
            if "__" not in name:
                raise refuse(
                    "ambiguous_dimension",
                    f"`{name}` may be a dimension of {' or of '.join(f'`{each}`' for each in read)}.",
                    "Filter the inputs, or use a dimension that is joined to both.",
                    place="filters",
                )
    return conditions


def _placed(condition: Condition, star: Star, dataset: str, world: World) -> str:
    """The condition as it is asked of rows of `dataset`."""
    reached = routes(dataset, world.specs)
    members = {}
    for name in guard.names_in(condition.text):
        path = name
        if condition.dataset not in (None, dataset) and "__" not in name:
            path = _seen_from_outside(name, condition.dataset or "", world, reached)
        members[name] = star.member(_route(path, reached, dataset), world)
    return star.condition(condition.text, members)


def _seen_from_outside(name: str, dataset: str, world: World, reached: Mapping[str, Route]) -> str:
    entities = [each.name for each in world.dataset(dataset).entities if identifies(each)]
    paths = [f"{entity}__{name}" for entity in entities]
    return next((path for path in paths if path in reached), (*paths, name)[0])


def _route(path: str, reached: Mapping[str, Route], dataset: str) -> Route:
    if path not in reached:
        raise refuse(
            "unknown_dimension",
            f"Rows of `{dataset}` have no dimension `{path}`.",
            nearest(path, reached) or "Use one that can be reached over a join.",
        )
    return reached[path]


def _exclude_each_other(first: Sequence[Condition], second: Sequence[Condition]) -> bool:
    """Whether no row can meet both, as with `event = 'visit'` and `event = 'purchase'`."""
    allowed, others = _allowed(first), _allowed(second)
    return any(not values & others[name] for name, values in allowed.items() if name in others)


def _allowed(conditions: Sequence[Condition]) -> dict[str, frozenset[str]]:
    return {name: values for each in conditions for name, values in _equalities(each)}


def _equalities(condition: Condition) -> Iterator[tuple[str, frozenset[str]]]:
    tree = guard.parse(condition.text)
    for part in tree.flatten() if isinstance(tree, exp.And) else [tree]:
        part = part.unnest()
        values = part.expressions if isinstance(part, exp.In) else [part.args.get("expression")]
        if not isinstance(part, exp.EQ | exp.In) or not isinstance(part.this, exp.Column):
            continue
        if values and all(isinstance(each, exp.Literal) and each.is_string for each in values):
            yield part.this.name, frozenset(each.name for each in values)


# --- small things --------------------------------------------------------------------------


def _check_group_by(group_by: Sequence[str], key: str, world: World) -> None:
    askable = askable_dimensions(key, world.specs)
    read = datasets_read(key, world.specs)
    reached = routes(read[0], world.specs) if len(read) == 1 else {}
    for path in group_by:
        if path in askable or path in reached and is_categorical(reached[path], world.specs):
            continue
        listed = ", ".join(f"`{name}`" for name in askable)
        raise refuse(
            "unknown_dimension",
            f"`{key}` cannot be asked by `{path}`.",
            f"It can be asked by {listed}." if listed else "It can only be asked in total.",
            place="group_by",
        )


def _simple_metric(key: str, place: str, world: World) -> SimpleSpec:
    spec = world.specs.get(key)
    if isinstance(spec, SimpleSpec):
        return spec
    raise refuse(
        "not_simple",
        f"`{key}` is not a simple metric, and events are the rows of one.",
        "Name a simple metric that counts the events.",
        place=place,
    )


def _entity(name: str, star: Star) -> str:
    for entity in star.spec.entities:
        if entity.name == name:
            expression = guard.to_dialect(entity.expression, star.dialect)
            return star.column(expression, f"of_{name}")
    raise refuse(
        "unknown_entity",
        f"`{star.key}` has no entity `{name}`.",
        "Base and conversion must both have the entity that converts.",
        place="entity",
    )


def _own_column(star: Star, name: str) -> str:
    """The column of a dimension that base and conversion must share."""
    for dimension in star.spec.dimensions:
        if dimension.name == name and not isinstance(dimension, TimeDimension):
            return star.column(guard.to_dialect(dimension.expression, star.dialect), f"by_{name}")
    raise refuse(
        "unknown_dimension",
        f"`{star.key}` has no dimension `{name}` of its own.",
        "A constant property is a dimension of the dataset itself.",
        place="constant_properties",
    )


def _marked(figure: str) -> str:
    return f"\x04{figure}\x04"


def _divided(numerator: str, denominator: str) -> str:
    return (
        f"(CAST({numerator} AS DOUBLE PRECISION)"
        f" / NULLIF(CAST({denominator} AS DOUBLE PRECISION), 0))"
    )
