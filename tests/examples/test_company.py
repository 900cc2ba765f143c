"""The files of the example company say what the product can read, and only true things."""

from datetime import UTC, date, datetime

import pytest

from examples import replay
from examples.company import Company
from examples.replay import Shift
from examples.truth import FOLDER, truth_of
from semantics.card import Words
from semantics.definition import METRIC_TYPES, read_spec

COMPANY = Company()
SHIFT = Shift(469)


def test_there_are_datasets_and_metrics_of_every_type():
    kinds = [entry.kind for entry in COMPANY.entries.values()]
    types = {entry.spec["type"] for entry in COMPANY.metrics.values()}

    assert kinds.count("dataset") >= 5
    assert kinds.count("metric") >= 14
    assert types == set(METRIC_TYPES)


@pytest.mark.parametrize("key", COMPANY.entries)
def test_an_entry_can_be_read_and_its_card_is_filled(key):
    entry = COMPANY.entries[key]

    read_spec(entry.spec)
    words = Words(**entry.words)
    assert words.name
    assert words.definition.endswith(".")
    assert entry.stewardship["owners"]
    if entry.kind == "metric":
        assert words.is_not
        assert words.role
        assert words.business_question.endswith("?")


@pytest.mark.parametrize("key", COMPANY.metrics)
def test_every_metric_has_a_truth_query_for_every_dimension(key):
    assert set(truth_of(key).dimensions) == set(COMPANY.metrics[key].spec.get("dimensions", []))


def test_there_is_no_truth_without_a_metric():
    assert {path.stem for path in FOLDER.glob("*.sql")} == set(COMPANY.metrics)


def test_the_tree_has_one_north_star_and_hangs_together():
    parents = {edge["parent"] for edge in COMPANY.tree}
    children = {edge["child"] for edge in COMPANY.tree}
    roles = {key: entry.words["role"] for key, entry in COMPANY.metrics.items()}

    assert parents | children <= set(COMPANY.metrics)
    assert parents - children == {"sales_28d"}
    assert [key for key, role in roles.items() if role == "north_star"] == ["sales_28d"]
    guardrails = {edge["child"] for edge in COMPANY.tree if edge["kind"] == "guardrail"}
    assert guardrails == {key for key, role in roles.items() if role == "guardrail"}


def test_the_formula_of_the_tree_is_exact():
    now = datetime(2026, 11, 24, 17, tzinfo=UTC)
    asked = {"grain": "day", "start": date(2026, 3, 1), "until": date(2026, 11, 24)}
    factors = ("active_households_28d", "baskets_per_household_28d", "average_basket_value_28d")
    with replay.connect(SHIFT, now) as connection:
        whole = truth_of("sales_28d").values(connection, **asked)
        parts = [truth_of(key).values(connection, **asked) for key in factors]

    assert len(whole) == 268
    for place, value in whole.items():
        product = float(parts[0][place]) * parts[1][place] * parts[2][place]
        assert product == pytest.approx(float(value), rel=1e-12)


def test_requests_are_in_order_and_lie_before_any_today_of_the_replay():
    steps = [step.at for request in COMPANY.requests for step in request.steps]

    assert steps == sorted(steps)
    assert steps[-1].date() < replay.LAST_FIFTH
    assert all(step.at.weekday() < 5 for request in COMPANY.requests for step in request.steps)


def test_requests_use_people_and_entries_that_exist():
    people = {person["username"] for person in COMPANY.people}

    for request in COMPANY.requests:
        assert {request.author, *(step.by for step in request.steps)} <= people
        assert {item["key"] for item in request.items} <= set(COMPANY.entries)


def test_the_last_request_that_was_published_leaves_what_the_files_say():
    (last,) = [r for r in COMPANY.requests if r.name == "09_after_coupons"]

    assert [set(item) & {"spec", "words"} for item in last.items] == [set()]
