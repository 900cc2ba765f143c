"""What differs is said in words, and its weight is computed."""

import pytest

from semantics.card import Words
from semantics.definition import read_spec
from semantics.diff import (
    ChangeClass,
    class_of,
    class_of_words,
    differences,
    strictest,
    word_differences,
)
from semantics.phrases import in_words
from tests.semantics.small_catalog import DOCUMENTS, ORDERS, categorical, entity, simple

OLD = simple(expression="amount", filters=["status = 'x'"], dimensions=["status"])
RATIO = DOCUMENTS["average_order"]


def change(old, new):
    one, other = read_spec(old), read_spec(new)
    judgement = class_of(one, other)
    return judgement.change_class, judgement.reason, differences(one, other)


def without(document, name):
    return {key: value for key, value in document.items() if key != name}


@pytest.mark.parametrize(
    "new, weight, reason, sentences",
    [
        (
            {**OLD, "filters": [*OLD["filters"], "product__product_type <> 'GASOLINE'"]},
            "restating",
            "Restating, because a filter was added",
            ["Filter added: product type is not GASOLINE"],
        ),
        (
            {**OLD, "filters": []},
            "restating",
            "Restating, because a filter was removed",
            ["Filter removed: status is x"],
        ),
        (
            {**OLD, "filters": ["status = 'y'"]},
            "restating",
            "Restating, because a filter changed",
            ["Filter added: status is y", "Filter removed: status is x"],
        ),
        (
            {**OLD, "expression": "amount - a"},
            "restating",
            "Restating, because the expression changed",
            ["Expression: amount → amount - a"],
        ),
        (
            {**OLD, "aggregation": "median"},
            "restating",
            "Restating, because the aggregation changed",
            ["Aggregation: sum → median"],
        ),
        (
            {**OLD, "dimensions": ["status", "product__brand"]},
            "additive",
            "Additive, because a dimension is added",
            ["Dimension added: product__brand"],
        ),
        (
            {**OLD, "dimensions": []},
            "restating",
            "Restating, because a dimension was removed",
            ["Dimension removed: status"],
        ),
        (
            {**OLD, "grains": ["year", "day", "week", "month"]},
            "additive",
            "Additive, because a grain is added",
            ["Grain added: year"],
        ),
        (
            {**OLD, "grains": ["day"]},
            "restating",
            "Restating, because a grain was removed",
            ["Grain removed: month", "Grain removed: week"],
        ),
        (
            {**OLD, "grains": ["day", "week", "month", "year"], "dimensions": ["status", "gift"]},
            "additive",
            "Additive, because a grain and a dimension are added",
            ["Grain added: year", "Dimension added: gift"],
        ),
        (
            {**OLD, "dimensions": ["status", "gift"], "expression": "a"},
            "restating",
            "Restating, because the expression changed",
            ["Dimension added: gift", "Expression: amount → a"],
        ),
        (
            {**OLD, "late_data": {"recompute_days": 7}},
            "restating",
            "Restating, because the late data changed",
            [
                "Late data: the last 3 closed days are computed again → "
                "the last 7 closed days are computed again"
            ],
        ),
        (
            {**OLD, "fill_nulls_with": 0},
            "restating",
            "Restating, because the empty periods changed",
            ["Empty periods: without a value → 0"],
        ),
        (
            {**OLD, "segments": ["own_brand"]},
            "restating",
            "Restating, because a segment was added",
            ["Segment added: own_brand"],
        ),
        ({**OLD, "filters": ["'x' = status", "status = 'x'"]}, None, "", []),
        ({**OLD, "expression": " (AMOUNT) ", "grains": ["month", "week", "day"]}, None, "", []),
    ],
)
def test_a_changed_metric(new, weight, reason, sentences):
    found, why, differing = change(OLD, new)

    assert found == weight
    assert why == (reason or "Nothing that moves a value differs")
    assert [each.sentence for each in differing] == sentences


@pytest.mark.parametrize(
    "new, weight, sentence",
    [
        ({**ORDERS, "time_zone": "Europe/Rome"}, "restating", "Time zone: UTC → Europe/Rome"),
        ({**ORDERS, "week_start": "sunday"}, "restating", "Week start: monday → sunday"),
        (
            {**ORDERS, "relation": {"kind": "table", "name": "shop.all_orders"}},
            "restating",
            "Relation: name: shop.orders → shop.all_orders",
        ),
        (
            {**ORDERS, "columns": [*ORDERS["columns"], {"name": "tax", "type": "decimal"}]},
            "additive",
            "Column added: tax (decimal)",
        ),
        (
            {**ORDERS, "dimensions": [*ORDERS["dimensions"], categorical("cheap", "amount < 5")]},
            "additive",
            "Dimension added: cheap (categorical, amount < 5)",
        ),
        (
            {**ORDERS, "entities": [*ORDERS["entities"], entity("store", expression="x")]},
            "additive",
            "Entity added: store (foreign, x)",
        ),
        (
            {**ORDERS, "entities": ORDERS["entities"][:2]},
            "restating",
            "Entity removed: product (foreign, product_id)",
        ),
        (
            {**ORDERS, "dimensions": [{**ORDERS["dimensions"][0], "null_label": "None"},
                                      *ORDERS["dimensions"][1:]]},
            "restating",
            "Dimension status: status (categorical, status) → "
            "status (categorical, status, null label None)",
        ),
    ],
)  # fmt: skip
def test_a_changed_dataset(new, weight, sentence):
    found, why, differing = change(ORDERS, new)

    assert found == weight
    assert [each.sentence for each in differing] == [sentence]
    assert weight.capitalize() in why


@pytest.mark.parametrize(
    "new, sentence",
    [
        (
            {**RATIO, "numerator": {"metric": "revenue", "filters": ["product__brand = 'Own'"]}},
            "Numerator: filter added: brand is Own",
        ),
        (
            {**RATIO, "denominator": {"metric": "visits_made"}},
            "Denominator: metric: orders_made → visits_made",
        ),
        (
            {
                **RATIO,
                "denominator": {"metric": "orders_made", "offset": {"count": 1, "grain": "week"}},
            },
            "Denominator: offset: none → 1 week",
        ),
    ],
)
def test_a_changed_ratio(new, sentence):
    weight, _, differing = change(RATIO, new)

    assert weight == ChangeClass.RESTATING
    assert [each.sentence for each in differing] == [sentence]


def test_the_name_of_a_side_of_a_ratio_is_no_difference():
    new = {**RATIO, "numerator": {"metric": "revenue", "alias": "top"}}

    assert change(RATIO, new) == (None, "Nothing that moves a value differs", [])


def test_a_changed_window_and_a_changed_input():
    _, _, window = change(
        DOCUMENTS["revenue_28d"],
        {**DOCUMENTS["revenue_28d"], "window": {"count": 7, "grain": "day"}},
    )
    growth = DOCUMENTS["growth"]
    later = {**growth["inputs"][1], "offset": {"count": 2, "grain": "week"}}
    _, _, given = change(growth, {**growth, "inputs": [growth["inputs"][0], later]})

    assert [each.sentence for each in window] == ["Window: 28 days → 7 days"]
    assert [(each.place, each.sentence) for each in given] == [
        (
            "inputs.before",
            "Input before: revenue, as before, 1 week before → revenue, as before, 2 weeks before",
        )
    ]


def test_another_type_is_restating():
    weight, reason, differing = change(DOCUMENTS["revenue"], RATIO)

    assert weight == ChangeClass.RESTATING
    assert reason == "Restating, because it was a simple metric and is a ratio one"
    assert "Type: simple → ratio" in [each.sentence for each in differing]


@pytest.mark.parametrize("key", DOCUMENTS)
def test_what_is_new_is_additive_and_says_all(key):
    spec = read_spec(DOCUMENTS[key])

    judgement = class_of(None, spec)

    assert judgement.change_class == ChangeClass.ADDITIVE
    assert judgement.reason.endswith("is new")
    assert all(each.change == "added" and not each.old for each in differences(None, spec))


def test_a_field_that_nobody_has_weighed_is_restating():
    # Any field of a spec that is not known to be harmless, one by one.
    harmless = {"dimensions", "grains", "columns", "entities"}
    for document in DOCUMENTS.values():
        spec = read_spec(document)
        for name in type(spec).model_fields:
            if name in harmless or name in ("type",):
                continue
            other = spec.model_copy(update={name: _another(getattr(spec, name))})
            if differences(spec, other):
                assert class_of(spec, other).change_class == ChangeClass.RESTATING, name


def _another(value):
    if isinstance(value, str):
        return f"{value}_2"
    return [*value, "true"] if isinstance(value, list) else value


def test_the_strictest_class_decides():
    assert strictest([ChangeClass.EDITORIAL, ChangeClass.RESTATING, ChangeClass.ADDITIVE]) == (
        ChangeClass.RESTATING
    )
    assert strictest([]) is None


@pytest.mark.parametrize(
    "text, words",
    [
        ("product__product_type <> 'FUEL'", "product type is not FUEL"),
        ("coalesce(product__brand, '') = 'Own'", "brand is Own"),
        ("quantity > 5", "quantity is above 5"),
        ("quantity >= -5", "quantity is at least -5"),
        ("status in ('a', 'b')", "status is one of a, b"),
        ("status not in ('a', 'b')", "status is none of a, b"),
        ("a between 1 and 5", "a is between 1 and 5"),
        ("a not between 1 and 5", "a is not between 1 and 5"),
        ("age is null", "age is missing"),
        ("age is not null", "age is there"),
        ("gift is true", "gift is true"),
        ("name like 'A%'", "name looks like A%"),
        ("name ilike 'a%'", "name looks like a%"),
        ("name not like 'A%'", "name does not look like A%"),
        ("a = 1 and b = 2", "a is 1 and b is 2"),
        ("a = 1 and (b = 2 or c = 3)", "a is 1 and (b is 2 or c is 3)"),
        ("not (a = 1 or b = 2)", "not (a is 1 or b is 2)"),
        ("status = ''", "status is “”"),
        ("sold_on >= date '2024-01-01'", "sold on is at least 2024-01-01"),
        ("status is distinct from 'x'", "status is not x"),
        ("lower(status) = 'x'", "lower(status) = 'x'"),
    ],
)
def test_filters_in_words(text, words):
    assert in_words(text) == words


def words(**said):
    return Words(**{"name": "Net sales", "definition": "What comes in.", **said})


@pytest.mark.parametrize(
    "said, weight, sentence",
    [
        ({"tags": ["tills"]}, "editorial", "Tags: tills"),
        ({"notes": "See the till."}, "editorial", "Notes: See the till."),
        ({"direction": "up"}, "meaning", "Direction: neutral → up"),
        ({"name": "Sales"}, "meaning", "Name: Net sales → Sales"),
        ({"definition": ""}, "meaning", "Definition removed: What comes in."),
        ({"valid_range": (0, None)}, "meaning", "Valid range: any, any → 0.0, any"),
        ({}, None, ""),
    ],
)
def test_words_weigh_by_who_acts_on_them(said, weight, sentence):
    found = word_differences(words(), words(**said))

    assert class_of_words(words(), words(**said)).change_class == weight
    assert [each.sentence for each in found] == ([sentence] if sentence else [])
