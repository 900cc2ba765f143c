"""What is wrong is refused with what, where and what next, in the editor and over REST alike, and
nothing half-written stays. Whatever else is sent is never a failure of ours."""

import re
from urllib.parse import quote

import pytest
from django.template.response import TemplateResponse

from core.models import AuditEvent
from governance.models import Change, ChangeRequest, Draft, Review, Revision
from governance.services.requests import open_request
from measurement.models import Backfill
from tests.api.caller import Caller
from tests.factories import NET_SALES, make_change, make_content, make_item
from tests.web.conftest import signed_in, text_of

KEPT = (Revision, Review, AuditEvent, Backfill, Change)
COUNT = {**NET_SALES, "aggregation": "count", "expression": "1"}


def _ratio(above: str, below: str) -> dict:
    return {"type": "ratio", "numerator": {"metric": above}, "denominator": {"metric": below}}


def _sum(key: str, other: str) -> dict:
    return make_item(
        key, {"type": "derived", "expression": f"{other} + 1", "inputs": [{"metric": other}]}
    )


def _without(name: str) -> dict:
    return {field: value for field, value in NET_SALES.items() if field != name}


# What is proposed, the place of the fault, what is wrong, and what to do.
BLOCKED = {
    "unknown column": (
        lambda: [make_change(spec={"expression": "amuont"})],
        "items.net_sales.spec.expression",
        "There is no column `amuont`.",
        "Did you mean `amount`?",
    ),
    "unknown metric": (
        lambda: [make_item("share", _ratio("net_sale", "net_sales"))],
        "items.share.spec.numerator",
        "There is no metric `net_sale`.",
        "Did you mean `net_sales`?",
    ),
    "cycle": (
        lambda: [_sum("one", "two"), _sum("two", "one")],
        "items.one.spec",
        "It stands on itself: one → two → one.",
        "Take `one` out of the formula of `two`.",
    ),
    "duplicate key": (
        lambda: [make_item("net_sales", COUNT)],
        "items.net_sales.key",
        "“net_sales” exists already: Net sales.",
        "Choose another key, or propose a change of the one that exists.",
    ),
    "reserved word": (
        lambda: [make_item("select", COUNT)],
        "items.select.spec.key",
        "`select` is a word of SQL, so that it cannot be a name.",
        "Call it `select_count`, or what it counts.",
    ),
    "aggregate missing": (
        lambda: [make_item("sales", _without("aggregation"))],
        "items.sales.spec.aggregation",
        "The aggregation is missing.",
        "Give the aggregation.",
    ),
    "aggregate nested": (
        lambda: [make_change(spec={"expression": "sum(amount)"})],
        "items.net_sales.spec.expression",
        "`SUM(amount)` adds rows up, and this is an expression of one row.",
        "Choose the aggregation beside the expression, and write only what is aggregated.",
    ),
    "a second statement": (
        lambda: [make_change(spec={"expression": "amount; DROP TABLE accounts_user"})],
        "items.net_sales.spec.expression",
        "A semicolon is not allowed.",
        "Write one expression only.",
    ),
    "a file of the server": (
        lambda: [make_change(spec={"expression": "read_csv('/etc/passwd')"})],
        "items.net_sales.spec.expression",
        "The function `read_csv` is not in the list of allowed functions.",
        "Allowed are abs,",
    ),
    "another query": (
        lambda: [make_change(spec={"filters": ["store = 'a' UNION SELECT 1"]})],
        "items.net_sales.spec.filters.0",
        "The text cannot be read near `UNION` (line 1, column 17).",
        "Write one SQL expression; check commas, operators and parentheses there.",
    ),
    "ratio of a metric to itself": (
        lambda: [make_item("share", _ratio("net_sales", "net_sales"))],
        "items.share.spec.numerator",
        "Numerator and denominator are the same, so that the ratio is always 1.",
        "Filter the numerator, or choose another metric.",
    ),
    "unknown grain": (
        lambda: [make_change(spec={"grains": ["fortnight"]})],
        "items.net_sales.spec.grains.0",
        "`fortnight` is no grain.",
        "Use 'day', 'week', 'month', 'quarter' or 'year'.",
    ),
    "dimension without a join path": (
        lambda: [make_change(spec={"dimensions": ["product__brand"]})],
        "items.net_sales.spec.dimensions.0",
        "It cannot be asked by `product__brand`: no join leads there from its rows.",
        "It can be asked by `store`.",
    ),
}


def _rows() -> list[int]:
    return [model.objects.count() for model in KEPT]


def _text(answer) -> str:
    """What a page says; what it shows as code stands between backticks, as it was said."""
    return re.sub("</?code>", "`", text_of(answer))


@pytest.mark.parametrize("name", BLOCKED)
def test_a_fault_is_told_while_typing_and_refused_when_submitted(company, name):
    items, place, what, fix = BLOCKED[name]
    change = open_request(content=make_content(*items()), actor=company.ana)
    pk, before = change.pk, _rows()

    web = signed_in(company.ana)
    live = web.get(f"/changes/{pk}/live")
    page = web.post(f"/changes/{pk}/submit", {})
    rest = Caller(company.ana).post(f"change-requests/{pk}/submit", {"lock": change.draft.lock})

    assert (live.status_code, page.status_code, rest.status_code) == (200, 422, 422)
    for answer in (live, page):
        assert all(said in _text(answer) for said in (place, what, fix)), (place, what, fix)
    problems = rest.json()["details"]["problems"]
    assert [row for row in problems if (row["place"], row["message"]) == (place, what)]
    assert any(row["fix"].startswith(fix) for row in problems if row["place"] == place)
    assert rest.json()["code"] == "invalid"
    assert "no_difference" not in [row["code"] for row in problems]
    change.refresh_from_db()
    # The token of the caller is the one thing that came since.
    assert (change.status, change.revision) == ("draft", None)
    assert [now - then for now, then in zip(_rows(), before, strict=True)] == [0, 0, 1, 0, 0]


def test_a_denominator_that_can_be_zero_is_warned_of_and_does_not_block(company):
    items = [make_item("orders_of", COUNT), make_item("share", _ratio("net_sales", "orders_of"))]
    change = open_request(content=make_content(*items), actor=company.ana)
    web = signed_in(company.ana)

    live = _text(web.get(f"/changes/{change.pk}/live"))
    sent = web.post(f"/changes/{change.pk}/submit", {})

    assert "`orders_of` can be 0; such periods have no value." in live
    assert sent.status_code == 302


# What a request may not be at all, on which nothing is opened.
SHAPES = {
    "one key twice": (
        lambda: {"items": [make_change(), make_change()]},
        "items.net_sales",
        "“net_sales” is in this request twice. Keep one of the two items.",
    ),
    "a key that is none": (
        lambda: {"items": [{**make_item(), "key": "Net Sales"}]},
        "items.Net Sales.key",
        "Key: “Net Sales” is no key. Write small letters, digits and _, beginning with a letter, "
        "e.g. net_sales.",
    ),
    "a day that is none": (
        lambda: {"effective_from": "2026-13-45"},
        "effective_from",
        "Effective from: “2026-13-45” is no day. Write it like 2026-03-31.",
    ),
    "a number without end": (
        lambda: {"items": [make_change(spec={"type": [1.8446744073709552e19]})]},
        "items.net_sales.spec.type",
        "Type: a number here is too large. Write one below 10^18.",
    ),
    "a field that is none": (
        lambda: {"titel": "x"},
        "titel",
        "Titel: There is no such field. Take it out, or look at its spelling.",
    ),
    "a request without a title": (
        lambda: {"title": None},
        "title",
        "Title: Input should be a valid string.",
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_that_is_wrong_opens_nothing(company, name):
    more, place, message = SHAPES[name]
    body = {**make_content(make_change(words={"notes": "x"})), **more()}

    answer = Caller(company.ana).post("change-requests", body)

    problems = {row["place"]: row["message"] for row in answer.json()["details"]["problems"]}
    assert (answer.status_code, problems.get(place)) == (422, message)
    assert ChangeRequest.objects.count() == Draft.objects.count() == 1  # the company's own


# A form of the editor that cannot be taken: what it says.
TYPED = {
    "unparsable YAML": (
        {"item": "orders", "yaml": "type: dataset\ncolumns: [a"},
        "The YAML cannot be read in line 2, column 12",
    ),
    "YAML with a number without end": (
        {"item": "orders", "yaml": f"type: dataset\nsource: {10**30}"},
        "Source: a number here is too large. Write one below 10^18.",
    ),
    "YAML that is a list": ({"item": "orders", "yaml": "- 1"}, "The YAML is no mapping of fields"),
    "a day that is none": (
        {"item": "orders", "effective_from": "2026-13-45"},
        "“2026-13-45” is no day. Write it like 2026-03-31.",
    ),
    "a tier that is none": (
        {"item": "orders", "owners": "ana", "tier": "²"},
        "“²” is no whole number (tier).",
    ),
    "a title without end": (
        {"item": "orders", "title": "x" * 200},
        "Title: String should have at most 160 characters.",
    ),
    "a draft that somebody saved meanwhile": (
        {"item": "orders", "lock": "99", "notes": "Mine."},
        "saved this draft while you were editing",
    ),
    "a lock that is none": (
        {"item": "orders", "lock": "9" * 5000, "notes": "Mine."},
        "saved this draft while you were editing",
    ),
}


@pytest.mark.parametrize("name", TYPED)
@pytest.mark.parametrize("wants", ["application/json", "text/html"])
def test_a_form_that_cannot_be_taken_says_why_and_changes_nothing(company, name, wants):
    typed, message = TYPED[name]
    item = make_change("orders", words={"notes": "A."}, stewardship=make_item()["stewardship"])
    change = open_request(content=make_content(item), actor=company.ana)
    draft, before = change.draft.content, _rows()

    answer = signed_in(company.ana).post(
        f"/changes/{change.pk}/draft",
        {"lock": change.draft.lock, **typed},
        headers={"accept": wants},
    )

    assert answer.status_code == (409 if "lock" in typed else 422)
    said = answer.json()["message"] if wants == "application/json" else _text(answer)
    assert message in said
    change.draft.refresh_from_db()
    assert (change.draft.content, _rows()) == (draft, before)


def test_a_form_of_five_megabytes(company):
    change = open_request(content=make_content(make_change()), actor=company.ana)
    before = _rows()

    answer = signed_in(company.ana).post(f"/changes/{change.pk}/draft", {"notes": "x" * 5_000_000})

    assert answer.status_code == 413
    assert "What was sent is larger than 2.5 MB." in answer.content.decode()
    assert _rows() == before


def test_the_character_that_no_database_keeps(company):
    web = signed_in(company.ana)
    sent = [
        web.get("/metrics?q=a%00b"),
        web.get("/metrics/a%00b"),
        web.post("/changes/new", {"name": "a\0b"}),
    ]

    assert {answer.status_code for answer in sent} == {400}
    assert all("the character NUL" in answer.content.decode() for answer in sent)


# What nobody would type, by parameters and as a part of addresses.
RUBBISH = (
    *("", "²", "9" * 5000, "-1", str(2**63), "%", "\ud800", "9999-12-31", "<script>"),
    *("' <-> (:*", "../../etc/passwd"),
)
ASKED = {
    "/metrics": ("q", "domain", "tier", "kind", "owner", "sort", "from", "cursor"),
    "/metrics/net_sales": ("grain", "range", "by", "line"),
    "/metrics/net_sales.csv": ("grain", "by"),
    "/metrics/net_sales/compare": ("a", "b"),
    "/changes": ("tab", "q"),
    "/changes/new": ("entry", "q"),
    "/backfills": ("show",),
    "/notices": ("page", "show"),
    "/sign-in": ("next",),
    "/admin/search/": ("s",),
    "/admin/core/auditevent/": ("q", "p", "via", "happened_at__year", "happened_at__gte"),
    "/admin/governance/changerequest/": ("q", "o", "show", "submitted_at__year"),
}
ADDRESSES = (
    *("/{}", "/metrics/{}", "/metrics/net_sales@{}", "/metrics/{}/history", "/metrics/{}/follow"),
    *("/changes/{}", "/changes/{}/edit", "/changes/{}/review", "/backfills/{}"),
    *("/backfills/{}/pause", "/notices/{}/open", "/profile/tokens/{}/revoke", "/admin/{}/"),
    *("/admin/governance/changerequest/{}/change/", "/admin/catalog/metric/{}/history/"),
    *("/admin/catalog/metric/1/history/{}/", "/admin/accounts/user/{}/password/"),
    "/admin/r/{}/1/",
)


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"))


def test_rubbish_in_addresses_is_never_a_failure_of_ours(company, monkeypatch):
    """The client raises what a page does not catch."""
    monkeypatch.setattr(TemplateResponse, "rendered_content", "")
    company.cem.is_staff = company.cem.is_superuser = True
    company.cem.save()
    web = signed_in(company.cem)
    asked = [
        f"{page}?{name}={_quoted(text)}&{name}={_quoted(text)}"
        for page, names in ASKED.items()
        for name in names
        for text in RUBBISH
    ]
    placed = [address.format(_quoted(text)) for address in ADDRESSES for text in RUBBISH]

    for address in [*asked, *placed, "/metrics?%ff=%ff", "/metrics?q=%ED%A0%80"]:
        assert web.get(address).status_code < 500, address[:200]
    for address in placed:
        assert web.post(address).status_code < 500, address[:200]
