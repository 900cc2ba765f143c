"""A range that is asked in pieces gives the same as the whole, for every type of metric."""

import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantics.definition import Grain, Weekday, Window
from semantics.guard import Dialect
from semantics.metricflow import compile_question
from semantics.periods import EVER, Reading, Scan, first_of, moved
from semantics.question import Measure
from tests.semantics.compiler.engines import DuckDBEngine
from tests.semantics.compiler.small_shop import (
    conversion,
    cumulative,
    derived,
    length,
    ratio,
    shop,
    simple,
)

FIRST, LAST = date(2025, 11, 3), date(2026, 6, 28)
METRICS = {
    "simple": simple("lines", "sum", "amount"),
    "filled": simple("lines", "count_distinct", "customer", fill_nulls_with=0),
    "ratio": ratio({"metric": "sales", "filters": ["product__brand = 'Acme'"]}, "baskets"),
    "week_over_week": derived(
        "sales - prior", "sales", {"metric": "sales", "alias": "prior", "offset": length(1, "week")}
    ),
    "month_before": derived(
        "sales / prior",
        "sales",
        {"metric": "sales", "alias": "prior", "offset": length(1, "month")},
    ),
    "cumulative": cumulative("buyers", window=length(10)),
    "to_date": cumulative("sales", grain_to_date="month"),
    "ever": cumulative("sales"),
    "conversion": conversion("line_count", "visit_count", "customer", 9),
    "repeat": conversion("visit_count", "visit_count", "customer", 6),
    "instants": simple("clicks", "count"),
}
SPECS = shop(**METRICS)


@pytest.fixture(scope="module")
def years():
    """The small shop with some hundred rows more, always the same."""
    chance = random.Random(7)  # noqa: S311 (it makes rows, not secrets)
    engine = DuckDBEngine()
    days = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days)]
    for number in range(600):
        day, other, clicked = chance.choices(days, k=3)
        customer = chance.choice([None, 1, 2, 3])
        product, store = chance.choice([None, 1, 2, 3, 4, 9]), chance.choice([None, "N", "S"])
        amount, quantity = chance.choice([None, "1.25", "8.50", "17"]), chance.randrange(4)
        basket, hour = chance.randrange(200), chance.randrange(24)
        engine.insert(
            "lines",
            (100 + number, basket, customer, product, store, day, amount, quantity, True),
        )
        engine.insert("visits", (customer, other, "N", 3))
        engine.insert("clicks", (f"{clicked} {hour:02}:30:00", None, "a"))
    yield engine
    engine.close()


@st.composite
def splits(draw):
    """A grain, and days at which its periods begin, in order."""
    grain = draw(st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]))
    picked = draw(st.lists(st.dates(FIRST, LAST), min_size=2, max_size=5))
    cuts = sorted({first_of(day, grain, Weekday.MONDAY) for day in picked})
    return grain, cuts if len(cuts) > 1 else [*cuts, moved(cuts[0], Window(count=1, grain=grain))]


@pytest.mark.parametrize(
    ("key", "group_by"),
    [(key, ()) for key in METRICS]
    + [(key, ("customer__city",)) for key in METRICS if key != "instants"],
)
@settings(max_examples=8, deadline=None)
@given(split=splits())
def test_pieces_give_the_same_as_the_whole(years, key, group_by, split):
    grain, cuts = split
    compiled = compile_question(
        [Measure("v", key, SPECS)], grain=grain, group_by=group_by, dialect=Dialect.DUCKDB
    )

    whole = years.rows(compiled.sql(cuts[0], cuts[-1]))

    pieces = [
        row
        for start, until in zip(cuts, cuts[1:], strict=False)
        for row in years.rows(compiled.sql(start, until))
    ]
    assert sorted(pieces, key=repr) == sorted(whole, key=repr)


# The days of the periods that begin in a range, as the compiled text has them.
PERIODS = """
SELECT CAST(s AS DATE) AS since,
       LEAST(CAST(s + INTERVAL '{every}' AS DATE), DATE '{until}') - 1 AS through
FROM generate_series(TIMESTAMP '{start}', DATE '{until}' - INTERVAL '1 DAY', INTERVAL '{every}')
AS every(s)
"""
EVERY = dict(zip(Grain, ["1 DAY", "7 DAY", "1 MONTH", "3 MONTH", "1 YEAR"], strict=True))

windows = st.builds(Window, count=st.integers(1, 30), grain=st.sampled_from(Grain))


@settings(max_examples=150, deadline=None)
@given(
    grain=st.sampled_from(Grain),
    week_start=st.sampled_from(Weekday),
    start=st.dates(date(2020, 1, 1), date(2030, 1, 1)),
    days=st.integers(1, 800),
    offsets=st.lists(windows, max_size=2),
    shape=st.one_of(st.none(), windows, st.sampled_from(Grain)),
)
def test_all_days_that_periods_read_are_scanned(
    in_duckdb, grain, week_start, start, days, offsets, shape
):
    reading = Reading(
        tuple(offsets),
        window=shape if isinstance(shape, Window) else None,
        grain_to_date=shape if isinstance(shape, Grain) else None,
    )
    start = first_of(start, grain, week_start)
    until = start + timedelta(days=days)

    since, scanned_until = reading.days(start, until, grain, week_start)

    sql = PERIODS.format(start=start, until=until, every=EVERY[grain])
    for since_sql, through_sql in reading.spans(grain, week_start):
        sql = f"SELECT {since_sql} AS since, {through_sql} AS through FROM ({sql})"  # noqa: S608
    ((first, last),) = in_duckdb.rows(f"SELECT MIN(since), MAX(through) FROM ({sql})")  # noqa: S608
    assert since <= first
    assert last < scanned_until


def test_a_scan_covers_offsets_windows_conversions_and_zones():
    def scanned(key):
        compiled = compile_question(
            [Measure("v", key, SPECS)], grain=Grain.DAY, dialect=Dialect.DUCKDB
        )
        return compiled.scan_range(date(2026, 3, 1), date(2026, 4, 1))

    assert scanned("simple") == (date(2026, 3, 1), date(2026, 4, 1))
    assert scanned("week_over_week") == (date(2026, 2, 22), date(2026, 4, 1))
    assert scanned("month_before") == (date(2026, 2, 1), date(2026, 4, 1))
    assert scanned("cumulative") == (date(2026, 2, 19), date(2026, 4, 1))
    assert scanned("to_date") == (date(2026, 3, 1), date(2026, 4, 1))
    assert scanned("ever") == (EVER, date(2026, 4, 1))
    assert scanned("conversion") == (date(2026, 3, 1), date(2026, 4, 11))
    assert scanned("instants") == (date(2026, 2, 27), date(2026, 4, 3))


def test_a_scan_of_everything_begins_with_the_first_day():
    scan = Scan(Reading(from_the_beginning=True), room=2)

    assert scan.days(date(2026, 3, 1), date(2026, 3, 2), Grain.DAY, Weekday.MONDAY)[0] == EVER
