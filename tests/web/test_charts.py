"""Charts and graphs that the server draws: what they show, escape and leave out."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from web.charts import Chart, sparkline
from web.graphs import lineage_svg
from web.scales import nice_ticks

START = date(2026, 3, 2)


def _days(numbers, step=7):
    return [(START + timedelta(days=step * n), number) for n, number in enumerate(numbers)]


def _spec(**changes):
    spec = {
        "title": "Net sales by week",
        "grain": "week",
        "unit": {"kind": "currency", "code": "USD", "decimals": 0},
        "series": [{"label": "v3", "points": _days([100, 110, 120, 130])}],
    }
    return {**spec, **changes}


@pytest.mark.parametrize(
    ("low", "high", "places"),
    [
        (9000, 13_500, [9000, 10_000, 11_000, 12_000, 13_000, 14_000]),
        (0.02, 0.9, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (5, 5, [4.5, 4.75, 5, 5.25, 5.5]),
        (-7, 3, [-8, -6, -4, -2, 0, 2, 4]),
    ],
)
def test_an_axis_has_round_places(low, high, places):
    ticks = nice_ticks(low, high)

    assert ticks.places[0] <= low
    assert ticks.places[-1] >= high
    if low != high:
        assert ticks.places == places


@pytest.mark.parametrize(
    "spec",
    [
        _spec(),
        _spec(kind="bars"),
        _spec(incomplete=True),
        _spec(target={"value": 150}),
        _spec(marks=[{"at": START + timedelta(days=7), "label": "v3 & <b>", "url": "/x?a=1&b=2"}]),
        _spec(shades=[{"start": START, "until": START + timedelta(days=7), "label": "Late"}]),
        _spec(series=[{"label": "one", "points": _days([5])}]),
        _spec(series=[{"label": "gap", "points": _days([1, None, 3, 4])}]),
        _spec(series=[{"label": "zeros", "points": _days([0, 0, 0])}]),
        _spec(series=[{"label": "falls", "points": _days([5, -5])}], kind="bars"),
    ],
)
def test_a_drawing_is_valid_and_styles_nothing_inline(spec):
    for text in (Chart(spec).svg(), Chart(spec).svg(width=900)):
        root = ElementTree.fromstring(text)  # noqa: S314 - our own text

        assert root.get("role") == "img"
        assert "style=" not in text
        assert "NaN" not in text
        assert "nan" not in text


def test_words_of_people_are_escaped():
    spec = _spec(title="<script>alert(1)</script>", target={"value": 9, "label": "<i>"})

    text = Chart(spec).svg()

    assert "<script>" not in text
    assert "<i>" not in text


def test_a_hole_in_the_data_is_a_hole_in_the_line():
    chart = Chart(_spec(series=[{"label": "gap", "points": _days([1, 2, None, 3, 4])}]))

    assert re.search(r'd="M[^"]*M[^"]*"', chart.svg())


def test_a_lone_value_is_a_dot():
    chart = Chart(_spec(series=[{"label": "gap", "points": _days([1, 2, None, 3])}]))

    assert chart.svg().count("<circle") == 1


def test_the_last_period_stays_open_while_it_is_not_over():
    chart = Chart(_spec(incomplete=True))

    assert 'class="open-point"' in chart.svg()
    assert chart.points["columns"][-1]["label"].endswith(", not complete")


def test_the_summary_says_the_chart_in_one_sentence():
    assert Chart(_spec()).summary.replace("\u00a0", " ") == (
        "Net sales by week, 4 periods: from $100 (Week of 2 Mar 2026) to $130 "
        "(Week of 23 Mar 2026), +30.0 %."
    )


def test_the_summary_compares_complete_periods_alone():
    assert Chart(_spec(incomplete=True)).summary.replace("\u00a0", " ") == (
        "Net sales by week, 3 complete periods: from $100 (Week of 2 Mar 2026) to $120 "
        "(Week of 16 Mar 2026), +20.0 %."
    )


def test_the_table_says_the_same_newest_first():
    old = {"label": "v2", "style": "old", "points": [(*point, "v2") for point in _days([90, 95])]}
    chart = Chart(_spec(series=[*_spec()["series"], old]))

    assert chart.table["head"] == ["v3", "v2", "Version"]
    assert chart.table["rows"][0]["cells"] == ["$130", "–", ""]
    assert chart.table["rows"][-1]["cells"] == ["$100", "$90", "v2"]


def test_a_chart_without_values_says_so():
    chart = Chart(_spec(series=[{"label": "v1", "points": _days([None])}]))

    assert chart.is_empty
    assert chart.summary == "Net sales by week: no values."
    assert chart.points == {"series": [], "columns": []}


def test_marks_outside_of_the_range_are_left_out_and_near_ones_do_not_cover_each_other():
    marks = [
        {"at": START - timedelta(days=90), "label": "v1"},
        {"at": START + timedelta(days=7), "label": "v2 in effect"},
        {"at": START + timedelta(days=8), "label": "v3 in effect"},
    ]

    chart = Chart(_spec(marks=marks))

    assert [(mark["label"], mark["row"]) for mark in chart.marks] == [
        ("v2 in effect", 0),
        ("v3 in effect", 1),
    ]


def test_the_range_of_lines_and_marks_is_in_percent_of_the_plot():
    chart = Chart(_spec())

    assert [column["x"] for column in chart.points["columns"]] == [0, 33.333, 66.667, 100]


def test_many_points_share_few_labels():
    chart = Chart(_spec(grain="day", series=[{"label": "v", "points": _days(range(400), step=1)}]))

    assert chart.svg().count('class="x-') <= 9


def test_a_sparkline_needs_two_values():
    assert "<svg" in sparkline([1, None, 3], label="Rising", mark=1)
    assert "<svg" not in sparkline([None, 3], label="Rising")


NODES = [
    {"key": "t", "label": "transactions", "kind": "Dataset", "url": "/datasets/t"},
    {"key": "n", "label": "Net sales", "is_self": True},
    {"key": "b", "label": "Average <basket>", "url": '/metrics/b?x="y"'},
]


def test_a_graph_flows_from_left_to_right():
    edges = [
        {"upstream": "t", "downstream": "n"},
        {"upstream": "n", "downstream": "b"},
        {"upstream": "t", "downstream": "b", "dashed": True},
        {"upstream": "gone", "downstream": "n"},
    ]

    text = lineage_svg(NODES, edges, label="Lineage")

    ElementTree.fromstring(text)  # noqa: S314 - our own text
    places = [float(x) for x in re.findall(r'<rect x="(\d+)"', text)]
    assert places == sorted(places)
    assert len(set(places)) == 3
    assert text.count("<a href=") == 2
    assert text.count('class="edge') == 6
    assert "<basket>" not in text


def test_a_graph_with_a_circle_is_still_drawn():
    edges = [{"upstream": "t", "downstream": "n"}, {"upstream": "n", "downstream": "t"}]

    assert "<svg" in lineage_svg(NODES, edges, label="Lineage")


def test_a_graph_of_nothing_is_empty():
    assert "<svg" in lineage_svg([], [], label="Lineage")
