"""Several measures in one SELECT: old and new of one key, and what cannot be asked together."""

from datetime import date

import pytest

from semantics.definition import Grain, read_spec
from semantics.metricflow import compile_question
from semantics.problems import DefinitionRefused
from semantics.question import Measure
from tests.semantics.compiler.small_shop import (
    conversion,
    cumulative,
    dataset,
    derived,
    entity,
    length,
    lines,
    member,
    ratio,
    shop,
    simple,
)

START, UNTIL = date(2026, 1, 1), date(2026, 5, 1)
NEW_PRODUCTS = dataset(
    "products",
    "id:integer brand:string",
    entities=[entity("product", "primary", "id")],
    dimensions=[member("brand", "COALESCE(brand, 'Acme')", null_label="Nobody")],
)
NEW_LINES = lines(
    relation={
        "kind": "query",
        "tables": ["lines"],
        "sql": "SELECT id, basket, customer, product, 'X' AS store, day + 1 AS day, amount,"
        " quantity, gift FROM lines WHERE quantity > 0",
    }
)
# The definitions that change, and what they become.
CHANGES = {
    "nothing": {},
    "filter": {"sales": simple("lines", "sum", "amount", filters=["store = 'N'"])},
    "aggregation": {"sales": simple("lines", "max", "amount")},
    "filled gaps": {"sales": simple("lines", "sum", "amount", fill_nulls_with=0)},
    "dataset": {"lines": NEW_LINES},
    "joined dataset": {"products": NEW_PRODUCTS},
    "segment": {
        "acme": read_spec(
            {"type": "segment", "dataset": "lines", "filter": "product__brand <> 'Acme'"}
        )
    },
}
MORE = {
    "share": ratio({"metric": "sales", "filters": ["product__brand = 'Acme'"]}, "sales"),
    "growth": derived(
        "sales - prior",
        "sales",
        {"metric": "sales", "alias": "prior", "offset": length(1, "month")},
    ),
    "sales_30d": cumulative("sales", window=length(30)),
    "repeat": conversion("line_count", "line_count", "customer", 30),
}
KEYS = ["acme_sales", *MORE]


def asked(engine, measures, group_by=(), grain=Grain.MONTH):
    compiled = compile_question(measures, grain=grain, group_by=group_by, dialect=engine.dialect)
    width = 1 + len(group_by)
    found = {}
    for row in engine.rows(compiled.sql(START, UNTIL)):
        for position, measure in enumerate(measures):
            cells = row[width + 3 * position : width + 3 * position + 3]
            if cells != (None, None, None):
                place = (measure.label, *row[:width])
                assert place not in found
                found[place] = cells
    return found


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    ("engine", "group_by"),
    [
        ("in_duckdb", ()),
        ("in_duckdb", ("product__brand",)),
        ("in_duckdb", ("store", "customer__city")),
        ("in_postgresql", ("product__brand",)),
    ],
    indirect=["engine"],
)
def test_old_and_new_together_are_the_same_as_apart(engine, change, group_by):
    old, new = shop(**MORE), shop(**{**MORE, **CHANGES[change]})
    measures = [
        Measure(f"{key}_{label}", key, specs)
        for key in KEYS
        for label, specs in (("old", old), ("new", new))
    ]

    together = asked(engine, measures, group_by)

    apart = {}
    for measure in measures:
        apart |= asked(engine, [measure], group_by)
    assert together == apart


def test_a_change_of_any_definition_below_is_seen(in_duckdb):
    for change, definitions in CHANGES.items():
        measures = [
            Measure("old", "acme_sales", shop()),
            Measure("new", "acme_sales", shop(**definitions)),
        ]

        found = asked(in_duckdb, measures)

        old, new = (
            {place[1:]: cells for place, cells in found.items() if place[0] == label}
            for label in ("old", "new")
        )
        assert (old != new) == (change in ("dataset", "joined dataset", "segment")), change


def test_equal_figures_are_computed_once():
    specs = shop(**MORE)
    measures = [Measure("a", "sales", specs), Measure("b", "share", specs)]

    text = compile_question(measures, grain=Grain.DAY, dialect="duckdb").text

    assert text.count("FROM lines\n") == 1
    assert text.count(" SUM(") == 2


# --- what cannot be asked ------------------------------------------------------------------


def refused(specs, key="asked", group_by=(), grain=Grain.WEEK, measures=None):
    measures = measures or [Measure("value", key, specs)]
    with pytest.raises(DefinitionRefused) as caught:
        compile_question(measures, grain=grain, group_by=group_by, dialect="duckdb")
    (problem,) = caught.value.problems
    assert problem.message and problem.fix
    return problem


def test_an_unknown_dimension_is_refused_with_those_that_there_are():
    problem = refused(shop(), "visit_count", group_by=("product__brand",))

    assert problem.message == "`visit_count` cannot be asked by `product__brand`."
    assert "`customer__city`" in problem.fix and "`store`" in problem.fix


def test_two_datasets_share_no_bare_names():
    specs = shop(asked=ratio("visit_count", "baskets"))

    problem = refused(specs, group_by=("store",))

    assert problem.fix == "It can be asked by `customer__city`."


def test_a_bare_filter_over_two_datasets_is_refused():
    specs = shop(asked=ratio("visit_count", "baskets", filters=["store = 'N'"]))

    assert refused(specs).code == "ambiguous_dimension"


def test_days_are_no_members():
    assert refused(shop(), "sales", group_by=("sold_on",)).code == "unknown_dimension"


def test_a_filter_over_a_missing_join_is_refused():
    specs = shop(asked=simple("visits", "count", filters=["product__brand = 'Acme'"]))

    assert refused(specs).code == "unknown_dimension"


def test_only_simple_metrics_are_accumulated():
    assert (
        refused(shop(abv=ratio("sales", "baskets"), asked=cumulative("abv"))).code == "not_simple"
    )


def test_only_simple_metrics_have_events():
    specs = shop(asked=conversion("sales_3d", "redeemed", "customer", 7))

    assert refused(specs).place == "base"


def test_an_average_cannot_convert():
    specs = shop(
        minutes=simple("visits", "average", "minutes"),
        asked=conversion("minutes", "redeemed", "customer", 7),
    )

    assert refused(specs).code == "not_a_count"


def test_base_and_conversion_need_the_entity():
    specs = shop(asked=conversion("mailed", "event_visits", "customer", 7))

    assert refused(specs).message == "`events` has no entity `customer`."


def test_weeks_that_begin_on_different_days_are_not_divided():
    visits = shop()["visits"].model_copy(update={"week_start": "sunday"})
    specs = shop(visits=visits, asked=ratio("visit_count", "baskets"))

    assert "`visits` on sunday" in refused(specs).message
    compile_question([Measure("v", "asked", specs)], grain=Grain.MONTH, dialect="duckdb")


def test_two_sources_are_not_asked_together():
    visits = shop()["visits"].model_copy(update={"source": "elsewhere"})
    specs = shop(visits=visits, asked=ratio("visit_count", "baskets"))

    assert refused(specs).code == "several_sources"


def test_rows_without_a_day_are_not_counted():
    assert refused(shop(asked=simple("products", "count"))).code == "no_time"


def test_a_number_is_not_labelled_with_a_number():
    products = shop()["products"].model_copy(
        update={"dimensions": [read_member("price", null_label="0")]}
    )

    problem = refused(shop(products=products), "sales", group_by=("product__price",))

    assert problem.code == "ambiguous_label"


def read_member(name, **more):
    (found,) = lines(dimensions=[member(name, **more)], time_dimension=None).dimensions
    return found


def test_two_inputs_of_one_name_are_refused():
    specs = shop(
        asked=derived("sales * 2", "sales", {"metric": "sales", "filters": ["store = 'N'"]})
    )

    assert refused(specs).code == "repeated_input"


def test_a_cycle_is_refused():
    specs = shop(one=derived("two", "two"), two=derived("one", "one"), asked=derived("one", "one"))

    assert refused(specs).code == "cycle"


def test_a_dimension_is_asked_for_once():
    assert refused(shop(), "sales", group_by=("store", "store")).code == "repeated"


@pytest.mark.parametrize(
    ("grain", "start"), [("week", "2026-03-03"), ("month", "2026-03-02"), ("year", "2026-02-01")]
)
def test_a_range_begins_with_a_period(grain, start):
    compiled = compile_question(
        [Measure("v", "sales", shop())], grain=Grain(grain), dialect="duckdb"
    )

    with pytest.raises(ValueError, match="ranges begin with a period"):
        compiled.sql(date.fromisoformat(start), date(2027, 1, 1))


def test_a_range_has_days():
    compiled = compile_question([Measure("v", "sales", shop())], grain=Grain.DAY, dialect="duckdb")

    with pytest.raises(ValueError, match="no days"):
        compiled.sql(START, START)
