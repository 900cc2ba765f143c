"""The pages of the main job over HTTP: who sees them, what they refuse, and how many queries."""

import re
from html import unescape

import pytest
from django.test import Client

from catalog.models import Dataset, Follow
from governance.models import ChangeRequest
from measurement.models import Backfill, Check, Source
from measurement.services.checks import ensure_checks
from tests import factories
from tests.web.conftest import signed_in
from web.exports import cell

MOST_QUERIES = 60


PAGES = [
    "/",
    "/metrics",
    "/metrics?q=net",
    "/metrics?q=nothing+like+it",
    "/metrics?domain=sales&tier=2",
    "/metrics?kind=all&sort=changed&changed=7&tag=none",
    "/suggestions?q=net",
    "/metrics/net_sales",
    "/metrics/net_sales?grain=week&range=all&by=store&line=reported",
    "/metrics/net_sales@1",
    "/metrics/net_sales?as_of=2999-01-01",
    "/metrics/net_sales/history?as_of=2999-01-01",
    "/metrics/orders?as_of=2999-01-01",
    "/metrics/net_sales.csv",
    "/metrics/net_sales/history",
    "/metrics/net_sales/compare",
    "/metrics/net_sales/lineage",
    "/metrics/net_sales/checks",
    "/metrics/net_sales/compute",
    "/metrics/net_sales/changes",
    "/metrics/orders",
    "/tree",
    "/changes",
    "/changes?tab=review",
    "/changes?tab=mine",
    "/changes?tab=scheduled",
    "/changes?tab=done&q=change",
    "/changes/new",
    "/changes/{change}",
    "/checks/{check}",
    "/sources",
    "/sources/shop",
    "/backfills",
    "/backfills?show=open",
    "/backfills?show=stuck&purpose=manual&metric=net+sales",
    "/backfills/{run}?ask=cancel",
    "/backfills/{run}",
]


def _placed(url: str, company) -> str:
    """The address with the ids of what this test's company has."""
    ensure_checks()
    return url.format(
        change=company.start.pk,
        run=Backfill.objects.latest("pk").pk,
        check=Check.objects.latest("pk").pk,
    )


@pytest.mark.parametrize("url", PAGES)
def test_a_viewer_reads_every_page(company, url, django_assert_max_num_queries):
    client, url = signed_in(company.eve), _placed(url, company)

    with django_assert_max_num_queries(MOST_QUERIES):
        answer = client.get(url)

    assert answer.status_code == 200, answer.content[:300]


@pytest.mark.parametrize("url", PAGES)
def test_nobody_reads_without_signing_in(db, url):
    answer = Client().get(url.format(change=1, run=1, check=1))

    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in")


@pytest.mark.parametrize(
    "url",
    [
        "/metrics/unknown",
        "/metrics/net_sales@9",
        "/changes/999999",
        "/backfills/999999",
        "/checks/999999",
    ],
)
def test_what_is_not_there_is_said_so(company, url):
    assert signed_in(company.eve).get(url).status_code == 404


# Every address of these pages that writes, and whether a GET is refused there.
WRITES = [
    "/metrics/net_sales/follow",
    "/metrics/net_sales/back",
    *(
        f"/changes/1/{verb}"
        for verb in (
            *("draft", "preview", "submit", "discard", "items", "stewardship"),
            *("review", "publish", "withdraw", "reject", "comment", "rebase"),
            *("compare", "split", "undo", "comments/1/resolve", "comments/1/reopen"),
        )
    ),
    "/checks/1/run",
    *(f"/backfills/1/{verb}" for verb in ("pause", "resume", "retry", "release", "cancel")),
]


@pytest.mark.parametrize("url", WRITES)
def test_reading_never_writes(db, url):
    assert signed_in(factories.make_user("ana")).get(url).status_code == 405


def test_a_proposal_goes_from_the_page_of_a_metric_to_a_version(company):
    ana, cem = signed_in(company.ana), signed_in(company.cem)

    opened = ana.post("/changes/new", {"entry": "net_sales"})
    change = ChangeRequest.objects.latest("pk")
    assert opened["Location"] == f"/changes/{change.pk}/edit"
    form = {
        "item": "net_sales",
        "lock": change.draft.lock,
        "name": "Net sales",
        "definition": "What households paid.",
        "reason": "Clearer words.",
    }
    assert ana.post(f"/changes/{change.pk}/submit", form).status_code == 302
    change.refresh_from_db()
    verdict = {"revision": change.revision.hash, "verdict": "approve"}
    cem.post(f"/changes/{change.pk}/review", verdict)
    change.refresh_from_db()
    cem.post(f"/changes/{change.pk}/publish", {"revision": change.revision.hash})

    change.refresh_from_db()
    assert change.status == "published"
    page = cem.get("/metrics/net_sales").content.decode()
    assert "What households paid." in page


def test_a_verdict_on_another_revision_is_refused_and_the_text_is_kept(company):
    request = company.restating()

    answer = signed_in(company.cem).post(
        f"/changes/{request.pk}/review",
        {"revision": "0" * 64, "verdict": "request_changes", "comment": "Keep this sentence."},
    )

    assert answer.status_code == 409
    assert "Keep this sentence." in answer.content.decode()
    assert not request.reviews.exists()


def test_the_author_is_told_why_there_is_no_verdict_to_give(company):
    request = company.restating()

    page = signed_in(company.ana).get(f"/changes/{request.pk}").content.decode()

    assert "Authors cannot review their own change." in page


def test_faults_of_a_draft_are_listed_with_their_places(company):
    ana = signed_in(company.ana)
    ana.post("/changes/new", {"entry": "net_sales"})
    change = ChangeRequest.objects.latest("pk")

    answer = ana.post(
        f"/changes/{change.pk}/submit",
        {
            "item": "net_sales",
            "lock": change.draft.lock,
            "name": "Net sales",
            "type": "simple",
            "dataset": "orders",
            "aggregation": "sum",
            "expression": "amuont",
            "grains": ["day"],
        },
    )

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "amuont" in page
    assert "amount" in page
    change.refresh_from_db()
    assert change.status == "draft"


def test_two_people_in_one_draft_overwrite_nothing(company):
    ana = signed_in(company.ana)
    ana.post("/changes/new", {"entry": "net_sales"})
    change = ChangeRequest.objects.latest("pk")
    form = {"item": "net_sales", "lock": change.draft.lock, "name": "Net sales"}
    json_please = {"headers": {"accept": "application/json"}}

    first = ana.post(f"/changes/{change.pk}/draft", {**form, "notes": "Mine."}, **json_please)
    second = signed_in(company.cem).post(
        f"/changes/{change.pk}/draft", {**form, "notes": "Theirs."}, **json_please
    )

    assert (first.status_code, second.status_code) == (200, 409)
    assert "Ana" in second.json()["message"]
    change.draft.refresh_from_db()
    assert change.draft.content["items"][0]["words"]["notes"] == "Mine."


def test_following_is_pressed_once_and_taken_back(company):
    eve = signed_in(company.eve)

    eve.post("/metrics/net_sales/follow", {"follow": "1"})
    eve.post("/metrics/net_sales/follow", {"follow": "1"})
    assert Follow.objects.count() == 1
    eve.post("/metrics/net_sales/follow", {"follow": "0"})

    assert Follow.objects.count() == 0


def _links(page: str, rel: str) -> list[str]:
    return [unescape(url) for url in re.findall(rf'rel="{rel}"[^>]*?href="([^"]+)"', page)]


def test_before_its_first_version_it_was_not_there(company):
    eve = signed_in(company.eve)
    page = eve.get("/metrics/net_sales?as_of=2020-01-01")

    assert page.status_code == 404
    assert "was not in the catalog on 1 Jan 2020. Its first version is of" in page.content.decode()
    assert eve.get("/api/v1/metrics/net_sales?as_of=2020-01-01").status_code == 404


@pytest.mark.parametrize("day", ["yesterday", "2026-02-31", "9" * 400])
def test_what_is_no_day_is_said_so(company, day):
    page = signed_in(company.eve).get("/metrics/net_sales", {"as_of": day})

    assert page.status_code == 422
    assert "Write it like 2026-03-31." in page.content.decode()


def test_facets_and_words_survive_paging(company, monkeypatch):
    items = [
        factories.make_item(f"sales_{n}", {**factories.NET_SALES, "expression": f"amount + {n}"})
        for n in range(4)
    ]
    factories.published(*items, author=company.ana, by=[company.cem])
    monkeypatch.setattr("web.views.catalog.PAGE", 2)
    eve, address, seen = signed_in(company.eve), "/metrics?q=sales&tier=2&kind=metric", []

    while address:
        page = eve.get(address).content.decode()
        assert "5 metrics" in page
        assert re.search(r'name="tier"\s+value="2"\s+checked', page)
        seen += re.findall(r'<th scope="row">\s*<a href="/metrics/(\w+)"', page)
        address = next((f"/metrics{url}" for url in _links(page, "next")), None)

    assert sorted(seen) == ["net_sales", "sales_0", "sales_1", "sales_2", "sales_3"]
    assert _links(page, "first") == ["?q=sales&tier=2&kind=metric"]


def test_a_cursor_of_another_list_begins_the_list_anew(company):
    answer = signed_in(company.eve).get("/metrics?tier=2&cursor=made-up")

    assert (answer.status_code, answer["Location"]) == (302, "/metrics?tier=2")


def test_what_is_misspelt_finds_what_was_meant(company):
    eve = signed_in(company.eve)

    page = eve.get("/metrics?q=nett+salse").content.decode()
    assert "Did you mean" in page
    assert 'href="/metrics/net_sales"' in page
    few = eve.get("/suggestions?q=nett+salse").content.decode()
    assert "Did you mean" in few
    assert 'href="/metrics/net_sales"' in few


def test_open_requests_are_suggested_and_shown_in_the_list(company):
    request = company.restating()
    eve = signed_in(company.eve)

    assert f'href="/changes/{request.pk}"' in eve.get("/suggestions?q=net+sales").content.decode()
    assert f"In review: CR-{request.pk}" in eve.get("/metrics").content.decode()


def test_the_same_filters_find_the_same_on_page_and_api(company):
    eve = signed_in(company.eve)
    for query in ("q=sales", "owner=ana", "owner=ben", "tier=1", "kpi=no", "mine=followed"):
        page = eve.get(f"/metrics?kind=metric&{query}").content.decode()
        shown = set(re.findall(r'<th scope="row">\s*<a href="/metrics/(\w+)"', page))
        found = {row["key"] for row in eve.get(f"/api/v1/metrics?{query}").json()["results"]}
        assert shown == found, query


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_of_an_export_is_a_formula(text):
    assert cell(text) == f"'{text}"


def test_a_source_says_whose_its_rows_are_and_what_reads_it(company):
    Source.objects.update(
        description="Replayed.\nUntil May.", attribution="The shop (CC0)", time_limit_seconds=90
    )
    check = Check.objects.create(dataset=Dataset.objects.get(), kind="freshness")
    eve = signed_in(company.eve)

    page = re.sub(r"\s+", " ", eve.get("/sources/shop").content.decode())

    assert "Replayed.<br>Until May." in page
    assert "The shop (CC0)" in page
    assert "1 min 30 s, then it is stopped there" in page.replace("\u00a0", " ")
    assert '<a href="/metrics/orders">Orders</a>' in page
    assert "<code>shop.orders</code>" in page
    assert f'<a href="/checks/{check.pk}">' in page
    assert "It has not run yet." in page
    assert '<a href="/sources/shop">' in eve.get("/sources").content.decode()
    assert '<a href="/sources/shop">shop</a>' in eve.get("/metrics/orders").content.decode()
