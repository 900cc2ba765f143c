"""What the catalog said before, and the tree."""

from datetime import timedelta

import pytest
from django.db import connection

from catalog.models import Entry
from catalog.selectors.entries import dependants_of, in_force, upstreams_of
from catalog.selectors.history import catalog_as_of, entry_as_of, version_of, versions_of
from catalog.selectors.tree import tree
from core.errors import NotFound
from tests.factories import NET_SALES, make_change, make_item, published


def database_now():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def test_the_catalog_as_of_an_instant_is_what_stood_then(company):
    before = database_now()
    published(
        make_change(
            words={"definition": "Other words."},
            stewardship={"domain": "sales", "tier": 1, "owners": ["ben"]},
        ),
        author=company.ana,
        by=[company.cem],
    )

    then, now = entry_as_of("net_sales", before), entry_as_of("net_sales", database_now())

    assert (then.version.number, then.tier, then.owners) == (1, 2, ["Ana"])
    assert then.words.definition == "What net_sales is."
    assert (now.version.number, now.tier, now.owners) == (2, 1, ["Ben"])
    assert [one.key for one in catalog_as_of(before)] == ["net_sales", "orders"]


def test_before_anything_was_said_nothing_stood(company):
    early = database_now() - timedelta(days=1)

    assert catalog_as_of(early) == []
    with pytest.raises(NotFound):
        entry_as_of("net_sales", early)


def test_versions_are_found_by_number(company):
    entry = Entry.objects.get(key="net_sales")

    assert [version.number for version in versions_of(entry)] == [1]
    assert str(version_of(entry, 1)) == "net_sales@1"
    with pytest.raises(NotFound, match="The last one is net_sales@1"):
        version_of(entry, 7)


def test_who_stands_on_whom_is_known_at_any_distance(company):
    ratio = {
        "type": "ratio",
        "numerator": {"metric": "net_sales"},
        "denominator": {"metric": "baskets"},
    }
    published(
        make_item("baskets", {**NET_SALES, "aggregation": "count", "expression": "id"}),
        make_item("basket_value", ratio),
        author=company.ana,
        by=[company.cem],
    )
    orders = Entry.objects.get(key="orders")
    value = Entry.objects.get(key="basket_value")

    found = {one.key: one.distance for one in dependants_of([orders.pk])}
    assert found == {"net_sales": 1, "baskets": 1, "basket_value": 2}
    assert {one.key for one in upstreams_of([value.pk])} == {"net_sales", "baskets", "orders"}
    assert set(in_force(["basket_value"]).specs) == {
        "basket_value", "net_sales", "baskets", "orders",
    }  # fmt: skip


def test_the_tree_hangs_where_requests_said(company):
    published(
        make_item(
            "revenue",
            {**NET_SALES, "expression": "amount + 1"},
            words={"name": "Revenue", "role": "north_star"},
        ),
        make_item(
            "refunds",
            {**NET_SALES, "expression": "refund"},
            stewardship={"tree": [{"parent": "revenue", "kind": "guardrail"}]},
        ),
        make_change(
            stewardship={
                "domain": "sales",
                "tier": 2,
                "owners": ["ana"],
                "tree": [{"parent": "revenue", "kind": "driver", "evidence": "Believed."}],
            }
        ),
        author=company.ana,
        by=[company.cem],
    )

    found = tree()

    (root,) = found.roots
    assert root.metric.key == "revenue"
    assert [(link.kind, link.node.metric.key) for link in root.links] == [("driver", "net_sales")]
    assert [node.metric.key for node in root.guardrails] == ["refunds"]
    assert found.warnings == []
    assert found.loose == []
