"""The frame and the components in a real browser: looks, keys, drafts, charts, no violations.

Every test fails, too, on an error of a script and on what the content security policy refuses.
"""

import pytest
from playwright.sync_api import expect

from tests import factories
from tests.web.conftest import PASSWORD, make_person, violations

pytestmark = pytest.mark.browser

ACCOUNT_PAGES = ["/profile", "/profile/password", "/profile/tokens", "/notices", "/more"]


@pytest.fixture
def builder(committed_db):
    return make_person(is_staff=True, full_name="Ana Ruiz")


@pytest.fixture
def style_page(open_page, builder):
    """The page of all components, once its scripts have done their work."""

    def open_(**options):
        page = open_page("/style", user=builder, **options)
        page.locator(".cm-editor").wait_for()
        return page

    return open_


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_every_component_is_accessible(style_page, theme, width):
    page = style_page(theme=theme, width=width)

    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_of_an_account_are_accessible(open_page, builder, theme):
    page = open_page("/profile", user=builder, theme=theme)
    for path in ACCOUNT_PAGES:
        page.goto(path)
        assert violations(page) == [], path


def test_the_door_is_accessible_and_lets_in(open_page, builder):
    page = open_page("/sign-in?next=/profile")
    assert violations(page) == []

    page.get_by_label("User name").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Ana Ruiz")


@pytest.mark.parametrize("width", [320, 360, 768, 900, 1080, 1280])
def test_nothing_is_wider_than_the_window(style_page, width):
    page = style_page(width=width)

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_what_fingers_press_is_large_enough(style_page):
    page = style_page(width=360, has_touch=True, is_mobile=True)

    small = page.evaluate(
        """() => [...document.querySelectorAll("a.button, button.button, .bottombar a, .tabs a")]
            .filter((it) => it.offsetParent && it.getBoundingClientRect().height < 38)
            .map((it) => it.outerHTML.slice(0, 80))"""
    )

    assert small == []


def test_keys_lead_everywhere(open_page, builder):
    page = open_page("/shortcuts", user=builder)

    page.keyboard.press("/")
    expect(page.get_by_label("Search metrics")).to_be_focused()
    page.keyboard.type("g?")
    expect(page.get_by_role("dialog")).to_be_hidden()

    page.get_by_label("Search metrics").blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_search_suggests_while_one_types(open_page, committed_db):
    company = factories.Company()
    page = open_page("/profile", user=company.eve)
    field, found = page.get_by_label("Search metrics"), page.locator("#suggestions a")

    field.press_sequentially("net sal")
    expect(found.first).to_contain_text("Net sales")
    assert violations(page) == []
    page.keyboard.press("ArrowDown")
    expect(found.first).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_be_focused()
    expect(found).to_have_count(0)

    field.press_sequentially("e")
    expect(found.first).to_contain_text("Net sales")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Net sales")


def test_j_and_k_walk_along_the_rows_of_a_list(style_page):
    page = style_page()
    rows = page.locator("[data-row] th a")

    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()

    page.keyboard.press("k")
    expect(rows.nth(0)).to_be_focused()


def test_keys_can_be_turned_off(open_page, builder):
    builder.single_keys = False
    builder.save()
    page = open_page("/shortcuts", user=builder)

    page.keyboard.press("?")

    expect(page.get_by_role("dialog")).to_be_hidden()


def test_the_theme_turns_at_once_and_stays(open_page, builder):
    page = open_page("/profile", user=builder)
    html = page.locator("html")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")

    with page.expect_response("**/theme"):
        page.get_by_role("button", name="Switch between light and dark").click()
    expect(html).to_have_attribute("data-theme", "dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light

    page.reload()
    expect(html).to_have_attribute("data-theme", "dark")


def test_a_menu_closes_on_escape_and_gives_the_focus_back(open_page, builder):
    page = open_page("/profile", user=builder)
    summary = page.get_by_label("Account of Ana Ruiz")

    summary.click()
    expect(page.get_by_role("link", name="API tokens").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")

    expect(summary).to_be_focused()
    expect(page.locator("details[data-menu][open]")).to_have_count(0)


def test_the_bell_loads_its_panel_when_it_is_opened(open_page, builder):
    page = open_page("/profile", user=builder)

    page.get_by_label("Notices").first.click()

    expect(page.get_by_text("Nothing yet. What concerns you appears here.")).to_be_visible()


def test_a_dialog_starts_on_cancel_and_closes(style_page):
    page = style_page()

    page.get_by_role("button", name="Retire…").click()

    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.get_by_role("button", name="Retire…")).to_be_focused()


def test_a_chart_is_walked_by_keys_and_says_each_point(style_page):
    page = style_page()
    plot = page.locator("#trend .chart-plot")

    plot.focus()
    page.keyboard.press("Home")
    said = page.locator("[data-say]")
    expect(said).to_have_text("Week of 2 Mar 2026, v3 (current) $9,000, v2 as reported $9,495, v2")

    page.keyboard.press("End")
    expect(said).to_have_text("Week of 2 Nov 2026, not complete, $12,589, v3")
    expect(page.locator("#trend .chart-tip")).to_be_visible()


def test_a_line_of_a_chart_can_be_hidden(style_page):
    page = style_page()
    switch = page.locator("#trend").get_by_role("button", name="v2 as reported")

    switch.click()

    expect(switch).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#trend [data-series='1'] path").first).to_be_hidden()


def test_a_formula_is_completed_and_checked_while_one_types(style_page):
    page = style_page()
    editor = page.get_by_role("textbox", name="Filter")

    editor.click()
    page.keyboard.press("Control+a")
    page.keyboard.type("depar")
    page.get_by_role("option", name="department").click()
    expect(editor).to_have_text("department")

    page.keyboard.type(" = turnover")
    expect(page.locator(".cm-lintRange-error")).to_have_text("turnover")
    page.locator(".cm-lintRange-error").hover()
    expect(page.locator(".cm-diagnostic")).to_contain_text("“turnover” is not known here.")
    assert page.locator("[name=filter]").input_value() == "department = turnover"


def test_tab_leaves_the_formula(style_page):
    page = style_page()

    page.get_by_role("textbox", name="Filter").click()
    page.keyboard.press("Tab")

    expect(page.get_by_label("Reason")).to_be_focused()


def test_a_draft_saves_itself(style_page):
    page = style_page()
    page.clock.install()

    page.get_by_label("Reason").fill("Gasoline is no grocery.")
    page.clock.run_for(3100)

    expect(page.locator("#draft-state")).to_contain_text("Draft saved")
    assert page.locator("[name=lock]").input_value() == "2"


def test_a_draft_that_somebody_else_saved_is_not_overwritten(style_page):
    page = style_page()
    page.clock.install()

    page.get_by_label("Reason").fill("conflict")
    page.clock.run_for(3100)
    expect(page.locator("#draft-state")).to_contain_text("Ben saved this draft")

    page.get_by_label("Reason").fill("conflict again")
    page.clock.run_for(4000)
    assert page.locator("[name=lock]").input_value() == "1"
    # The browser reports the refused request by itself.
    assert [c for c in page.complaints if "409" not in c] == []
    page.complaints.clear()


def test_what_was_typed_offline_is_kept_and_put_back(style_page):
    page = style_page()
    page.clock.install()
    page.context.set_offline(True)

    page.get_by_label("Reason").fill("Written on a train.")
    page.clock.run_for(3100)
    expect(page.locator("#draft-state")).to_have_text("Offline. Your text is kept in this browser.")

    # The network is back, the server is not yet.
    page.route("**/style/draft", lambda route: route.abort())
    page.context.set_offline(False)
    page.reload()
    page.get_by_role("button", name="Put it back").click()
    expect(page.get_by_label("Reason")).to_have_value("Written on a train.")
    page.complaints.clear()


def test_a_token_is_copied(open_page, builder):
    page = open_page("/profile/tokens", user=builder, permissions=["clipboard-write"])

    page.get_by_label("What will use it").fill("Nightly export")
    page.get_by_role("button", name="Create token").click()
    secret = page.get_by_label("The new token").input_value()
    page.get_by_role("button", name="Copy").click()

    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert secret.startswith("etl_")
    assert violations(page) == []


def test_a_refused_form_names_its_faults_and_takes_the_focus(open_page, builder):
    page = open_page("/profile", user=builder)

    page.get_by_label("Time zone").fill("Mars/Olympus")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("alert").first).to_be_focused()
    page.get_by_role("alert").get_by_role("link", name="Time zone").click()
    expect(page.get_by_label("Time zone")).to_be_focused()
    assert violations(page) == []
    page.complaints.clear()


def test_htmx_swaps_what_was_refused_and_toasts_what_failed(style_page):
    page = style_page()
    page.route(
        "**/refused", lambda route: route.fulfill(status=422, body='<p id="panel">Say why.</p>')
    )
    page.route(
        "**/forbidden",
        lambda route: route.fulfill(
            status=403, body="Authors cannot review.", content_type="text/plain"
        ),
    )
    page.evaluate(
        """() => {
            const panel = document.createElement("p");
            panel.id = "panel";
            document.querySelector("main").prepend(panel);
        }"""
    )

    page.evaluate("htmx.ajax('POST', '/refused', {target: '#panel', swap: 'outerHTML'})")
    expect(page.locator("#panel")).to_have_text("Say why.")

    page.evaluate("htmx.ajax('POST', '/forbidden', {target: '#panel', swap: 'outerHTML'})")
    expect(page.locator(".toast")).to_contain_text("Authors cannot review.")
    expect(page.locator("#panel")).to_have_text("Say why.")
    page.complaints.clear()


def test_pages_work_without_script(open_page, builder):
    page = open_page("/profile", user=builder, java_script_enabled=False)

    page.get_by_label("Your name").fill("Ana Maria Ruiz")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Your profile is saved.")

    page.get_by_label("Account of Ana Maria Ruiz").click()
    page.get_by_role("button", name="Dark", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_calm_motion_is_kept(style_page):
    page = style_page(reduced_motion="reduce")

    duration = page.evaluate(
        "getComputedStyle(document.querySelector('.skeleton')).animationDuration"
    )

    assert float(duration.rstrip("s")) < 0.001
