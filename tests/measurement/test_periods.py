"""Periods: where they begin and end, and what they are called."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measurement.periods import Calendar, after, label, phrase
from semantics.definition import Grain, Weekday

DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
CALENDARS = st.builds(Calendar, week_start=st.sampled_from(Weekday))


@given(DAYS, st.sampled_from(Grain), CALENDARS)
def test_every_day_lies_in_exactly_one_period(day, grain, calendar):
    start = calendar.floor(day, grain)

    assert start <= day < after(start, grain)
    assert calendar.floor(start, grain) == start
    assert calendar.ceil(start, grain) == start
    assert calendar.ceil(start + timedelta(days=1), grain) == after(start, grain)


@given(DAYS, st.integers(1, 400), st.integers(1, 60), st.sampled_from(Grain), CALENDARS)
def test_windows_of_any_length_hold_each_period_once(start, days, step, grain, calendar):
    until = start + timedelta(days=days)
    cuts = [start + timedelta(days=n) for n in range(0, days, step)] + [until]

    found = [
        period
        for left, right in zip(cuts, cuts[1:], strict=False)
        for period in calendar.starts(left, right, grain)
    ]

    assert found == list(calendar.starts(start, until, grain))
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("grain", "in_a_chart", "in_a_sentence", "with_year"),
    [
        (Grain.DAY, "20 July 2026", "on 20 July", "on 20 July 2026"),
        (Grain.WEEK, "20 July 2026", "in the week of 20 July", "in the week of 20 July 2026"),
        (Grain.MONTH, "July 2026", "in July", "in July 2026"),
        (Grain.QUARTER, "Q3 2026", "in the third quarter", "in the third quarter of 2026"),
        (Grain.YEAR, "2026", "in 2026", "in 2026"),
    ],
)
def test_a_period_is_named_as_people_name_it(grain, in_a_chart, in_a_sentence, with_year):
    day = date(2026, 7, 20)
    assert label(day, grain) == in_a_chart
    assert phrase(day, grain, with_year=False) == in_a_sentence
    assert phrase(day, grain, with_year=True) == with_year
