"""Every metric of the example, by every grain and dimension it declares, equals its truth query."""

import math
from datetime import UTC, date, datetime, timedelta

import pytest

from examples import replay
from examples.company import Company
from examples.replay import Shift
from examples.truth import truth_of
from semantics.definition import Grain, read_spec
from semantics.guard import Dialect
from semantics.lineage import closure
from semantics.metricflow import compile_question
from semantics.question import Measure
from semantics.validate import checked_spec

COMPANY = Company()
SHIFT = Shift(469)
NOW = datetime(2026, 11, 24, 17, tzinfo=UTC)
START, UNTIL = SHIFT.moved(replay.FIRST_MONDAY), date(2026, 11, 25)

# Each day of a trailing window reads 28 days: here two months stand for the year.
HEAVY = {key for key in COMPANY.metrics if key.endswith("_28d") and key != "repeat_28d"}
HEAVY_START = date(2026, 9, 21)

QUESTIONS = [
    (key, grain, dimension)
    for key, entry in COMPANY.metrics.items()
    for grain in entry.spec["grains"]
    for dimension in (None, *entry.spec.get("dimensions", ()))
]


@pytest.fixture(scope="module")
def shop():
    with replay.connect(SHIFT, NOW) as connection:
        yield connection


@pytest.fixture(scope="module")
def specs():
    """The definitions as they would be stored: checked, and written anew."""
    raw = {key: read_spec(entry.spec) for key, entry in COMPANY.entries.items()}
    return {
        key: checked_spec(entry.spec, key=key, known=raw) for key, entry in COMPANY.entries.items()
    }


def first_of(key: str, grain: str) -> date:
    if grain == Grain.MONTH:
        return START.replace(day=1)
    return HEAVY_START if key in HEAVY and grain == Grain.DAY else START


def asked(shop, specs, key, grain, dimension):
    """The values as the product computes them: compiled, and run over the whole range at once."""
    compiled = compile_question(
        [Measure("now", key, closure(key, specs))],
        grain=Grain(grain),
        group_by=(dimension,) if dimension else (),
        dialect=Dialect.DUCKDB,
    )
    rows = shop.execute(compiled.sql(first_of(key, grain), UNTIL)).fetchall()
    return {
        (as_date(row[0]), row[1] if dimension else None): row[2 if dimension else 1] for row in rows
    }


def as_date(moment) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def told(values: dict, *, zero_is_nothing: bool) -> dict[tuple, float]:
    """What is worth comparing. Where missing periods are filled with 0, a 0 says nothing more."""
    found = {(as_date(period), member): value for (period, member), value in values.items()}
    return {
        place: float(value)
        for place, value in found.items()
        if value is not None and not (zero_is_nothing and value == 0)
    }


@pytest.mark.parametrize(("key", "grain", "dimension"), QUESTIONS)
def test_the_metric_equals_its_truth(shop, specs, key, grain, dimension):
    zero_is_nothing = COMPANY.metrics[key].spec.get("fill_nulls_with") == 0

    ours = told(asked(shop, specs, key, grain, dimension), zero_is_nothing=zero_is_nothing)

    truth = told(
        truth_of(key).values(
            shop, grain=grain, start=first_of(key, grain), until=UNTIL, dimension=dimension
        ),
        zero_is_nothing=zero_is_nothing,
    )
    assert truth
    assert set(ours) == set(truth)
    wrong = {
        place: (ours[place], value)
        for place, value in truth.items()
        if not math.isclose(ours[place], value, rel_tol=1e-12, abs_tol=1e-12)
    }
    assert wrong == {}


def test_all_that_is_declared_was_asked():
    assert len({key for key, _, _ in QUESTIONS}) == len(COMPANY.metrics)
    assert {grain for _, grain, _ in QUESTIONS} == {"day", "week", "month"}


@pytest.mark.parametrize("key", COMPANY.metrics)
def test_a_range_in_pieces_gives_the_same_as_the_whole(shop, specs, key):
    grain = "day" if "day" in COMPANY.metrics[key].spec["grains"] else "week"
    compiled = compile_question(
        [Measure("now", key, closure(key, specs))], grain=Grain(grain), dialect=Dialect.DUCKDB
    )
    cut = date(2026, 8, 3)
    start, until = cut - timedelta(days=14), cut + timedelta(days=14)

    whole = shop.execute(compiled.sql(start, until)).fetchall()
    pieces = [
        *shop.execute(compiled.sql(start, cut)).fetchall(),
        *shop.execute(compiled.sql(cut, until)).fetchall(),
    ]

    assert sorted(map(repr, pieces)) == sorted(map(repr, whole))
