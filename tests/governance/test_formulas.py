"""A typed formula in a draft: what it becomes, what comes with it, and what is refused."""

import pytest

from core.errors import Invalid, NotAllowed, StaleRevision, WrongState
from governance.content import read_content
from governance.models import ChangeRequest
from governance.services.formulas import apply_formula
from governance.services.requests import open_request, save_draft, withdraw
from governance.services.submitting import submit
from semantics.definition import read_spec
from tests.factories import (
    NET_SALES,
    make_change,
    make_content,
    make_item,
    published,
)

VISITS = {
    "type": "dataset",
    "source": "shop",
    "relation": {"kind": "table", "name": "shop.visits"},
    "columns": [{"name": "id", "type": "integer"}, {"name": "seen", "type": "date"}],
    "entities": [{"name": "visit", "type": "primary", "expression": "id"}],
    "dimensions": [{"name": "seen_on", "type": "time", "expression": "seen"}],
    "time_dimension": "seen_on",
}


@pytest.fixture
def draft(company) -> ChangeRequest:
    """A new metric of tier 3 that says nothing yet."""
    card = {"tier": 3, "stewards": ["cem"], "target": "9"}
    item = make_item("per_customer", {"type": "simple", "dataset": ""}, stewardship=card)
    return open_request(content=make_content(item), actor=company.ana)


def applied(request, formula, *, key="per_customer", actor=None, **more):
    request.draft.refresh_from_db()
    lock = more.pop("lock", request.draft.lock)
    actor = actor or request.author
    return apply_formula(request, key=key, formula=formula, lock=lock, actor=actor, **more)


def items_of(request):
    request.draft.refresh_from_db()
    return {item.key: item for item in read_content(request.draft.content).items}


def refusal(request, formula, **more):
    before = (request.draft.lock, request.draft.content)
    with pytest.raises(Invalid) as refused:
        applied(request, formula, **more)
    request.draft.refresh_from_db()
    assert (request.draft.lock, request.draft.content) == before
    return refused.value.details["problems"]


def test_a_quotient_becomes_a_ratio_and_brings_the_metrics_that_are_missing(draft, company):
    found = applied(draft, "sum(amount) / count(distinct customer)", via="web")

    assert found.sentence == (
        "The ratio of `net_sales` to `distinct_customer`. New with it: `distinct_customer`."
    )
    assert found.reused == (("net_sales", "Net sales"),)
    items = items_of(draft)
    assert list(items) == ["per_customer", "distinct_customer"]
    spec = read_spec(items["per_customer"].spec)
    assert (spec.numerator.metric, spec.denominator.metric) == ("net_sales", "distinct_customer")
    part = items["distinct_customer"]
    assert (part.kind, part.base) == ("metric", None)
    assert (part.words.name, part.words.unit.kind) == ("Distinct customer", "count")
    assert part.words.definition == "Distinct customer, over the rows of orders."
    assert [change.key for change in draft.changes.order_by("key")] == sorted(items)


def test_parts_are_answered_for_by_who_answers_for_the_whole(draft):
    applied(draft, "sum(refund) / count(*)")

    card = items_of(draft)["sum_refund"].stewardship
    assert (card.domain, card.tier, card.owners, card.stewards) == ("sales", 3, ["ana"], ["cem"])
    assert card.target is None


def test_of_an_existing_metric_its_card_says_who_answers_for_the_parts(company):
    request = open_request(content=make_content(make_change()), actor=company.ana)

    applied(request, "sum(amount) - sum(refund)", key="net_sales")

    items = items_of(request)
    assert items["net_sales"].spec["type"] == "derived"
    assert items["net_sales"].stewardship is None
    # The metric itself is no part of itself.
    assert list(items) == ["net_sales", "sum_amount", "sum_refund"]
    cards = [items[key].stewardship for key in ("sum_amount", "sum_refund")]
    assert [(card.tier, card.owners) for card in cards] == [(2, ["ana"])] * 2


def test_what_it_makes_can_be_submitted(draft, company):
    applied(draft, "sum(amount) filter (where store = 'north') / count(distinct customer)")

    revision = submit(draft, lock=2, actor=company.ana)

    assert len(read_content(revision.content).items) == 3


def test_one_aggregation_stays_one_metric(draft):
    found = applied(draft, "avg(amount)")

    assert found.new == ()
    spec = items_of(draft)["per_customer"].spec
    assert (spec["type"], spec["dataset"], spec["aggregation"]) == ("simple", "orders", "average")


def test_what_is_no_formula_stays(company):
    beside = {
        "filters": ["store <> 'north'"],
        "grains": ["day", "month"],
        "dimensions": ["store"],
        "fill_nulls_with": 0,
        "late_data": {"recompute_days": 9},
    }
    item = make_item("per_customer", {**NET_SALES, **beside})
    request = open_request(content=make_content(item), actor=company.ana)

    applied(request, "sum(refund) filter (where store <> 'south')")
    simple = items_of(request)["per_customer"].spec
    applied(request, "sum(amount) / count(*)")
    ratio = items_of(request)

    assert simple["filters"] == ["store <> 'north'", "store <> 'south'"]
    assert {name: simple[name] for name in beside if name != "filters"} == {
        name: value for name, value in beside.items() if name != "filters"
    }
    assert ratio["per_customer"].spec["grains"] == ratio["orders_count"].spec["grains"]
    assert ratio["orders_count"].spec["filters"] == []


def test_applied_again_it_changes_nothing(draft):
    applied(draft, "sum(refund) / count(*)")
    first = items_of(draft)

    again = applied(draft, "sum(refund)/COUNT(*)")

    assert items_of(draft) == first
    assert (draft.draft.lock, again.new, again.dropped) == (2, (), ())


def test_parts_of_the_formula_before_go_with_it_unless_somebody_wrote_in_them(draft, company):
    applied(draft, "sum(refund) / count(distinct customer)")
    items_of(draft)
    content = draft.draft.content
    content["items"][2]["words"]["notes"] = "Households, not cards."
    save_draft(draft, content=content, lock=2, actor=company.ana)

    found = applied(draft, "min(amount) / count(*)")

    assert found.dropped == ("sum_refund",)
    assert found.sentence.endswith("No longer needed: `sum_refund`.")
    assert list(items_of(draft)) == [
        *("per_customer", "distinct_customer", "min_amount", "orders_count")
    ]


def test_what_is_not_reviewed_stands_for_no_part_of_what_is(company):
    local = make_item("refunds", {**NET_SALES, "expression": "refund"}, stewardship={"tier": 9})
    published(local, author=company.ana)
    items = [
        make_item("reviewed", {"type": "simple"}, stewardship={"tier": 3}),
        make_item("tried", {"type": "simple"}, stewardship={"tier": 9}),
    ]
    request = open_request(content=make_content(*items), actor=company.ana)

    assert applied(request, "sum(refund) / count(*)", key="tried").reused == (
        ("refunds", "Refunds"),
    )
    found = applied(request, "sum(refund) / count(*)", key="reviewed")
    assert [one.key for one in found.new] == ["sum_refund", "orders_count_2"]


def test_a_dataset_is_chosen_where_the_columns_do_not_say_which(company, draft):
    published(make_item("visits", VISITS), author=company.ana, by=[company.cem])

    (asked,) = refusal(draft, "count(*)")
    assert (asked["place"], asked["code"]) == ("dataset", "several_datasets")
    (asked,) = refusal(draft, "count(id) / sum(refund)", dataset="visits")[:1]
    assert asked["message"] == "There is no column `refund`."
    (asked,) = refusal(draft, "count(*)", dataset="visit")
    assert (asked["place"], asked["message"]) == ("dataset", "There is no dataset `visit`.")

    applied(draft, "count(*)", dataset="visits")
    assert items_of(draft)["per_customer"].spec["dataset"] == "visits"
    # From now on it is known which rows it is about.
    assert applied(draft, "count(id)").dataset == "visits"
    assert applied(draft, "sum(refund)").dataset == "orders"


def test_a_formula_of_metrics_needs_no_dataset(draft):
    found = applied(draft, "net_sales * 2")

    assert (found.dataset, found.new) == ("", ())
    assert items_of(draft)["per_customer"].spec["expression"] == "net_sales * 2"


@pytest.mark.parametrize(
    ("formula", "code", "message", "fix"),
    [
        ("", "empty", "Nothing is written here.", "Write an expression."),
        (
            "sum(amuont) / count(*)",
            "unknown_column",
            "No dataset has a column `amuont`.",
            "Did you mean `amount`?",
        ),
        (
            "sum(amount) / count(",
            "syntax",
            "The text cannot be read",
            "Write one SQL expression; check commas, operators and parentheses there.",
        ),
        (
            "sum(net_sales)",
            "metric_aggregated",
            "`net_sales` is a metric, which is aggregated already.",
            "Use `net_sales` outside of the aggregate.",
        ),
        (
            "amount / 2",
            "not_aggregated",
            "`amount` stands outside of an aggregate, where only metrics can stand.",
            "Write `sum(amount)`, or another aggregate of it.",
        ),
        ("net_salse / 2", "unknown_metric", "There is no metric `net_salse`.", "Did you mean"),
        (
            "sum(store)",
            "not_a_number",
            "`store` is a text, of which there is no sum.",
            "",
        ),
        ("sum(amount); drop table x", "semicolon", "A semicolon is not allowed.", "Write one"),
    ],
)
def test_a_formula_that_cannot_be_says_why_and_writes_nothing(draft, formula, code, message, fix):
    problem = refusal(draft, formula)[0]

    assert problem["place"] == "formula"
    assert problem["code"] == code
    assert problem["message"].startswith(message)
    assert problem["fix"].startswith(fix)


@pytest.mark.parametrize(("key", "code"), [("orders", "wrong_kind"), ("net_sales", "unknown_item")])
def test_a_formula_is_of_a_metric_of_the_request(company, key, code):
    request = open_request(
        content=make_content(make_change("orders", words={"notes": "x"})), actor=company.ana
    )

    (problem,) = refusal(request, "count(*)", key=key)

    assert (problem["place"], problem["code"]) == ("key", code)
    assert problem["fix"]


def test_rubbish_beside_the_formula_is_told_by_the_draft_and_not_by_a_failure(company):
    item = make_item(
        "per_customer", {"type": "simple", "grains": 7, "filters": "x", "late_data": []}
    )
    request = open_request(content=make_content(item), actor=company.ana)

    found = applied(request, "sum(refund) / count(*)")

    assert {problem.place for problem in found.open_problems} >= {"grains", "filters", "late_data"}


def test_nobody_s_text_is_overwritten_and_nobody_else_writes(draft, company):
    with pytest.raises(StaleRevision):
        applied(draft, "sum(amount)", lock=7)
    with pytest.raises(NotAllowed):
        applied(draft, "sum(amount)", actor=company.eve)
    # Who may not write is told nothing else, and a co-editor may.
    with pytest.raises(NotAllowed):
        applied(draft, "sum(", actor=company.eve)
    applied(draft, "sum(amount)", actor=company.cem)
    assert company.cem in draft.draft.editors.all()

    withdraw(draft, actor=company.ana)
    with pytest.raises(WrongState):
        applied(draft, "sum(amount)")


def test_in_review_it_is_taken_back(company):
    request = company.restating()

    applied(request, "avg(amount)", key="net_sales")

    request.refresh_from_db()
    assert request.status == "draft"
