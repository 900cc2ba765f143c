"""Every fault of a definition is said, with its place and a way out."""

import pytest

from semantics.definition import read_spec
from semantics.problems import DefinitionRefused, Level
from semantics.validate import checked_spec, problems_of
from tests.semantics.small_catalog import (
    DOCUMENTS,
    ORDERS,
    PRODUCTS,
    catalog,
    categorical,
    entity,
    simple,
)

RATIO = DOCUMENTS["average_order"]
DERIVED = DOCUMENTS["growth"]
CONVERSION = DOCUMENTS["conversion"]


def faults(document, key="typed", **changed):
    problems = problems_of(document, key=key, known=catalog(**changed))
    for problem in problems:
        assert problem.message.endswith("."), problem
        assert problem.fix.endswith((".", "?", ")")), problem
    return problems


@pytest.mark.parametrize("key", DOCUMENTS)
def test_right_definitions_have_no_fault_that_blocks(key):
    problems = faults(DOCUMENTS[key], key=key)

    assert [problem for problem in problems if problem.level == Level.BLOCKS] == []


def with_(document, **said):
    return {**document, **said}


ONE_FAULT = [
    # What does not exist
    (simple(expression="amuont"), "expression", "unknown_column", "amount"),
    (simple(filters=["statsu = 'x'"]), "filters.0", "unknown_dimension", "status"),
    (simple(filters=["product__brnd = 'x'"]), "filters.0", "unknown_dimension", "product__brand"),
    (simple(dataset="ordres"), "dataset", "unknown_dataset", "orders"),
    (simple(segments=["own_bran"]), "segments.0", "unknown_segment", "own_brand"),
    (simple(segments=["orders"]), "segments.0", "wrong_kind", "segment"),
    (simple(dataset="revenue"), "dataset", "wrong_kind", "dataset"),
    (with_(RATIO, numerator={"metric": "revenu"}), "numerator", "unknown_metric", "revenue"),
    (simple(expression="a", time_dimension="orderd_at"), "time_dimension", "unknown_dimension",
     "ordered_at"),
    # What cannot be asked
    (simple(expression="a", dimensions=["since"]), "dimensions.0", "no_join_path", "status"),
    (simple("visits", "count", dimensions=["product__brand"]), "dimensions.0", "no_join_path",
     "page"),
    (simple("visits", "count", segments=["own_brand"]), "segments.0", "segment_out_of_reach",
     "visits"),
    (simple("products", "count"), "dataset", "no_time", "time dimension"),
    # Aggregates
    (simple(expression="sum(amount)"), "expression", "aggregate_not_allowed", "aggregation"),
    (with_(DERIVED, expression="sum(revenue) / before"), "expression", "aggregate_not_allowed",
     "simple metric"),
    (simple(expression="amount", aggregation="percentile"), "percentile", "percentile", "both"),
    (simple(expression="amount", percentile=0.5), "percentile", "percentile", "both"),
    (simple(expression="a", grains=["day", "day"]), "grains", "duplicate", "once"),
    (simple(expression="a", dimensions=["status", "status"]), "dimensions.status", "duplicate",
     "one"),
    # Kinds
    (simple(expression="status"), "expression", "not_a_number", "Count"),
    (simple(expression="ordered_at", aggregation="average"), "expression", "not_a_number", "Count"),
    (simple(expression="is_gift"), "expression", "not_a_number", "sum_boolean"),
    (simple("orders", "sum_boolean", expression="a"), "expression", "not_boolean", "Compare"),
    (simple(expression="case when status = 1 then a end"), "expression", "unlike_kinds", "cast"),
    (simple(expression="status * 2"), "expression", "unlike_kinds", "Cast"),
    # Hostile
    (simple(expression="amount; drop table x"), "expression", "semicolon", "one expression"),
    (simple(filters=["{{ x }}"]), "filters.0", "template", "name"),
    (simple(expression="(select 1)"), "expression", "not_allowed", "dataset"),
    # Formulas
    (with_(DERIVED, expression="revenue / 2"), "inputs.1", "unused_input", "Remove"),
    (with_(DERIVED, expression="revenue - befor"), "expression", "unknown_input", "before"),
    (with_(RATIO, denominator={"metric": "revenue"}), "numerator", "ratio_to_itself", "Filter"),
    # Windows
    (
        {"type": "cumulative", "metric": "average_order", "window": {"count": 7, "grain": "day"}},
        "metric", "not_simple", "divide",
    ),
    (
        {
            "type": "cumulative", "metric": "revenue", "grain_to_date": "month",
            "window": {"count": 7, "grain": "day"},
        },
        "window", "two_windows", "one",
    ),
    # Conversions
    (with_(CONVERSION, base="average_order"), "base", "not_simple", "simple"),
    (with_(CONVERSION, entity="product"), "entity", "unknown_entity", "customer"),
    (
        with_(CONVERSION, constant_properties=[{"base": "page", "conversion": "pge"}]),
        "constant_properties.0.conversion", "unknown_dimension", "status",
    ),
    # Shape
    ({"type": "smple"}, "type", "unknown_type", "simple"),
    ({}, "type", "unknown_type", "simple"),
    (simple(aggregation="summ"), "aggregation", "unknown_choice", "sum"),
    (simple(filtres=[]), "filtres", "unknown_field", "filters"),
    (simple(dataset="No Name"), "dataset", "bad_name", "small letters"),
    (simple(dataset=""), "dataset", "empty", "Give the dataset."),
    ({"type": "simple", "aggregation": "sum"}, "dataset", "missing", "dataset"),
    (with_(RATIO, numerator="revenue"), "numerator", "bad_shape", "named fields"),
    (simple(grains=[]), "grains", "empty", "grains"),
    (
        {"type": "cumulative", "metric": "revenue", "window": {"count": 0, "grain": "day"}},
        "window.count", "bad_value", "count",
    ),
]  # fmt: skip


@pytest.mark.parametrize("document, place, code, says", ONE_FAULT)
def test_a_fault_has_its_place_its_code_and_a_way_out(document, place, code, says):
    problems = faults(document)

    blocking = [problem for problem in problems if problem.level == Level.BLOCKS]
    assert [(problem.place, problem.code) for problem in blocking][:1] == [(place, code)]
    assert says in blocking[0].fix
    with pytest.raises(DefinitionRefused) as refused:
        checked_spec(document, key="typed", known=catalog())
    assert refused.value.problems == blocking


DATASET_FAULTS = [
    (with_(ORDERS, columns=[*ORDERS["columns"], {"name": "a", "type": "string"}]),
     "columns.a", "duplicate"),
    (with_(ORDERS, dimensions=[*ORDERS["dimensions"], categorical("status")]),
     "dimensions.status", "duplicate"),
    (with_(ORDERS, entities=[entity("customer"), entity("customer")]),
     "entities.customer", "duplicate"),
    (with_(ORDERS, entities=[entity("order", "primary")]), "entities.order", "reserved_word"),
    (with_(ORDERS, entities=[entity("day", expression="a")]), "entities.day", "reserved_word"),
    (with_(ORDERS, dimensions=[*ORDERS["dimensions"], categorical("group", "status")]),
     "dimensions.group", "reserved_word"),
    (with_(ORDERS, dimensions=[*ORDERS["dimensions"], categorical("on__site", "status")]),
     "dimensions.on__site", "double_underscore"),
    (with_(ORDERS, dimensions=[*ORDERS["dimensions"], categorical("bad", "stauts")]),
     "dimensions.bad", "unknown_column"),
    (with_(ORDERS, entities=[entity("customer", expression="customer")]),
     "entities.customer", "unknown_column"),
    (with_(ORDERS, entities=[entity("one", "primary", "a"), entity("two", "primary", "b")]),
     "entities", "two_primaries"),
    (with_(ORDERS, time_dimension="status"), "time_dimension", "unknown_dimension"),
    (with_(ORDERS, time_zone="Mars/Base"), "time_zone", "unknown_zone"),
    (
        with_(ORDERS, relation={"kind": "query", "sql": "select * from secrets",
                                "tables": ["shop.orders"]}),
        "relation.sql", "unknown_table",
    ),
    (with_(ORDERS, relation={"kind": "table", "name": "pg_catalog.pg_class"}),
     "relation.name", "system_table"),
]  # fmt: skip


@pytest.mark.parametrize("document, place, code", DATASET_FAULTS)
def test_faults_of_datasets_are_found(document, place, code):
    problems = faults(document, key="orders")

    assert (place, code) in [(problem.place, problem.code) for problem in problems]


@pytest.mark.parametrize("key", ["select", "order", "user", "day", "metric_time", "current_date"])
def test_reserved_words_are_no_keys(key):
    problems = faults(simple(aggregation="count"), key=key)

    assert ("key", "reserved_word") in [(problem.place, problem.code) for problem in problems]


def test_a_loop_is_named():
    problems = faults(
        {"type": "cumulative", "metric": "two"},
        key="one",
        two={"type": "cumulative", "metric": "one"},
    )

    assert problems[0].code == "cycle"
    assert "one → two → one" in problems[0].message


def test_all_faults_are_told_at_once():
    problems = faults(
        simple(
            expression="amuont + secret",
            filters=["status = 'x'", "nothing = 1"],
            dimensions=["brand"],
            time_dimension="never",
        )
    )

    assert [problem.place for problem in problems] == [
        "dimensions.0",
        "filters.1",
        "expression",
        "expression",
        "time_dimension",
    ]


@pytest.mark.parametrize(
    "document, code",
    [
        (RATIO, "denominator_zero"),
        (with_(DERIVED, expression="revenue / before - 1"), "denominator_zero"),
        (with_(CONVERSION, base="orders_made"), "same_events"),
        (simple(aggregation="sum"), "constant"),
        (simple(aggregation="max", expression="ordered_at"), "not_a_number"),
    ],
)
def test_some_things_want_an_answer_and_block_nothing(document, code):
    problems = faults(document)

    assert [(problem.code, problem.level) for problem in problems] == [(code, Level.NEEDS_ANSWER)]
    assert checked_spec(document, key="typed", known=catalog())


def test_a_ratio_of_a_metric_to_itself_is_fine_when_one_side_is_filtered():
    document = with_(
        RATIO,
        numerator={"metric": "revenue", "filters": ["product__brand = 'Own'"]},
        denominator={"metric": "revenue"},
    )

    assert all(problem.level != Level.BLOCKS for problem in faults(document))


def test_what_is_checked_is_rendered_anew():
    document = simple(
        expression="Amount - a", filters=["STATUS='x' and not (product__brand in ('a'))"]
    )

    spec = checked_spec(document, key="typed", known=catalog())

    assert spec.expression == "amount - a"
    assert spec.filters == ["status = 'x' AND NOT (product__brand IN ('a'))"]


def test_a_query_is_rendered_anew():
    relation = {"kind": "query", "sql": "select * from PRODUCTS", "tables": ["shop.products"]}

    spec = checked_spec(with_(PRODUCTS, relation=relation), key="products", known=catalog())

    assert spec.relation.sql == "SELECT * FROM shop.products AS products"


def test_checking_twice_changes_nothing():
    for key, document in DOCUMENTS.items():
        once = checked_spec(document, key=key, known=catalog())

        assert checked_spec(once.model_dump(mode="json"), key=key, known=catalog()) == once
        assert read_spec(once.model_dump(mode="json")) == once
