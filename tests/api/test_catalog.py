"""Reading the catalog: what is found, page by page, as it is and as it was."""

import pytest

from tests import factories

NAMES = ("gross_sales", "gross_margin", "customers", "visits")


@pytest.fixture
def catalog(company):
    """Net sales, and four more of which two are gross."""
    items = [
        factories.make_item(key, {**factories.NET_SALES, "expression": f"amount + {number}"})
        for number, key in enumerate(NAMES)
    ]
    items[2]["words"]["role"] = "input"
    items[3]["words"]["tags"] = ["web"]
    factories.published(*items, author=company.ana, by=[company.cem])
    return company


def _keys(caller, query: str = "") -> list[str]:
    return [row["key"] for row in caller.get(f"metrics?{query}").json()["results"]]


def test_search_finds_words_and_beginnings_of_words(catalog, ana):
    assert _keys(ana, "q=gross margin") == ["gross_margin"]
    assert set(_keys(ana, "q=gros")) == {"gross_margin", "gross_sales"}
    assert _keys(ana, "q=gross -margin") == ["gross_sales"]
    assert _keys(ana, "q=net_sales") == ["net_sales"]
    assert _keys(ana, "q='; DROP TABLE") == []
    assert _keys(ana, "q=%3A%2A%26") == []


def test_facets_narrow_and_are_counted(catalog, ana):
    assert _keys(ana, "role=input") == ["customers"]
    assert _keys(ana, "tag=web&domain=sales&tier=2,3&owner=ana&lifecycle=active") == ["visits"]
    assert _keys(ana, "owner=ben") == []

    body = ana.get("metrics?q=gross&facets=true").json()

    assert body["total"] == 2
    assert body["facets"] == {
        "domain": {"sales": 2},
        "tier": {"2": 2},
        "role": {},
        "kpi": {"no": 2},
        "timing": {},
        "category": {},
        "stage": {},
        "lifecycle": {"active": 2},
        "owner": {"ana": 2},
        "tag": {},
        "changed": {"7": 2, "30": 2, "90": 2},
        "mine": {"owned": 2},
    }
    assert "role" not in ana.get("datasets?facets=true").json()["facets"]


def test_a_misspelt_word_says_what_was_meant(catalog, ana):
    body = ana.get("metrics?q=visitts").json()

    assert (body["meant"], body["results"][0]["key"]) == ("Visits", "visits")
    assert ana.get("metrics?q=visits").json()["meant"] is None


@pytest.mark.parametrize("query", ["", "q=sales gross&", "q=gros&", "sort=changed&"])
def test_pages_hold_everything_once(catalog, ana, query):
    whole = _keys(ana, query)
    paged, cursor = [], ""
    while cursor is not None:
        more = f"&cursor={cursor}" if cursor else ""
        page = ana.get(f"metrics?{query}limit=1{more}").json()
        paged += [row["key"] for row in page["results"]]
        cursor = page["next_cursor"]

    assert paged == whole
    assert len(whole) == len(set(whole))


def test_a_cursor_of_another_query_is_refused(catalog, ana):
    cursor = ana.get("metrics?limit=1").json()["next_cursor"]

    for query in ("metrics?tier=2&", "datasets?"):
        response = ana.get(f"{query}cursor={cursor}")
        assert response.status_code == 400
        assert response.json()["details"]["problems"][0]["place"] == "cursor"


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("metrics?tier=7", "tier"),
        ("metrics?role=king", "role"),
        ("metrics?sort=luck", "sort"),
        ("metrics?kind=dataset", "kind"),
        ("metrics?changed=8", "changed"),
        ("metrics?domain=nowhere", "domain"),
        ("metrics?limit=0", "limit"),
        ("metrics?limit=many", "limit"),
        ("metrics?facets=yes", "facets"),
        ("metrics?ter=2", "ter"),
        ("metrics?tier=1&tier=2", "tier"),
        ("metrics?q=%00", "q"),
        (f"metrics?q={'x' * 201}", "q"),
        ("datasets?role=input", "role"),
        ("metrics/net_sales?as_of=yesterday", "as_of"),
        ("change-requests?status=done", "status"),
        ("change-requests?waiting=all", "waiting"),
        ("backfills?status=lost", "status"),
        ("audit-events?actor_id=ana", "actor_id"),
        ("sources?q=x", "q"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(ana, query, place):
    response = ana.get(query)

    assert response.status_code == 400
    assert response.json()["code"] == "invalid"
    assert response.json()["details"]["problems"][0]["place"] == place


def test_a_metric_with_its_card_version_and_standing(ana):
    metric = ana.get("metrics/net_sales").json()

    assert metric["in_force"]["id"] == "net_sales@1"
    assert metric["in_force"]["spec"]["expression"] == "amount"
    assert [pin["key"] for pin in metric["resolution"]["pins"]] == ["orders", "net_sales"]
    assert metric["stewardship"]["owners"] == ["ana"]
    assert metric["served"] is None
    assert metric["health"]["freshness"].startswith("No values yet")


def test_a_misspelt_key_finds_the_one_that_was_meant(ana):
    response = ana.get("metrics/net_sale")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert "`net_sales`" in response.json()["message"]
    assert ana.get("metrics/orders").status_code == 404
    assert ana.get("metrics/net_sales@7").json()["details"] == {"version": 7}


def test_as_of_gives_what_was_in_force_and_known(company, ana):
    before = ana.get("metrics/net_sales").json()["in_force"]["published_at"]
    change = factories.make_change("net_sales", words={"caveats": "Beware."})
    factories.published(change, author=company.ana, by=[company.ben])
    now = ana.get("metrics/net_sales").json()

    assert now["in_force"]["id"] == "net_sales@2"
    assert now["version"] == 2
    early = ana.get("metrics/net_sales?as_of=2020-01-01")
    assert (early.status_code, early.json()["code"]) == (404, "not_found")
    late = ana.get("metrics/net_sales?as_of=2999-01-01").json()
    assert late["in_force"]["id"] == "net_sales@2"
    assert before <= now["in_force"]["published_at"]
    versions = ana.get("metrics/net_sales/versions").json()["results"]
    assert [(row["id"], row["is_current"]) for row in versions] == [
        ("net_sales@2", True),
        ("net_sales@1", False),
    ]


def test_datasets_and_segments_are_read_the_same_way(company, ana):
    spec = {"type": "segment", "dataset": "orders", "filter": "store = 'North'"}
    factories.published(factories.make_item("north", spec), author=company.ana, by=[company.cem])

    assert [row["key"] for row in ana.get("datasets").json()["results"]] == ["orders"]
    assert ana.get("datasets/orders").json()["source"] == "shop"
    assert [row["key"] for row in ana.get("segments?q=north").json()["results"]] == ["north"]
    assert ana.get("segments/north").json()["in_force"]["spec"]["filter"] == "store = 'North'"
    for path in ("datasets/orders", "segments/north"):
        assert len(ana.get(f"{path}/versions").json()["results"]) == 1
        assert ana.get(f"{path}@1").json()["number"] == 1


def test_sources_are_listed_without_their_configuration(ana):
    listed = ana.get("sources").json()["results"]

    assert [row["key"] for row in listed] == ["shop"]
    assert "config" not in listed[0]


def test_lineage_reaches_down_to_tables(ana):
    lineage = ana.get("metrics/net_sales/lineage").json()

    assert [node["key"] for node in lineage["upstream"]] == ["orders"]
    assert lineage["edges"][0]["columns"] == ["amount", "sold_on"]
    assert lineage["tables"][0]["tables"] == ["shop.orders"]
    assert lineage["downstream"] == []


def test_an_answer_that_did_not_change_is_not_sent_again(company, ana):
    for path in ("metrics", "metrics/net_sales", "metrics/net_sales/lineage", "change-requests"):
        first = ana.get(path)
        again = ana.get(path, **{"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b""), path

    tag = ana.get("metrics/net_sales")["ETag"]
    change = factories.make_change("net_sales", words={"notes": "New."})
    factories.published(change, author=company.ana, by=[company.ben])
    assert ana.get("metrics/net_sales", **{"if-none-match": tag}).status_code == 200
