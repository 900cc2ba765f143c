"""Asking a source for the values of targets: one query a grain and dimension for all targets.

Targets that share source and calendar are compiled together; definitions that cannot be asked in
one question are asked one by one. Previews, backfills and daily runs all come through here.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from core.errors import QueryFailed
from measurement.closures import calendar_of, closure_of, root_dataset
from measurement.models import BackfillTarget, Source
from measurement.periods import Calendar
from measurement.warehouses.base import Limits, Warehouse, number
from semantics.definition import Grain
from semantics.guard import Dialect
from semantics.problems import DefinitionRefused
from semantics.question import CompiledQuestion, Measure

TOTAL = ""


@dataclass(frozen=True)
class Asked:
    """A target as far as the text of its query depends on it, so that compiling is shared."""

    label: str
    key: str
    hashes: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, target: BackfillTarget, place: int) -> "Asked":
        # By its place, so that the same question of another run finds the text again.
        return cls(f"m{place}", target.key, tuple(sorted(target.definitions.items())))


@dataclass(frozen=True)
class Group:
    """Targets that can be asked together, since they share a source and a calendar."""

    source: Source
    calendar: Calendar
    targets: tuple[BackfillTarget, ...]


@dataclass(frozen=True)
class Question:
    """Some targets at one grain, for the total or by the dimensions of `dimension`."""

    group: Group
    grain: Grain
    dimension: str
    targets: tuple[BackfillTarget, ...]

    @property
    def group_by(self) -> tuple[str, ...]:
        return tuple(self.dimension.split(",")) if self.dimension else ()


@dataclass(frozen=True)
class StagedRow:
    target_id: int
    grain: str
    dimension: str
    member: str | None
    period: date
    value: Decimal | None
    numerator: Decimal | None
    denominator: Decimal | None


def groups_of(targets: Sequence[BackfillTarget]) -> list[Group]:
    found: dict[tuple, list[BackfillTarget]] = {}
    for target in targets:
        specs = closure_of(target.definitions)
        place = (root_dataset(target.key, specs).source, calendar_of(target.key, specs))
        found.setdefault(place, []).append(target)
    sources = {source.key: source for source in Source.objects.all()}
    return [
        Group(sources[key], calendar, tuple(members)) for (key, calendar), members in found.items()
    ]


def questions_of(group: Group, *, with_total: bool = True) -> Iterator[Question]:
    for grain in Grain:
        asked = [target for target in group.targets if str(grain) in target.grains]
        dimensions = dict.fromkeys([TOTAL] if with_total else [])
        for target in asked:
            dimensions.update(dict.fromkeys(target.dimensions))
        for dimension in dimensions:
            members = tuple(
                target for target in asked if not dimension or dimension in target.dimensions
            )
            if members:
                yield Question(group, grain, dimension, members)


def ask(
    question: Question,
    warehouse: Warehouse,
    *,
    start: date,
    until: date,
    limits: Limits,
    now: datetime,
) -> Iterator[StagedRow]:
    """The values of every period that begins in [start, until)."""
    for compiled, targets in _compiled_for(question, warehouse.dialect):
        answer = warehouse.query(compiled.sql(start, until), limits, now=now)
        yield from _rows(question, compiled, targets, answer.rows, start)


def _compiled_for(
    question: Question, dialect: Dialect
) -> list[tuple[CompiledQuestion, tuple[BackfillTarget, ...]]]:
    targets = question.targets
    try:
        asked = tuple(Asked.of(target, place) for place, target in enumerate(targets))
        together = _compile(asked, question.grain, question.group_by, dialect)
        return [(together, targets)]
    except DefinitionRefused as refused:
        if len(targets) == 1:
            raise QueryFailed(str(refused)) from refused
    apart = [
        Question(question.group, question.grain, question.dimension, (one,)) for one in targets
    ]
    return [pair for one in apart for pair in _compiled_for(one, dialect)]


@lru_cache(maxsize=512)
def _compile(
    asked: tuple[Asked, ...], grain: Grain, group_by: tuple[str, ...], dialect: Dialect
) -> CompiledQuestion:
    # Here and not at the top: MetricFlow takes a second and 70 MB, which only workers spend.
    from semantics.metricflow import compile_question

    measures = [Measure(one.label, one.key, closure_of(dict(one.hashes))) for one in asked]
    return compile_question(measures, grain=grain, group_by=group_by, dialect=dialect)


def _rows(question, compiled, targets, rows, start: date) -> Iterator[StagedRow]:
    width = len(question.group_by)
    for row in rows:
        period = row[0].date() if isinstance(row[0], datetime) else row[0]
        if period < start:
            continue
        member = _member(row[1 : 1 + width])
        for index, target in enumerate(targets):
            first = 1 + width + 3 * index
            value, numerator, denominator = (
                _number(cell, target, period) for cell in row[first : first + 3]
            )
            if value is not None or numerator is not None or denominator is not None:
                yield StagedRow(
                    target.pk,
                    str(question.grain),
                    question.dimension,
                    member,
                    period,
                    value,
                    numerator,
                    denominator,
                )


def _member(cells: tuple) -> str | None:
    if len(cells) < 2:
        return None if not cells or cells[0] is None else str(cells[0])
    return json.dumps([None if cell is None else str(cell) for cell in cells], ensure_ascii=False)


def _number(cell, target: BackfillTarget, period: date) -> Decimal | None:
    try:
        return number(cell)
    except InvalidOperation as error:
        raise QueryFailed(
            f"The value of {target.key} in the period of {period} has more than 26 digits before "
            "the point, which is more than can be stored. Measure it in a larger unit."
        ) from error
