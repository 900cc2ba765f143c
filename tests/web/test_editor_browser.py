"""The editor in a real browser: a formula is typed, understood, applied and submitted."""

import pytest
from playwright.sync_api import expect

from governance.models import ChangeRequest
from governance.services.requests import open_request
from tests import factories
from tests.web.conftest import violations

pytestmark = pytest.mark.browser


@pytest.fixture
def company(committed_db):
    return factories.Company()


@pytest.fixture
def draft(company) -> ChangeRequest:
    item = factories.make_item("per_customer", {"type": "simple"}, stewardship={"tier": 3})
    return open_request(content=factories.make_content(item), actor=company.ana)


def typed_into(page, text):
    expect(page.locator(".cm-content").first).to_be_visible()
    page.get_by_role("textbox", name="Type a formula").click()
    page.keyboard.type(text)


def test_a_formula_is_typed_understood_applied_and_submitted(open_page, company, draft):
    page = open_page(f"/changes/{draft.pk}/edit", user=company.ana)

    # A fault is told while one types, at its place.
    typed_into(page, "sum(amuont")
    page.keyboard.press("Escape")
    panel = page.locator("#typed")
    expect(panel).to_contain_text("No dataset has a column amuont. Did you mean amount?")
    expect(page.locator(".cm-lintRange-error")).to_have_text("amuont")
    assert violations(page) == []

    # Columns and aggregates are completed.
    page.keyboard.press("Control+a")
    page.keyboard.type("sum(amo")
    page.get_by_role("option", name="amount").click()
    page.keyboard.press("End")
    page.keyboard.type(" / count dist")
    page.get_by_role("option", name="count distinct").click()
    page.keyboard.type("customer")
    page.keyboard.press("Escape")
    assert page.locator("#formula").input_value() == "sum(amount) / count(distinct customer)"
    expect(panel).to_contain_text("The ratio of net_sales to distinct_customer.")
    expect(panel).to_contain_text("distinct_customer Distinct customer: a metric of its own")
    assert violations(page) == []

    page.get_by_role("button", name="Apply formula").click()
    expect(page.get_by_role("status").first).to_contain_text("The formula is applied.")
    expect(page.get_by_label("Numerator")).to_have_value("net_sales")
    expect(page.get_by_label("Denominator")).to_have_value("distinct_customer")
    page.get_by_role("button", name="Submit for review").click()
    page.wait_for_url(f"**/changes/{draft.pk}")

    draft.refresh_from_db()
    assert draft.status == "in_review"
    assert [change.key for change in draft.changes.order_by("key")] == [
        *("distinct_customer", "per_customer")
    ]


def test_the_dataset_decides_which_columns_are_offered(open_page, company, draft):
    page = open_page(f"/changes/{draft.pk}/edit", user=company.ana)

    typed_into(page, "count(*)")
    page.keyboard.press("Escape")
    page.get_by_label("Columns of").select_option("orders")

    expect(page.locator("#typed")).to_contain_text("One aggregation over orders: count.")
    # Enter in a field saves the draft and nothing else; the formula stays typed.
    page.get_by_label("Title").press("Enter")
    page.wait_for_url("**/edit?item=per_customer&formula=*")
    expect(page.locator("#formula")).to_have_value("count(*)")
    expect(page.get_by_label("Columns of")).to_have_value("orders")


def test_a_submit_with_faults_leads_by_keyboard_from_the_list_to_each_field(open_page, company):
    change = open_request(
        content=factories.make_content(
            factories.make_change(spec={"expression": "amuont", "dimensions": ["colour"]}),
            factories.make_item("other", {**factories.NET_SALES, "filters": ["stroe = 'x'"]}),
        ),
        actor=company.ana,
    )
    page = open_page(f"/changes/{change.pk}/edit", user=company.ana)
    expect(page.locator(".cm-content").first).to_be_visible()

    page.get_by_role("button", name="Submit for review").focus()
    page.keyboard.press("Enter")
    faults = page.get_by_role("alert").filter(has_text="amuont")
    expect(faults).to_be_focused()

    page.keyboard.press("Tab")
    expect(faults.get_by_role("link", name="It cannot be asked by colour")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#dimensions")).to_be_focused()

    faults.get_by_role("link", name="There is no column amuont.").press("Enter")
    expect(page.get_by_role("textbox", name="Of each row")).to_be_focused()
    assert violations(page) == []

    # The field of another item is on its own page.
    faults.get_by_role("link", name="There is no dimension stroe.").press("Enter")
    page.wait_for_url("**/edit?item=other#filters")
    expect(page.get_by_role("textbox", name="Filters, one a line")).to_be_focused()
    # The browser reports the refused submit by itself.
    assert all("422" in said for said in page.complaints)
    page.complaints.clear()


SPECS = {
    "simple": {"aggregation": "percentile", "percentile": 0.9},
    "ratio": {"numerator": {"metric": "net_sales"}, "denominator": {"metric": "sold"}},
    "derived": {"expression": "net_sales / sold", "inputs": [{"metric": "net_sales"}]},
    "cumulative": {"metric": "net_sales", "window": {"count": 7, "grain": "day"}},
    "conversion": {
        "base": "sold",
        "conversion": "net_sales",
        "entity": "sale",
        "window": {"count": 7, "grain": "day"},
    },
}


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_the_editor_is_accessible_for_every_type(open_page, company, theme, width):
    changes = [
        open_request(
            content=factories.make_content(
                factories.make_item(f"a_{kind}", {**factories.NET_SALES, **spec, "type": kind})
                if kind == "simple"
                else factories.make_item(f"a_{kind}", {**spec, "type": kind})
            ),
            actor=company.ana,
        )
        for kind, spec in SPECS.items()
    ]
    page = open_page("/profile", user=company.ana, theme=theme, width=width)
    for change in changes:
        page.goto(f"/changes/{change.pk}/edit")
        expect(page.locator(".cm-content").first).to_be_visible()
        assert violations(page) == [], change.title
        assert page.evaluate("document.documentElement.scrollWidth") <= width
