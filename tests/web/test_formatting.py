"""Numbers, units and spans as people read them."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils.html import conditional_escape

from web import formatting as f
from web.templatetags.etalon import coded, glued

USD = {"kind": "currency", "code": "USD", "decimals": 2}
SHARE = {"kind": "proportion", "code": "", "decimals": 1}
PERCENT = {"kind": "percentage", "code": "", "decimals": 1}
COUNT = {"kind": "count", "code": "baskets", "decimals": 0}
HOURS = {"kind": "time", "code": "h", "decimals": 1}
BYTES = {"kind": "data_size", "code": "", "decimals": 0}


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (Decimal("8090541.36"), USD, "$8,090,541.36"),
        (Decimal("-5"), USD, "−$5.00"),
        (12, {**USD, "code": "CHF"}, "12.00 CHF"),
        (0.4123, SHARE, "41.2 %"),
        (41.23, PERCENT, "41.2 %"),
        (12480, COUNT, "12,480"),
        (3.5, HOURS, "3.5 h"),
        (1536, BYTES, "1.5 KiB"),
        (-0.001, USD, "$0.00"),
        (None, USD, "–"),
        (7, None, "7.00"),
    ],
)
def test_a_value_carries_its_unit(value, unit, said):
    assert f.with_unit(value, unit).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (9_999, "$9,999.00"),
        (12_480, "$12.5k"),
        (161_204, "$161.2k"),
        (8_090_541.36, "$8.09M"),
        (-2_500_000_000, "−$2.50B"),
    ],
)
def test_a_tile_has_room_for_few_digits(value, said):
    assert f.with_unit(value, USD, compact=True) == said


@pytest.mark.parametrize(
    ("old", "new", "unit", "said"),
    [
        (100, 105.1, USD, "+5.1 %"),
        (-100, -50, USD, "+50.0 %"),
        (0.40, 0.42, SHARE, "+2.0 pt"),
        (40, 38, PERCENT, "−2.0 pt"),
        (0, 5, USD, ""),
        (None, 5, USD, ""),
        (5, 5, USD, "0.0 %"),
    ],
)
def test_shares_move_by_points_and_all_else_by_percent(old, new, unit, said):
    assert f.change(old, new, unit).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("places", "unit", "said"),
    [
        ([9000, 10_000, 11_000], USD, ["$9k", "$10k", "$11k"]),
        ([0, 2_500_000, 5_000_000], USD, ["$0.0M", "$2.5M", "$5.0M"]),
        ([0, 0.025, 0.05], SHARE, ["0.0 %", "2.5 %", "5.0 %"]),
        ([-0.02, 0, 0.02], SHARE, ["−2 %", "0 %", "2 %"]),
        ([0, 0.5, 1], None, ["0.0", "0.5", "1.0"]),
        ([0, 500, 1000], COUNT, ["0", "500", "1,000"]),
    ],
)
def test_an_axis_has_one_scale(places, unit, said):
    assert [text.replace("\u00a0", " ") for text in f.along_axis(places, unit)] == said


@pytest.mark.parametrize(
    ("grain", "long", "short"),
    [
        ("day", "9 Mar 2026", "9 Mar"),
        ("week", "Week of 9 Mar 2026", "9 Mar"),
        ("month", "Mar 2026", "Mar 26"),
        ("quarter", "Q1 2026", "Q1 26"),
        ("year", "2026", "2026"),
    ],
)
def test_periods_have_names(grain, long, short):
    assert f.period(date(2026, 3, 9), grain) == long
    assert f.short_period(date(2026, 3, 9), grain) == short


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (0.25, "0.2 s"),
        (45, "45 s"),
        (7500, "2 h 5 min"),
        (timedelta(days=3, minutes=5), "3 d 5 min"),
        (0, "0 s"),
        (None, "–"),
    ],
)
def test_spans_have_two_units_at_most(span, said):
    assert f.duration(span).replace("\u00a0", " ") == said


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=10), "just now"),
        (timedelta(minutes=1), "1 minute ago"),
        (timedelta(hours=5), "5 hours ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(days=-3), "in 3 days"),
        (timedelta(days=90), "3 months ago"),
        (timedelta(days=800), "2 years ago"),
    ],
)
def test_how_long_ago(span, said):
    assert f.ago(span) == said


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        (USD, "USD"),
        (COUNT, "Count of baskets"),
        (SHARE, "Percent"),
        (HOURS, "Hours"),
        (None, "No unit"),
    ],
)
def test_units_have_names(unit, said):
    assert f.unit_name(unit) == said


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("No column `amuont`.", "No column <code>amuont</code>."),
        ("`a` & `<b>`", "<code>a</code> &amp; <code>&lt;b&gt;</code>"),
        ("One ` alone <b>", "One ` alone &lt;b&gt;"),
        ("Nothing", "Nothing"),
    ],
)
def test_what_stands_between_backticks_is_code_and_never_markup(said, shown):
    assert conditional_escape(coded(said)) == shown


def test_a_percentage_in_a_sentence_stays_on_one_line():
    said = glued("Past values fall by 8.4 % on average, at most 11.5 % in the week of 20 July.")

    assert said.count("\u00a0%") == 2
    assert " %" not in said
