"""The admin in a browser: within its content policy, accessible, and no wider than a phone."""

import pytest

from tests.factories import Company
from tests.web.conftest import violations

LIST = "/admin/governance/changerequest/"


@pytest.fixture
def asked(committed_db):
    """A steward who is staff, and a request that waits for them."""
    company = Company()
    company.cem.is_staff = True
    company.cem.save()
    return company.cem, company.restating(title="Net sales without refunds")


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 380)])
def test_a_request_is_read_in_the_admin(open_page, asked, theme, width):
    steward, request = asked
    page = open_page(f"{LIST}{request.pk}/change/", user=steward, theme=theme, width=width)
    assert page.get_by_role("heading", name="Net sales without refunds").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []
