"""Who stands on whom, exactly."""

import pytest

from semantics.definition import DatasetSpec, read_spec
from semantics.lineage import Upstream, closure, references, resolution_hash, upstreams
from semantics.problems import DefinitionRefused
from tests.semantics.small_catalog import DOCUMENTS, PRODUCTS, catalog, simple


def test_references_are_what_a_spec_names():
    specs = catalog(gifts=simple(aggregation="count", segments=["own_brand"]))

    assert references(specs["growth"]) == {"revenue"}
    assert references(specs["conversion"]) == {"visits_made", "orders_made"}
    assert references(specs["gifts"]) == {"orders", "own_brand"}
    assert references(specs["orders"]) == set()


@pytest.mark.parametrize(
    "key, holds",
    [
        ("orders_made", {"orders", "orders_made"}),
        ("revenue", {"orders", "products", "revenue"}),
        ("average_order", {"orders", "products", "revenue", "orders_made", "average_order"}),
        ("own_brand", {"orders", "products", "own_brand"}),
        ("conversion", {"orders", "visits", "orders_made", "visits_made", "conversion"}),
    ],
)
def test_a_closure_holds_what_is_needed_and_no_more(key, holds):
    found = closure(key, catalog())

    assert set(found) == holds
    assert list(found)[-1] == key


def test_dependencies_come_first():
    found = list(closure("average_order", catalog()))

    assert found.index("orders") < found.index("revenue") < found.index("average_order")


def test_datasets_on_the_way_of_a_path_belong_to_it():
    specs = catalog(abroad=simple(filters=["product__maker__country <> 'IT'"], expression="amount"))

    assert set(closure("abroad", specs)) == {"orders", "products", "makers", "abroad"}


def test_paths_of_segments_and_inputs_belong_to_it():
    specs = catalog(
        own=simple(aggregation="count", segments=["own_brand"]),
        share={
            "type": "ratio",
            "numerator": {"metric": "orders_made", "filters": ["customer__age = '65+'"]},
            "denominator": {"metric": "orders_made"},
        },
    )

    assert set(closure("own", specs)) == {"orders", "products", "own_brand", "own"}
    assert "customers" in closure("share", specs)


def test_a_new_dataset_elsewhere_changes_no_closure():
    more = {
        "stores": {
            **PRODUCTS,
            "entities": [{"name": "customer", "type": "primary", "expression": "product_id"}],
        }
    }

    for key in DOCUMENTS:
        assert list(closure(key, catalog(**more))) == list(closure(key, catalog()))


def test_cycles_are_named():
    loop = {"type": "cumulative", "metric": "one"}
    specs = catalog(one={"type": "cumulative", "metric": "two"}, two=loop)

    with pytest.raises(DefinitionRefused) as refused:
        closure("one", specs)

    (problem,) = refused.value.problems
    assert problem.code == "cycle"
    assert "one → two → one" in problem.message


def test_what_is_unknown_is_named_with_what_was_meant():
    specs = catalog(one={"type": "cumulative", "metric": "revenu"})

    with pytest.raises(DefinitionRefused) as refused:
        closure("one", specs)

    assert "Did you mean `revenue`?" in refused.value.problems[0].fix


def test_resolutions_are_told_apart_by_their_definitions_alone():
    one = resolution_hash("revenue", {"orders": "a", "revenue": "b"})

    assert one == resolution_hash("revenue", {"revenue": "b", "orders": "a"})
    assert one != resolution_hash("revenue", {"orders": "c", "revenue": "b"})
    assert one != resolution_hash("sales", {"orders": "a", "revenue": "b"})


@pytest.mark.parametrize(
    "key, found",
    [
        (
            "revenue",
            [
                Upstream("orders", "aggregates", ("amount", "ordered_at", "status")),
                Upstream("products", "joins", ("brand",)),
            ],
        ),
        (
            "average_order",
            [Upstream("revenue", "numerator"), Upstream("orders_made", "denominator")],
        ),
        ("growth", [Upstream("revenue", "formula")]),
        ("revenue_28d", [Upstream("revenue", "accumulates")]),
        ("conversion", [Upstream("visits_made", "base"), Upstream("orders_made", "conversion")]),
        (
            "own_brand",
            [Upstream("orders", "aggregates"), Upstream("products", "joins", ("brand",))],
        ),
        ("makers", [Upstream("shop.makers", "reads", ("country", "maker_id"))]),
    ],
)
def test_upstreams_are_what_a_spec_says(key, found):
    specs = catalog()

    assert upstreams(specs[key], specs) == found


@pytest.mark.parametrize(
    "sql, reads",
    [
        ("SELECT a FROM shop.f AS f", {"shop.f": ("a",), "shop.g": ("*",)}),
        ("SELECT COUNT(*) AS n FROM shop.f AS f", {"shop.f": ("*",), "shop.g": ("*",)}),
        (
            "SELECT f.a FROM shop.f AS f JOIN shop.g AS g ON g.k = f.k WHERE g.c > 1",
            {"shop.f": ("a", "k"), "shop.g": ("c", "k")},
        ),
        (
            "SELECT f.a FROM shop.f AS f JOIN shop.g AS g USING (k)",
            {"shop.f": ("a", "k"), "shop.g": ("k",)},
        ),
        (
            "WITH q AS (SELECT a, b FROM shop.f AS f WHERE z = 1) "
            "SELECT q.a FROM q JOIN shop.g AS g ON g.b = q.b",
            {"shop.f": ("a", "b", "z"), "shop.g": ("b",)},
        ),
        (
            "SELECT a FROM shop.f AS f WHERE EXISTS(SELECT 1 FROM shop.g AS g WHERE g.k = f.k)",
            {"shop.f": ("a", "k"), "shop.g": ("k",)},
        ),
        ("SELECT g.*, f.a FROM shop.f AS f, shop.g AS g", {"shop.f": ("a",), "shop.g": ("*",)}),
        ("SELECT x FROM shop.f AS f, shop.g AS g", {"shop.f": ("x",), "shop.g": ("x",)}),
    ],
)
def test_columns_of_a_query_are_found_in_conditions_too(sql, reads):
    relation = {"kind": "query", "sql": sql, "tables": ["shop.f", "shop.g"]}
    spec = read_spec({**PRODUCTS, "relation": relation})
    assert isinstance(spec, DatasetSpec)

    assert {each.key: each.columns for each in upstreams(spec, {})} == reads
