"""A typed formula stands for typed metrics, or the reason why not is said."""

import pytest

from semantics.definition import DatasetSpec, DerivedSpec, RatioSpec, SimpleSpec
from semantics.formula import split_formula
from semantics.problems import DefinitionRefused
from semantics.validate import checked_spec
from tests.semantics.corpus import texts
from tests.semantics.small_catalog import catalog, simple

FORMULAS = texts("formulas")


def split(text, name="typed", **changed):
    known = catalog(**changed)
    dataset = known["orders"]
    assert isinstance(dataset, DatasetSpec)
    return split_formula(text, dataset_key="orders", dataset=dataset, known=known, name=name)


def refusal(text):
    with pytest.raises(DefinitionRefused) as refused:
        split(text)
    return refused.value.problems


@pytest.mark.parametrize("text", [*FORMULAS["one_aggregation"], *FORMULAS["several"]])
def test_what_a_formula_stands_for_is_a_valid_definition(text):
    found = split(text)

    known = {**catalog(), **found.new}
    for key, spec in {**found.new, "typed": found.spec}.items():
        document = spec.model_dump(mode="json")
        assert checked_spec(document, key=key, known=known) == spec


@pytest.mark.parametrize("text", FORMULAS["refused"])
def test_what_must_not_be_a_formula_is_refused(text):
    assert refusal(text)


@pytest.mark.parametrize(
    "text, aggregation, expression, filters",
    [
        ("sum(amount)", "sum", "amount", []),
        ("avg(amount)", "average", "amount", []),
        ("count(*)", "count", "1", []),
        ("count(status)", "count", "status", []),
        ("count(distinct customer_id)", "count_distinct", "customer_id", []),
        ("count_if(status = 'x')", "sum_boolean", "status = 'x'", []),
        ("sum(status = 'x')", "sum_boolean", "status = 'x'", []),
        ("median(amount)", "median", "amount", []),
        ("sum(round(amount, 2))", "sum", "ROUND(amount, 2)", []),
        ("sum(amount) filter (where status = 'x')", "sum", "amount", ["status = 'x'"]),
        (
            "sum(amount) filter (where status = 'x' and product__brand = 'Own')",
            "sum",
            "amount",
            ["product__brand = 'Own'", "status = 'x'"],
        ),
        ("sum(amount) filter (where is_gift)", "sum", "amount", ["gift"]),
        ("count(*) filter (where a > 1)", "count", "CASE WHEN a > 1 THEN 1 END", []),
        (
            "sum(amount) filter (where a > 1 and status = 'x')",
            "sum",
            "CASE WHEN a > 1 AND status = 'x' THEN amount END",
            [],
        ),
    ],
)
def test_one_aggregation_becomes_a_simple_metric(text, aggregation, expression, filters):
    found = split(text)

    assert isinstance(found.spec, SimpleSpec)
    assert found.spec.aggregation == aggregation
    assert found.spec.expression == expression
    assert found.spec.filters == filters
    assert not found.new


@pytest.mark.parametrize(
    "text, share",
    [
        ("percentile_cont(0.95) within group (order by amount)", 0.95),
        ("quantile_cont(amount, 0.9)", 0.9),
    ],
)
def test_percentiles_say_which(text, share):
    spec = split(text).spec

    assert (spec.aggregation, spec.percentile, spec.expression) == ("percentile", share, "amount")


@pytest.mark.parametrize(
    "text", ["sum(a) / count(*)", "sum(a) / nullif(count(*), 0)", "(sum(a)) / (count(*))"]
)
def test_a_quotient_becomes_a_ratio(text):
    found = split(text)

    assert isinstance(found.spec, RatioSpec)
    assert found.spec.numerator.metric == "sum_a"
    assert found.spec.denominator.metric == "orders_made"
    assert list(found.new) == ["sum_a"]
    assert found.reused == ("orders_made",)
    assert "The ratio of `sum_a` to `orders_made`" in found.sentence


def test_other_arithmetic_becomes_a_derived_metric():
    found = split("sum(amount) - avg(amount) * 1.5")

    assert isinstance(found.spec, DerivedSpec)
    assert found.spec.expression == "revenue - average_amount * 1.5"
    assert [given.metric for given in found.spec.inputs] == ["revenue", "average_amount"]


def test_metrics_of_the_catalog_are_used_by_name():
    found = split("revenue / count(distinct customer_id)")

    assert found.spec.numerator.metric == "revenue"
    assert list(found.new) == ["distinct_customer_id"]


def test_a_part_is_made_once_and_gets_a_free_name():
    found = split("sum(a) + sum(a) / 2 - sum(b)", sum_a=simple(expression="a + 1"))

    assert list(found.new) == ["sum_a_2", "sum_b"]
    assert found.spec.expression == "sum_a_2 + sum_a_2 / 2 - sum_b"


def test_the_metric_itself_is_no_part_of_it():
    found = split("sum(amount) / count(*)", name="revenue")

    assert found.spec.numerator.metric == "sum_amount"


def test_a_known_metric_is_named_when_one_aggregation_equals_it():
    assert "`revenue`" in split("sum( AMOUNT )").sentence


@pytest.mark.parametrize(
    "text, code",
    [
        ("amount + 1", "not_aggregated"),
        ("1 + 1", "nothing_measured"),
        ("revenue", "metric_itself"),
        ("sum(revenue)", "metric_aggregated"),
        ("sum(product__brand)", "dimension_aggregated"),
        ("sum(avg(amount))", "aggregate_nested"),
        ("sum(amuont)", "unknown_column"),
        ("count(distinct a, b)", "bad_argument"),
        ("sum(distinct a)", "bad_argument"),
        ("percentile_cont(2) within group (order by a)", "bad_argument"),
        ("sum(amount) filter (where a > 1 and product__brand = 'x')", "mixed_filter"),
        ("lower(revenue)", "function_not_allowed"),
    ],
)
def test_refusals_say_why(text, code):
    problem = refusal(text)[0]

    assert problem.code == code
    assert problem.fix
