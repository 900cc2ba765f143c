"""The editor's form: faults lead to their fields, what is refused stays typed, times are the
reader's."""

import html
import re
from datetime import UTC, datetime

import pytest
from django.test import Client

from governance.services.requests import open_request
from tests import factories
from tests.web.conftest import signed_in, text_of
from web.faults import with_fields

RATIO = {
    "type": "ratio",
    "numerator": {"metric": "net_sales", "filters": ["stroe = 'x'"]},
    "denominator": {"metric": "net_sales", "filters": ["amount > 1"]},
    "filters": ["sum(store)"],
    "dimensions": ["product__brand"],
    "segments": ["walk_ins"],
}


@pytest.fixture
def ana(company):
    return signed_in(company.ana)


def opened(company, *items, **more):
    return open_request(content=factories.make_content(*items, **more), actor=company.ana)


def links_of(page: str) -> list[str]:
    listed = page.split('role="alert" data-focus')[1].split("</ul>")[0]
    return re.findall(r'<a href="([^"]+)"', listed)


def test_each_fault_leads_to_a_field_that_is_there(company, ana):
    share = factories.make_item(
        "share", RATIO, stewardship={"owners": ["nobody"], "tier": 3}, words={"name": ""}
    )
    change = opened(
        company,
        factories.make_change(
            spec={"expression": "amuont", "aggregation": "percentile", "dimensions": ["colour"]}
        ),
        share,
        factories.make_change("orders", spec={"time_zone": "Mars"}),
        publish_when="date",
    )

    page = text_of(ana.post(f"/changes/{change.pk}/submit", {}))

    hrefs = [html.unescape(href) for href in links_of(page)]
    assert {"#expression", "#percentile", "#dimensions", "#publish_on"} <= set(hrefs)
    at = f"/changes/{change.pk}/edit?item"
    assert {f"{at}=share#owners", f"{at}=share#name", f"{at}=orders#yaml"} <= set(hrefs)
    for href in hrefs:
        address, _, field = href.partition("#")
        target = text_of(ana.get(address)) if address else page
        assert f'id="{field}"' in target, href


@pytest.mark.parametrize(
    ("place", "href"),
    [
        ("items.a.spec.numerator.filters.0", "#numerator_filters"),
        ("items.a.spec.numerator.metric", "#numerator"),
        ("items.a.spec.inputs.1.metric", "#inputs"),
        ("items.a.spec.window.count", "#window_count"),
        ("items.a.spec.filters.0", "#filters"),
        ("items.a.words.direction", "#c-direction"),
        ("items.a.words.caveats", "#w-caveats"),
        ("items.a.treatment", "#treatment"),
        ("items.a.key", ""),
        ("items.s.spec.filter", "/e?item=s#filter"),
        ("items.d.spec.columns.0.type", "/e?item=d#yaml"),
        ("items.gone.spec.filter", ""),
        ("items", ""),
        ("downstream.net_sales.expression", ""),
        ("formula", "#formula"),
        ("dataset", "#formula_dataset"),
        ("reason", "#reason"),
        ("", ""),
    ],
)
def test_places_are_fields(place, href):
    items = [{"key": key, "kind": k} for key, k in (("a", "metric"), ("s", "segment"))]
    items.append({"key": "d", "kind": "dataset"})

    (found,) = with_fields([{"place": place}], page="/e", key="a", items=items)

    assert found["href"] == href


def test_what_is_refused_stays_typed(company, ana):
    change = opened(company, factories.make_change("orders"))
    broken = {"item": "orders", "lock": 1, "yaml": "type: dataset\ncolumns: [a", "reason": "Mine."}

    refused = ana.post(f"/changes/{change.pk}/submit", broken)

    assert refused.status_code == 422
    assert "columns: [a</textarea>" in text_of(refused)


def test_the_second_of_two_savers_still_sees_their_own_text(company, ana):
    change = opened(company, factories.make_change())
    form = {"item": "net_sales", "name": "Net sales", "reason": "So."}
    steward = Client()
    steward.force_login(company.cem)
    steward.post(f"/changes/{change.pk}/draft", {**form, "lock": 1, "notes": "Theirs."})

    refused = ana.post(f"/changes/{change.pk}/draft", {**form, "lock": 1, "notes": "Mine."})

    assert refused.status_code == 409
    assert "Mine.</textarea>" in text_of(refused)
    change.draft.refresh_from_db()
    assert change.draft.content["items"][0]["words"]["notes"] == "Theirs."


def test_the_time_of_the_draft_is_the_reader_s_wherever_it_is_said(company, ana, settings):
    settings.ETALON_NOW = datetime(2026, 3, 12, 20, 5, tzinfo=UTC)
    company.ana.time_zone = "Asia/Tokyo"
    company.ana.save()
    change = opened(company, factories.make_change())
    form = {"item": "net_sales", "lock": 1, "name": "Net sales", "notes": "x"}

    saved = ana.post(
        f"/changes/{change.pk}/draft", form, headers={"accept": "application/json"}
    ).json()

    assert saved["saved"] == "05:05 JST"
    assert f", {saved['saved']}</time>" in text_of(ana.get(f"/changes/{change.pk}/edit"))


def test_a_percentile_is_kept_with_its_aggregation_alone(company, ana):
    change = opened(company, factories.make_change())
    form = {
        "item": "net_sales",
        "lock": 1,
        "name": "Net sales",
        "type": "simple",
        "dataset": "orders",
        "expression": "amount",
        "percentile": "0.95",
        "grains": "day",
    }

    for aggregation, kept in (("percentile", 0.95), ("sum", None)):
        ana.post(f"/changes/{change.pk}/draft", {**form, "aggregation": aggregation})
        change.draft.refresh_from_db()
        form["lock"] = change.draft.lock
        assert change.draft.content["items"][0]["spec"]["percentile"] == kept


def test_an_item_is_taken_out_but_never_the_last(company, ana):
    change = opened(company, factories.make_change(), factories.make_change("orders"))
    at = f"/changes/{change.pk}/items"

    assert "Take net_sales out of this request" in text_of(ana.get(f"/changes/{change.pk}/edit"))
    for key in ("net_sales", "unknown", "orders"):
        assert ana.post(at, {"without": key}).status_code == 302

    change.draft.refresh_from_db()
    assert [item["key"] for item in change.draft.content["items"]] == ["orders"]
    assert "out of this request" not in text_of(ana.get(f"/changes/{change.pk}/edit"))


def test_only_what_applies_is_asked(company, ana):
    existing = opened(company, factories.make_change())
    fresh = opened(company, factories.make_item("other", factories.NET_SALES))
    dataset = opened(company, factories.make_change("orders"))

    pages = [text_of(ana.get(f"/changes/{one.pk}/edit")) for one in (existing, fresh, dataset)]

    # New ones have no past, and a dataset no line of its own, nor a unit.
    assert ["How past numbers are treated" in page for page in pages] == [True, False, False]
    assert ['name="unit_kind"' in page for page in pages] == [True, True, False]


def test_a_dataset_is_shown_in_the_order_that_people_write(company, ana):
    change = opened(company, factories.make_change("orders"))

    page = text_of(ana.get(f"/changes/{change.pk}/edit"))

    shown = page.split('spellcheck="false">')[1].split("</textarea>")[0]
    assert shown.startswith(
        "type: dataset\nsource: shop\nrelation: {kind: table, name: shop.orders}\ncolumns:\n"
        "- {name: id, type: integer}\n"
    )
    form = {"item": "orders", "lock": 1, "name": "Orders", "yaml": shown}
    assert ana.post(f"/changes/{change.pk}/draft", form).status_code == 302
    live = text_of(ana.get(f"/changes/{change.pk}/live"))
    assert "Nothing differs from what is in force." in live


def test_what_a_draft_still_needs_leads_to_its_field_before_it_is_submitted(company, ana):
    change = factories.make_change("net_sales", spec={"expression": "amount - refund"})
    alone = opened(company, change, reason="")
    live = text_of(ana.get(f"/changes/{alone.pk}/live"))
    page = text_of(ana.get(f"/changes/{alone.pk}/edit"))

    for field in ("treatment", "reason"):
        assert f'href="#{field}"' in live
        assert f'id="{field}"' in page

    both = opened(company, change, factories.make_change("orders", spec={"time_zone": "Mars"}))
    live = text_of(ana.get(f"/changes/{both.pk}/live"))
    assert f'href="/changes/{both.pk}/edit?item=net_sales#treatment"' in live
    assert f'href="/changes/{both.pk}/edit?item=orders#yaml"' in live
