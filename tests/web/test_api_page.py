"""The page to try the API at runs in a browser, under the content policy of all pages."""

import pytest
from playwright.sync_api import expect


@pytest.mark.browser
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_api_is_read_and_tried_on_its_page(open_page, theme):
    page = open_page("/api/v1/docs/", theme=theme, width=390)

    metrics = page.locator("[id^=operations-metrics]").first
    expect(metrics).to_be_visible()
    expect(page.get_by_role("button", name="Authorize").first).to_be_visible()
    is_dark = page.evaluate("document.documentElement.classList.contains('dark-mode')")
    assert is_dark == (theme == "dark")
    metrics.locator("button").first.click()
    expect(page.get_by_role("button", name="Try it out")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
