"""Finding something in the catalog."""

from dataclasses import replace

import pytest

from catalog.selectors.search import CatalogQuery, catalog_page, suggestions
from catalog.services.cards import follow
from core.errors import Invalid
from tests.factories import NET_SALES, make_item, published


@pytest.fixture
def catalog(company):
    metrics = {
        "baskets": {"name": "Baskets", "definition": "The number of receipts."},
        "active_users": {"name": "Active users", "synonyms": ["DAU"], "role": "north_star"},
        "gross_sales": {"name": "Gross sales", "tags": ["tills"], "is_kpi": True},
    }
    published(
        *(
            make_item(key, {**NET_SALES, "expression": f"amount + {n}"}, words=words)
            for n, (key, words) in enumerate(metrics.items())
        ),
        author=company.ana,
        by=[company.cem],
    )
    return company


def keys(page):
    return [row.key for row in page.rows]


def counts(page, name):
    facet = next(facet for facet in page.facets if facet.name == name)
    return {option.value: option.count for option in facet.options}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sales", {"net_sales", "gross_sales"}),
        ("sale", {"net_sales", "gross_sales"}),
        ("gro", {"gross_sales"}),
        ("DAU", {"active_users"}),
        ("receipts", {"baskets"}),
        ("tills", {"gross_sales"}),
        ("gross_sales", {"gross_sales"}),
        ("sales gross", {"gross_sales"}),
    ],
)
def test_it_is_found_by_name_key_synonym_tag_and_sentence(catalog, text, expected):
    assert set(keys(catalog_page(CatalogQuery(text)))) == expected


def test_a_name_comes_before_a_sentence(catalog):
    page = catalog_page(CatalogQuery("baskets"))

    assert keys(page)[0] == "baskets"


@pytest.mark.parametrize("text", ["Sales", "sales"])
def test_what_is_called_so_comes_before_what_contains_it(catalog, text):
    """Also where a longer name stands in a stricter tier, or says the word more often."""
    words = {
        "sales_of_sales": {"name": "Sales of sales", "definition": "Sales, sales and sales."},
        "sales": {"name": "Sales", "definition": "All that was sold."},
    }
    published(
        *(
            make_item(key, {**NET_SALES, "expression": f"amount * {n}"}, words=words[key])
            for n, key in enumerate(words, 2)
        ),
        author=catalog.ana,
        by=[catalog.cem],
    )

    found = [entry.key for entry in suggestions(text)[0]]

    assert found[0] == "sales"
    assert set(found) >= {"sales", "sales_of_sales", "net_sales"}


def test_a_misspelt_name_finds_what_was_meant(catalog):
    page = catalog_page(CatalogQuery("actve usres"))

    assert page.is_fuzzy
    assert page.meant == "Active users"
    assert keys(page)[0] == "active_users"


@pytest.mark.parametrize("text", ["'; --", "a & | !", ":*", "((", "x" * 5000, "net sales'); drop"])
def test_no_text_breaks_it(catalog, text):
    assert catalog_page(CatalogQuery(text)).total >= 0


def test_facets_count_what_the_others_leave_over(catalog):
    everything = catalog_page(CatalogQuery())
    metrics = catalog_page(CatalogQuery(facets={"kind": ["metric"], "kpi": ["yes"]}))

    assert counts(everything, "kind") == {"metric": 4, "dataset": 1}
    assert counts(metrics, "kind") == {"metric": 1}
    assert counts(metrics, "kpi") == {"no": 3, "yes": 1}
    assert keys(metrics) == ["gross_sales"]


def test_values_of_one_facet_are_alternatives(catalog):
    page = catalog_page(CatalogQuery(facets={"kind": ["metric", "dataset"]}))

    assert page.total == 5


def test_what_is_mine_is_what_i_own_or_follow(catalog):
    follow(catalog.start.changes.get(key="orders").entry, actor=catalog.eve)

    page = catalog_page(CatalogQuery(facets={"mine": ["followed"]}), user=catalog.eve)
    assert keys(page) == ["orders"]
    assert counts(catalog_page(CatalogQuery(), user=catalog.ana), "mine") == {"owned": 5}


@pytest.mark.parametrize("sort", ["name", "changed", "relevance"])
@pytest.mark.parametrize("text", ["", "sales"])
def test_pages_show_everything_once(catalog, sort, text):
    seen, position = [], None
    while True:
        page = catalog_page(CatalogQuery(text, sort=sort, limit=1, position=position))
        seen += keys(page)
        position = page.next_position
        if position is None:
            break

    assert len(seen) == len(set(seen)) == page.total
    if sort == "name" and not text:
        assert seen == ["active_users", "baskets", "gross_sales", "net_sales", "orders"]


def test_an_unknown_facet_order_or_foreign_cursor_is_refused(catalog):
    for query in (
        CatalogQuery(facets={"colour": ["red"]}),
        CatalogQuery(sort="luck"),
        CatalogQuery(sort="name", position=[3.5, "x"]),
    ):
        with pytest.raises(Invalid):
            catalog_page(query)


def test_a_word_behind_a_minus_must_not_be_there(catalog):
    assert keys(catalog_page(CatalogQuery("sales -gross"))) == ["net_sales"]
    assert keys(catalog_page(CatalogQuery("net-sales"))) == ["net_sales"]


def test_each_facet_narrows_to_what_it_counted(catalog):
    follow(catalog.start.changes.get(key="net_sales").entry, actor=catalog.ana)
    whole = catalog_page(CatalogQuery(), user=catalog.ana)
    asked = [(facet.name, option) for facet in whole.facets for option in facet.options]
    assert {name for name, _ in asked} >= {"domain", "owner", "tag", "kpi", "changed", "mine"}

    for name, option in asked:
        page = catalog_page(CatalogQuery(facets={name: [option.value]}), user=catalog.ana)
        assert page.total == len(page.rows) == option.count > 0, (name, option)
        assert counts(page, name)[option.value] == option.count


def test_a_page_is_a_few_queries_whatever_its_length(catalog, django_assert_num_queries):
    everything = CatalogQuery("sales", facets={"kind": ["metric"], "owner": ["ana"]})
    for limit in (1, 50):
        with django_assert_num_queries(12):
            catalog_page(replace(everything, limit=limit), user=catalog.ana)


def test_what_is_suggested_is_the_best_of_what_is_found(catalog):
    found, meant = suggestions("gro")
    assert ([entry.key for entry in found], meant) == (["gross_sales"], "")

    found, meant = suggestions("actve usres")
    assert (found[0].key, meant) == ("active_users", "Active users")
    assert suggestions("") == ([], "")
