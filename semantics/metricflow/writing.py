"""A plan written down: periods, relations and MetricFlow's SELECTs, composed to one SELECT."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from semantics.definition import Aggregation, AnySpec, DatasetSpec, Query, TimeDimension
from semantics.guard import Dialect
from semantics.metricflow import manifest
from semantics.metricflow.manifest import OWN, Figure
from semantics.metricflow.plan import Ask, Events, Plan, Value
from semantics.metricflow.star import DAY, Member, local_day, moment
from semantics.periods import DAYS, Reading, Scan, step
from semantics.question import START, UNTIL, CompiledQuestion, mark

# The column that says which period rows count for: the last day that the period reads.
_THROUGH = "through"
_NO_NUMBER = "CAST(NULL AS DOUBLE PRECISION)"
# UTC and local time are at most 14 hours apart, and a session's zone and UTC again.
_ROOM_FOR_ZONES = 2


def source_names(worlds: Iterable[Mapping[str, AnySpec]]) -> frozenset[str]:
    """Names of tables, which must not be hidden by names of ours."""
    tables: set[str] = set()
    for specs in worlds:
        for spec in specs.values():
            if isinstance(spec, DatasetSpec):
                read = spec.relation
                tables |= set(read.tables) if isinstance(read, Query) else {read.name}
    return frozenset(name.rpartition(".")[2].lower() for name in tables)


def written(plan: Plan, values: Mapping[str, Value]) -> CompiledQuestion:
    text = _Text(plan)
    answers = [text.answer(ask) for ask in plan.asks.values()]
    labels = [
        column
        for label in values
        for column in (label, f"{label}_numerator", f"{label}_denominator")
    ]
    return CompiledQuestion(
        text.composed(answers, values, labels),
        ("period", *plan.group_by, *labels),
        plan.grain,
        plan.week_start,
        tuple(text.scans),
    )


class _Text:
    """Collects common table expressions in the order in which they stand on one another."""

    def __init__(self, plan: Plan):
        self.plan = plan
        self.ctes: dict[str, str] = {}
        self.scans: list[Scan] = []
        self._spans: dict[Reading, str] = {}
        self._days: dict[Reading, str] = {}
        self.members = [f"member_{number}" for number, _ in enumerate(plan.group_by, 1)]
        self.periods = self._add("periods", self._all_periods())

    def _add(self, wanted: str, sql: str) -> str:
        name = self.plan.names.of(("cte", len(self.ctes)), wanted)
        self.ctes[name] = sql
        return name

    # --- days and periods ------------------------------------------------------------------

    def _all_periods(self) -> str:
        length = step(self.plan.grain)
        return (
            "SELECT\n  CAST(starts AS DATE) AS period,\n  CAST(starts AS DATE) AS since,\n"
            f"  LEAST(CAST(starts + {length} AS DATE), DATE '{UNTIL}') - 1 AS {_THROUGH}\n"
            f"FROM GENERATE_SERIES(TIMESTAMP '{START}', DATE '{UNTIL}' - INTERVAL '1 DAY',"
            f" {length}) AS every(starts)"
        )

    def spans(self, reading: Reading) -> str:
        """The relation that says which days each period reads."""
        if reading not in self._spans:
            source = self.periods
            for since, through in reading.spans(self.plan.grain, self.plan.week_start):
                source = self._add(
                    "spans",
                    f"SELECT period, {since} AS since, {through} AS {_THROUGH}\nFROM {source}",
                )
            self._spans[reading] = source
        return self._spans[reading]

    def days(self, reading: Reading) -> str:
        """The relation of each day that is read, with the spans that read it."""
        if reading not in self._days:
            series = f"GENERATE_SERIES(CAST(since AS TIMESTAMP), {_THROUGH}, INTERVAL '1 DAY')"
            if self.plan.dialect == Dialect.DUCKDB:
                series = f"UNNEST({series})"
            self._days[reading] = self._add(
                "days",
                f"SELECT {_THROUGH}, CAST({series} AS DATE) AS {DAY}\n"
                f"FROM (SELECT DISTINCT since, {_THROUGH} FROM {self.spans(reading)}) AS spans",
            )
        return self._days[reading]

    def _scan(self, time: TimeDimension, reading: Reading, events: Events | None = None) -> str:
        """A WHERE over the bare expression, so that indexes and statistics of files serve it."""
        room = _ROOM_FOR_ZONES if time.is_utc_timestamp else 0
        self.scans.append(Scan(reading, events.window if events else None, room))
        number, at = len(self.scans) - 1, moment(time, self.plan.dialect)
        since, until = mark(number, "since"), mark(number, "until")
        return f"{at} >= DATE '{since}' AND {at} < DATE '{until}'"

    # --- one ask ---------------------------------------------------------------------------

    def answer(self, ask: Ask) -> str:
        """The relation of an ask's figures by period and members."""
        star = ask.star
        day = local_day(ask.time, star.spec, star.dialect)
        through = star.own(_THROUGH)
        for name, sql in star.relations(day, self._scan(ask.time, ask.reading)):
            self.ctes[name] = sql
        read = self._read(ask)
        sql = manifest.select(
            star.model(read, _THROUGH),
            star.looked_up(),
            list(ask.figures.values()),
            [through, *(member.path for member in ask.members)],
            star.dialect,
        )
        members = [
            f"{_member_text(member)} AS {name}"
            for member, name in zip(ask.members, self.members, strict=True)
        ]
        figures = [figure.name for figure in ask.figures.values()]
        listed = ",\n  ".join(["spans.period", *members, *figures])
        return self._add(
            f"{star.key}_answer",
            f"SELECT\n  {listed}\nFROM {self.spans(ask.reading)} AS spans\n"
            f"JOIN (\n{sql}\n) AS asked ON asked.{through} = spans.{_THROUGH}",
        )

    def _read(self, ask: Ask) -> str:
        """The rows of an ask with the span that reads them; a row may be read by several."""
        if ask.reading.from_the_beginning:
            spans = f"(SELECT DISTINCT {_THROUGH} FROM {self.spans(ask.reading)})"
            joins = [f"JOIN {spans} AS spans ON rows_read.{DAY} <= spans.{_THROUGH}"]
        else:
            days = self.days(ask.reading)
            joins = [f"JOIN {days} AS spans ON spans.{DAY} = rows_read.{DAY}"]
        columns = {name: f"rows_read.{name}" for name in ask.star.columns}
        for events in ask.events.values():
            same = " AND ".join(
                f"{events.name}.{name} = rows_read.{name}"
                for name in (DAY, events.base_who, *events.base_same)
            )
            joins.append(f"LEFT JOIN {self._converted(ask, events)} AS {events.name} ON {same}")
        for name, (column, events) in ask.followed.items():
            columns[name] = f"CASE WHEN {events.name}.{DAY} IS NOT NULL THEN rows_read.{column} END"
        listed = ",\n  ".join(f"{sql} AS {name}" for name, sql in columns.items())
        listed = f"spans.{_THROUGH}" + (f",\n  {listed}" if listed else "")
        sql = f"SELECT\n  {listed}\nFROM {ask.star.rows} AS rows_read\n" + "\n".join(joins)
        return self._add(f"{ask.star.key}_read", sql)

    def _converted(self, ask: Ask, events: Events) -> str:
        """Days on which somebody did what the base counts, and later what the conversion does."""
        star = events.star
        day = local_day(events.time, star.spec, star.dialect)
        for name, sql in star.relations(day, self._scan(events.time, ask.reading, events)):
            self.ctes[name] = sql
        keys = [star.own(name) for name in dict.fromkeys((DAY, events.who, *events.same))]
        counted = Figure("events", Aggregation.COUNT, DAY, events.conditions)
        found = manifest.select(
            star.model(star.rows, DAY), star.looked_up(), [counted], keys, star.dialect
        )
        ours, theirs = (events.base_who, *events.base_same), (events.who, *events.same)
        matches = [
            f"found.{OWN}__{their} = base.{our}" for our, their in zip(ours, theirs, strict=True)
        ]
        columns = list(dict.fromkeys((DAY, *ours)))
        return self._add(
            "converted",
            f"SELECT DISTINCT {', '.join(f'base.{name}' for name in columns)}\n"
            f"FROM (SELECT DISTINCT {', '.join(columns)} FROM {ask.star.rows}) AS base\n"
            f"JOIN (\n{found}\n) AS found\n"
            f"  ON {' AND '.join([*matches, *_in_time(events)])}",
        )

    # --- all answers together --------------------------------------------------------------

    def composed(
        self, answers: Sequence[str], values: Mapping[str, Value], labels: Sequence[str]
    ) -> str:
        listed = ["period", *self.members]
        columns: list[str] = []
        for value in values.values():
            for sql in (value.sql, value.numerator, value.denominator):
                name = f"value_{len(columns) + 1}"
                columns.append(name)
                listed.append(f"{self._known(sql, value)} AS {name}")
        output = [
            f"{name} AS {_quoted(path)}"
            for name, path in zip(self.members, self.plan.group_by, strict=True)
        ]
        output += [
            f"{name} AS {_quoted(label)}" for name, label in zip(columns, labels, strict=True)
        ]
        order = ", ".join(str(number + 1) for number in range(1 + len(self.members)))
        some = " OR ".join(f"{name} IS NOT NULL" for name in columns)
        select = (
            f"SELECT\n  {_lines(['period', *output])}\n"
            f"FROM (\n  SELECT\n    {_lines(listed, 4)}\n"
            f"  FROM {self._joined(answers)}\n) AS answers\n"
            f"WHERE {some}\nORDER BY {order}"
        )
        ctes = ",\n".join(f"{name} AS (\n{sql}\n)" for name, sql in self.ctes.items())
        return f"WITH {ctes}\n{select}"

    def _known(self, sql: str | None, value: Value) -> str:
        """By dimensions, a value is filled where one of its own figures has the member at all."""
        if sql is None:
            return _NO_NUMBER
        bare = self.plan.unmarked(sql, value.figures)
        if not self.members or bare in value.figures:
            return bare
        some = " OR ".join(f"{name} IS NOT NULL" for name in value.figures)
        return f"CASE WHEN {some} THEN {bare} END"

    def _joined(self, answers: Sequence[str]) -> str:
        if not self.members:
            joins = [f" LEFT JOIN {name} USING (period)" for name in answers]
            return self.periods + "".join(joins)
        if len(answers) == 1:
            return answers[0]
        return self._merged(answers)

    def _merged(self, answers: Sequence[str]) -> str:
        """All answers side by side. Members that are NULL match nothing, so they are grouped."""
        keys = ["period", *self.members]
        first, *others = answers
        source = first
        for position, name in enumerate(others, 1):
            before = answers[:position]
            same = " AND ".join(f"{_first_of(before, key)} = {name}.{key}" for key in keys)
            source += f"\nFULL JOIN {name} ON {same}"
        listed = [f"{_first_of(answers, key)} AS {key}" for key in keys]
        listed += [
            f"MAX({name}.{figure.name}) AS {figure.name}"
            for name, ask in zip(answers, self.plan.asks.values(), strict=True)
            for figure in ask.figures.values()
        ]
        grouped = ", ".join(_first_of(answers, key) for key in keys)
        return self._add("merged", f"SELECT\n  {_lines(listed)}\nFROM {source}\nGROUP BY {grouped}")


def _in_time(events: Events) -> list[str]:
    """A conversion counts from the day of the base event on, until the window is over.

    Where both are rows of one dataset and may be the same row, it counts from the next day on.
    """
    window = events.window
    if window.grain in DAYS:
        until = f"base.{DAY} + {window.count * DAYS[window.grain]}"
    else:
        until = f"CAST(base.{DAY} + {step(window.grain, window.count)} AS DATE)"
    since, before = (">", "<=") if events.only_later_days else (">=", "<")
    found = f"found.{OWN}__{DAY}"
    return [f"{found} {since} base.{DAY}", f"{found} {before} {until}"]


def _member_text(member: Member) -> str:
    text = f"CAST(asked.{member.path} AS VARCHAR)"
    if member.label is None:
        return text
    return f"COALESCE({text}, {exp.Literal.string(member.label).sql(dialect='postgres')})"


def _first_of(answers: Sequence[str], column: str) -> str:
    if len(answers) == 1:
        return f"{answers[0]}.{column}"
    return f"COALESCE({', '.join(f'{name}.{column}' for name in answers)})"


def _quoted(name: str) -> str:
    return exp.to_identifier(name, quoted=True).sql(dialect="postgres")


def _lines(items: Sequence[str], spaces: int = 2) -> str:
    return f",\n{' ' * spaces}".join(items)
