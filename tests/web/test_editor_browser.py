"""The editor in a real browser: a formula is typed, understood, applied and submitted."""

import pytest
from playwright.sync_api import expect

from governance.models import ChangeRequest
from governance.services.requests import open_request, save_draft
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


PANES = ["Write", "What changes", "The past"]
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
        # Beside the form the panes are alike for every type.
        for pane in PANES if width < 1280 and change == changes[0] else PANES[:1]:
            if width < 1280:
                page.get_by_role("radio", name=pane).check(force=True)
            assert violations(page) == [], (change.title, pane)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_three_panes_stand_beside_each_other_where_there_is_room(open_page, company, draft):
    page = open_page(f"/changes/{draft.pk}/edit", user=company.ana, width=1280)

    panes = [page.locator(f"[data-pane={name}]") for name in ("write", "changes", "past")]
    lefts = [pane.bounding_box()["x"] for pane in panes]
    assert lefts == sorted(set(lefts))
    assert len({pane.bounding_box()["y"] for pane in panes}) == 1
    expect(page.get_by_role("radio")).to_have_count(0)
    # What it changes stays in sight while the form is scrolled.
    page.get_by_label("Reason").scroll_into_view_if_needed()
    page.mouse.wheel(0, 4000)
    expect(page.get_by_role("heading", name="What changes")).to_be_in_viewport()


def test_on_a_phone_panes_are_chosen_by_keyboard_and_a_fault_leads_back_to_its_field(
    open_page, company
):
    change = open_request(
        content=factories.make_content(
            factories.make_change(spec={"expression": "amuont", "dimensions": ["colour"]})
        ),
        actor=company.ana,
    )
    page = open_page(f"/changes/{change.pk}/edit", user=company.ana, width=390, height=844)
    expect(page.locator(".cm-content").first).to_be_visible()
    expect(page.get_by_role("heading", name="To look at")).to_be_hidden()

    page.get_by_role("radio", name="Write").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="What changes 2 to look at")).to_be_checked()
    expect(page.get_by_label("Title")).to_be_hidden()
    page.get_by_role("link", name="It cannot be asked by colour").press("Enter")
    expect(page.locator("#dimensions")).to_be_focused()
    expect(page.get_by_role("radio", name="Write")).to_be_checked()


def test_what_a_draft_amounts_to_stands_below_it_and_moves_with_what_is_typed(open_page, company):
    change = open_request(
        content=factories.make_content(factories.make_change(words={"definition": "Read."})),
        actor=company.ana,
    )
    page = open_page(f"/changes/{change.pk}/edit", user=company.ana, width=390, height=844)
    foot = page.get_by_role("region", name="Draft", exact=True)
    expect(foot).to_contain_text("Meaning")
    expect(foot).to_contain_text("Needs: 1 approval")
    expect(page.locator(".cm-content").first).to_be_visible()
    page.clock.install()

    # What is needed is said, and counted, without a look at the other panes.
    editor = page.get_by_role("textbox", name="Of each row")
    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("amuont")
    page.clock.run_for(3100)
    expect(foot).to_contain_text("Who must agree is known once the definition can be computed.")
    expect(page.get_by_role("radio", name="What changes 1 to look at")).to_be_visible()


def test_a_fault_stands_at_the_field_that_has_it_until_it_is_mended(open_page, company):
    change = open_request(
        content=factories.make_content(factories.make_change()), actor=company.ana
    )
    page = open_page(f"/changes/{change.pk}/edit", user=company.ana, width=390, height=844)
    expect(page.locator(".cm-content").first).to_be_visible()
    field = page.locator(".field:has(#filters)")
    page.get_by_role("textbox", name="Filters, one a line").click()

    page.keyboard.type("stroe = 'x'")
    expect(page.locator("#saved")).to_have_text("Not saved yet")
    expect(field).to_contain_text("There is no dimension stroe. Did you mean", timeout=15_000)
    page.keyboard.press("Control+Home")
    page.evaluate("scrollTo(0, 0)")
    assert violations(page) == []
    page.keyboard.press("Control+a")
    page.keyboard.type("store = 'x'")
    expect(field).not_to_contain_text("There is no dimension", timeout=15_000)


def test_a_field_that_the_browser_refuses_is_shown_in_whatever_pane_one_is(
    open_page, company, draft
):
    page = open_page(f"/changes/{draft.pk}/edit", user=company.ana, width=390, height=844)
    page.get_by_label("Title").fill("")
    page.get_by_role("radio", name="What changes").check(force=True)
    expect(page.get_by_label("Title")).to_be_hidden()

    page.get_by_role("button", name="Submit for review").click()

    expect(page.get_by_label("Title")).to_be_focused()
    # The browser says so by itself when the field was not shown yet.
    page.complaints.clear()


def test_what_has_the_focus_is_never_behind_the_foot(open_page, company, draft):
    page = open_page(f"/changes/{draft.pk}/edit", user=company.ana, width=390, height=844)
    expect(page.locator(".cm-content").first).to_be_visible()
    page.get_by_role("radio", name="Write").focus()

    hidden = []
    for _ in range(70):
        page.keyboard.press("Tab")
        found = page.evaluate(COVERED)
        if found == "end":
            break
        hidden += [found] if found else []
    assert hidden == []


COVERED = """() => {
    const one = document.activeElement;
    if (one.closest(".editor-foot")) return "end";
    const box = one.getBoundingClientRect();
    const foot = document.querySelector(".editor-foot").getBoundingClientRect();
    return box.height && box.top >= foot.top - 4 ? `${one.tagName} ${one.id || one.name}` : "";
}"""


def test_what_a_reader_has_opened_stays_when_the_draft_saves_itself(open_page, company):
    request = company.restating()
    run = factories.finish_preview(request)
    run.result["figures"]["net_sales"]["points"] = [
        {
            "period": "2026-01-05",
            "label": "Week of 5 January",
            "old": "100",
            "new": "97",
            "difference": "-3",
            "difference_pct": "-3",
            "is_complete": True,
        }
    ]
    run.save()
    page = open_page(f"/changes/{request.pk}/edit", user=company.ana)
    past = page.locator("[data-pane=past]")
    past.get_by_text("Figures by period").first.click()
    expect(past.locator("details[open]")).to_have_count(1)

    page.get_by_label("Reason").fill("Better said.")
    expect(page.locator("#saved")).to_contain_text("Draft saved", timeout=15_000)
    expect(page.locator("[data-toasts]")).to_contain_text("is taken back from review")

    expect(past.locator("details[open]")).to_have_count(1)


def test_text_that_was_kept_is_offered_for_its_own_item_and_never_unsaid_over_another(
    open_page, company, draft
):
    page = open_page(f"/changes/{draft.pk}/edit", user=company.ana)
    page.route("**/draft", lambda route: route.abort())
    page.get_by_label("Reason").fill("Hers.")
    page.reload()
    expect(page.get_by_text("This browser kept text that was not saved.")).to_be_visible()

    # Somebody else saves meanwhile.
    draft.draft.refresh_from_db()
    content = {**draft.draft.content, "reason": "His."}
    save_draft(draft, content=content, lock=draft.draft.lock, actor=company.cem, via="test")
    page.reload()

    expect(page.get_by_text("The draft was saved since")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("His.")
    page.complaints.clear()


def test_what_is_typed_on_a_request_stays_while_its_preview_runs_and_leads_to_what_it_found(
    open_page, company
):
    request = company.restating()
    page = open_page(f"/changes/{request.pk}", user=company.ben)
    page.get_by_label("Say something").fill("Why so late?")
    page.locator("#past-do").focus()

    with page.expect_response(lambda answer: "by=" in answer.url):
        pass
    expect(page.get_by_label("Say something")).to_have_value("Why so late?")
    expect(page.locator("#past-do")).to_be_focused()

    factories.finish_preview(request)
    expect(page.locator("#past-found")).to_be_focused(timeout=10_000)
    expect(page.locator("#ready-card")).to_contain_text("Past values fall.")
    expect(page.get_by_label("Say something")).to_have_value("Why so late?")


def test_a_server_that_is_away_is_said_once(open_page, company):
    request = company.restating()
    factories.finish_preview(request)
    page = open_page(f"/changes/{request.pk}", user=company.ben)
    page.clock.install()
    page.reload()
    page.route("**/*seen=*", lambda route: route.abort())

    for _ in range(4):
        page.clock.run_for(10_500)

    expect(page.locator("[data-toasts] > *")).to_have_count(1)
    page.complaints.clear()
