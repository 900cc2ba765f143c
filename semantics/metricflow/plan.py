"""From measures to what must be asked: formulas over figures, and a star for each set of rows.

A figure is one aggregation that MetricFlow computes. Ratios and derived metrics are arithmetic
over figures; offsets, windows and conversions decide which rows a figure is computed from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

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
    SimpleSpec,
    TimeDimension,
    Weekday,
    Window,
)
from semantics.guard import Dialect
from semantics.metricflow.filters import (
    Condition,
    conditions,
    conditions_of,
    exclude_each_other,
    placed,
    route,
)
from semantics.metricflow.manifest import Figure
from semantics.metricflow.star import Member, Names, Star, World, time_of
from semantics.paths import askable_dimensions, datasets_read, is_categorical, routes
from semantics.periods import Reading
from semantics.problems import nearest, refuse

# Of rows that are there and do not match, these are 0; a sum of no rows is unknown.
_ZERO_OF_NOTHING = (Aggregation.COUNT, Aggregation.COUNT_DISTINCT, Aggregation.SUM_BOOLEAN)
# Base events can be counted or added up; of an average there is no share.
_OF_EVENTS = (*_ZERO_OF_NOTHING, Aggregation.SUM)
_OF_DOUBLES = (Aggregation.MEDIAN, Aggregation.PERCENTILE)


@dataclass(frozen=True)
class Value:
    """SQL for a value, and the figures that it stands on. In the SQL, figures are marked."""

    sql: str
    figures: tuple[str, ...]
    numerator: str | None = None
    denominator: str | None = None


@dataclass(frozen=True)
class Scope:
    """In which world, over which days and under which filters a metric is computed."""

    world: World
    reading: Reading = Reading()
    conditions: tuple[Condition, ...] = ()


@dataclass
class Events:
    """Conversion events: rows of a star, and when one of them follows a base event."""

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
    # Columns that hold those of the rows only where an event followed.
    followed: dict[str, tuple[str, Events]] = field(default_factory=dict)


class Plan:
    """Everything that one question asks. Filled measure by measure, then written as SQL."""

    def __init__(
        self, grain: Grain, group_by: Sequence[str], dialect: Dialect, taken: frozenset[str]
    ):
        self.grain, self.group_by, self.dialect = grain, tuple(group_by), dialect
        self.names = Names(taken)
        self.asks: dict[tuple, Ask] = {}
        self._figure_names = Names()
        self._asked_of: dict[str, tuple[Ask, Figure]] = {}
        self._sources: dict[str, str] = {}
        self._week_starts: dict[Weekday, str] = {}

    @property
    def week_start(self) -> Weekday:
        return next(iter(self._week_starts), Weekday.MONDAY)

    def value(self, key: str, world: World) -> Value:
        """The value of a metric, with all that it needs asked."""
        _metric(key, world)
        _check_group_by(self.group_by, key, world)
        return self._value(key, Scope(world))

    def unmarked(self, sql: str, figures: Sequence[str]) -> str:
        """The SQL of a value with the columns of its figures in it.

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

    # --- one function for each type of metric ----------------------------------------------

    def _value(self, key: str, scope: Scope) -> Value:
        spec = _metric(key, scope.world)
        own = conditions_of(key, spec, scope.world)
        scope = replace(scope, conditions=(*scope.conditions, *own))
        match spec:
            case SimpleSpec():
                value = self._simple(key, spec, scope)
            case CumulativeSpec():
                value = self._cumulative(spec, scope)
            case RatioSpec():
                value = self._ratio(spec, scope)
            case DerivedSpec():
                value = self._derived(spec, scope)
            case ConversionSpec():
                value = self._conversion(key, spec, scope)
            case _:
                raise TypeError(f"{key} is of a type that cannot be compiled.")
        if spec.fill_nulls_with is None:
            return value
        return replace(value, sql=f"COALESCE({value.sql}, {spec.fill_nulls_with})")

    def _simple(self, key: str, spec: SimpleSpec, scope: Scope) -> Value:
        ask = self._ask(spec, scope)
        column = ask.star.column(self._aggregated(spec))
        name = self._figure(ask, key, spec, column, scope)
        return Value(_marked(name), (name,))

    def _cumulative(self, spec: CumulativeSpec, scope: Scope) -> Value:
        if not isinstance(scope.world.specs.get(spec.metric), SimpleSpec):
            raise refuse(
                "not_simple",
                f"`{spec.metric}` is not simple, and only a simple metric can be accumulated.",
                "Accumulate its inputs, and make the ratio or formula of those.",
                place="metric",
            )
        return self._value(spec.metric, replace(scope, reading=scope.reading.accumulated(spec)))

    def _ratio(self, spec: RatioSpec, scope: Scope) -> Value:
        numerator = self._input(spec.numerator, scope)
        denominator = self._input(spec.denominator, scope)
        return Value(
            _divided(numerator.sql, denominator.sql),
            _figures(numerator, denominator),
            numerator.sql,
            denominator.sql,
        )

    def _derived(self, spec: DerivedSpec, scope: Scope) -> Value:
        inputs: dict[str, Value] = {}
        for given in spec.inputs:
            if given.name in inputs:
                raise refuse(
                    "repeated_input",
                    f"Two inputs are called `{given.name}`.",
                    "Give one of them an alias, and use it in the formula.",
                    place="inputs",
                )
            inputs[given.name] = self._input(given, scope)
        for name in guard.names_in(spec.expression):
            if name not in inputs:
                raise refuse(
                    "unknown_input",
                    f"There is no input `{name}`.",
                    nearest(name, inputs) or f"There is {', '.join(inputs)}.",
                    place="expression",
                )
        sql = guard.to_dialect(
            spec.expression, self.dialect, rename=lambda name: f"({inputs[name].sql})"
        )
        return Value(f"({sql})", _figures(*inputs.values()))

    def _input(self, given: MetricInput, scope: Scope) -> Value:
        own = conditions(given.filters, given.metric, scope.world)
        reading = scope.reading.earlier(given.offset) if given.offset else scope.reading
        return self._value(
            given.metric,
            replace(scope, reading=reading, conditions=(*scope.conditions, *own)),
        )

    def _conversion(self, key: str, spec: ConversionSpec, scope: Scope) -> Value:
        """Base events, and those of them that an event of the conversion followed.

        MetricFlow's own conversions give each event to the last base event before it, count two
        events of one base twice, and forget those after the range; so the question is turned
        round: whether any event follows a base event.
        """
        base = _events(spec.base, "base", scope.world)
        if base.aggregation not in _OF_EVENTS:
            raise refuse(
                "not_a_count",
                f"`{spec.base}` is no number of events, so no share of it can convert.",
                "Choose a metric that counts or adds up.",
                place="base",
            )
        own = conditions_of(spec.base, base, scope.world)
        scope = replace(scope, conditions=(*scope.conditions, *own))
        ask = self._ask(base, scope)
        events = self._events_of(key, spec, ask, scope)
        column = ask.star.column(self._aggregated(base))
        followed = f"{column}_{events.name}"
        ask.followed[followed] = (column, events)
        figures = (
            self._figure(ask, spec.base, base, column, scope),
            self._figure(ask, key, base, followed, scope),
        )
        whole, part = map(_marked, figures)
        # Base events of which none converted are a share of 0, not an unknown one.
        numerator = f"CASE WHEN {whole} IS NOT NULL THEN COALESCE({part}, 0) END"
        is_rate = spec.calculation == "conversion_rate"
        value = _divided(numerator, whole) if is_rate else numerator
        return Value(value, figures, numerator, whole)

    # --- what is asked of the rows ---------------------------------------------------------

    def _ask(self, spec: SimpleSpec, scope: Scope) -> Ask:
        world = scope.world
        dataset = world.dataset(spec.dataset)
        time = _time_of(spec, dataset)
        reached = routes(spec.dataset, world.specs)
        ways = [route(path, reached, spec.dataset) for path in self.group_by]
        joined = tuple((way, *(world.hashes[hop.dataset] for hop in way.hops)) for way in ways)
        place = (spec.dataset, world.hashes[spec.dataset], time.name, scope.reading, joined)
        if place not in self.asks:
            self._check_calendar(spec.dataset, dataset, scope.reading)
            star = Star(spec.dataset, dataset, self.dialect, self.names)
            members = tuple(star.member(way, world) for way in ways)
            self.asks[place] = Ask(star, time, scope.reading, members)
        return self.asks[place]

    def _check_calendar(self, key: str, dataset: DatasetSpec, reading: Reading) -> None:
        self._sources.setdefault(dataset.source, key)
        if len(self._sources) > 1:
            one, other = self._sources.values()
            raise refuse(
                "several_sources",
                f"`{one}` and `{other}` are in different sources.",
                "Ask for them one by one. A formula can use one source only.",
            )
        if Grain.WEEK in (self.grain, reading.grain_to_date):
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

    def _figure(self, ask: Ask, key: str, spec: SimpleSpec, column: str, scope: Scope) -> str:
        """The name of a figure. Equal figures are asked for once."""
        world = scope.world
        texts = tuple(dict.fromkeys(placed(each, ask.star, world) for each in scope.conditions))
        percentile = spec.percentile if spec.aggregation == Aggregation.PERCENTILE else None
        place = (column, spec.aggregation, percentile, texts)
        if place not in ask.figures:
            name = self._figure_names.of((id(ask), place), f"{key}_{world.hashes[key][:6]}")
            figure = Figure(name, spec.aggregation, column, texts, percentile)
            ask.figures[place] = figure
            self._asked_of[name] = (ask, figure)
        return ask.figures[place].name

    def _events_of(self, key: str, spec: ConversionSpec, ask: Ask, scope: Scope) -> Events:
        """The conversion events of a metric, and the columns that compare them with base rows."""
        world = scope.world
        place = (key, tuple(world.hashes.items()))
        if place in ask.events:
            return ask.events[place]
        base = _events(spec.base, "base", world)
        conversion = _events(spec.conversion, "conversion", world)
        dataset = world.dataset(conversion.dataset)
        self._check_calendar(conversion.dataset, dataset, scope.reading)
        star = Star(conversion.dataset, dataset, self.dialect, self.names)
        ours = tuple(conditions_of(spec.base, base, world))
        theirs = tuple(conditions_of(spec.conversion, conversion, world))
        pairs = spec.constant_properties
        ask.events[place] = Events(
            name=self.names.of((id(ask), place), "events"),
            star=star,
            time=_time_of(conversion, dataset),
            who=_entity_column(star, spec.entity),
            same=tuple(_property_column(star, each.conversion) for each in pairs),
            window=spec.window,
            only_later_days=base.dataset == conversion.dataset
            and not exclude_each_other(ours, theirs),
            conditions=tuple(placed(each, star, world) for each in theirs),
            base_who=_entity_column(ask.star, spec.entity),
            base_same=tuple(_property_column(ask.star, each.base) for each in pairs),
        )
        return ask.events[place]


# --- small things --------------------------------------------------------------------------


def _metric(key: str, world: World) -> MetricSpec:
    spec = world.specs.get(key)
    if isinstance(spec, MetricSpec):
        return spec
    raise refuse("unknown_metric", f"There is no metric `{key}`.", nearest(key, world.specs))


def _events(key: str, place: str, world: World) -> SimpleSpec:
    spec = _metric(key, world)
    if isinstance(spec, SimpleSpec):
        return spec
    raise refuse(
        "not_simple",
        f"`{key}` is not a simple metric, and events are the rows of one.",
        "Name a simple metric that counts the events.",
        place=place,
    )


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


def _time_of(spec: SimpleSpec, dataset: DatasetSpec) -> TimeDimension:
    name = spec.time_dimension or dataset.time_dimension
    if name is None:
        raise refuse(
            "no_time",
            f"Rows of `{spec.dataset}` have no day, so they cannot be counted by period.",
            "Say which time dimension dates a row of the dataset.",
            place="dataset",
        )
    return time_of(dataset, name)


def _entity_column(star: Star, name: str) -> str:
    for entity in star.spec.entities:
        if entity.name == name:
            return star.column(guard.to_dialect(entity.expression, star.dialect), f"of_{name}")
    raise refuse(
        "unknown_entity",
        f"`{star.key}` has no entity `{name}`.",
        "Base and conversion must both have the entity that converts.",
        place="entity",
    )


def _property_column(star: Star, name: str) -> str:
    for dimension in star.spec.dimensions:
        if dimension.name == name and not isinstance(dimension, TimeDimension):
            return star.column(guard.to_dialect(dimension.expression, star.dialect), f"is_{name}")
    raise refuse(
        "unknown_dimension",
        f"`{star.key}` has no dimension `{name}` of its own.",
        "A constant property is a dimension of the dataset itself.",
        place="constant_properties",
    )


def _figures(*values: Value) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for value in values for name in value.figures))


def _marked(figure: str) -> str:
    return f"\x04{figure}\x04"


def _divided(numerator: str, denominator: str) -> str:
    return (
        f"(CAST({numerator} AS DOUBLE PRECISION)"
        f" / NULLIF(CAST({denominator} AS DOUBLE PRECISION), 0))"
    )
