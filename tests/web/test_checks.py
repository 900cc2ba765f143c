"""The page of a check: read by all, changed by admins, run by those who answer for the data."""

import pytest

from accounts.choices import Role
from accounts.models import RoleGrant
from measurement.models import Check
from measurement.services.checks import ensure_checks, run_due_checks
from tests.web.conftest import make_person, signed_in


@pytest.fixture
def checks(shop):
    ensure_checks()
    run_due_checks()
    return {check.kind: check for check in Check.objects.all()}


@pytest.fixture
def finn(shop):
    admin = make_person("finn")
    RoleGrant.objects.create(user=admin, role=Role.ADMIN)
    return signed_in(admin)


def test_the_rule_and_what_it_found_are_said_in_words(cem, checks):
    page = cem.get(f"/checks/{checks['freshness'].pk}").content.decode()
    assert "The newest row is at most 36 hours old." in page
    assert "Holds runs back when it fails or cannot run" in page
    assert "h of 36 h" in page

    page = cem.get(f"/checks/{checks['row_count'].pk}").content.decode()
    assert "at most 50\xa0% fewer than their median" in page


def test_the_checks_of_a_metric_lead_to_their_pages(cem, checks):
    page = cem.get("/metrics/sales/checks").content.decode()

    assert all(f'href="/checks/{check.pk}"' in page for check in checks.values())


def test_an_admin_changes_a_check_and_the_page_says_who_and_why(finn, checks):
    page = f"/checks/{checks['row_count'].pk}"

    answer = finn.post(page, {"limit": "80", "reason": "Weekends vary."})

    assert answer["Location"] == page
    check = Check.objects.get(kind="row_count")
    assert (check.parameters, check.is_blocking) == ({"band": 0.8}, False)
    shown = finn.get(page).content.decode()
    assert "at most 80\xa0% fewer than their median" in shown
    assert "Finn" in shown
    assert "Weekends vary." in shown
    assert "A worker will run it in a moment." in shown


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"limit": "0", "reason": "So."}, "greater than or equal to 1"),
        ({"limit": "nan", "reason": "So."}, "Enter a number"),
        ({"limit": "48", "reason": ""}, "Say why the check is changed."),
        ({}, "This field is required"),
    ],
)
def test_what_cannot_be_taken_is_said_in_the_form(finn, checks, sent, said):
    answer = finn.post(f"/checks/{checks['freshness'].pk}", sent)

    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert Check.objects.get(kind="freshness").parameters == {"max_age_hours": 36}


def test_a_steward_may_run_it_and_not_change_it(cem, checks):
    page = f"/checks/{checks['freshness'].pk}"
    shown = cem.get(page).content.decode()
    assert "Run now" in shown
    assert "Change the check" not in shown
    assert "Only people with the admin role may change sources and checks." in shown

    assert cem.post(page, {"limit": "48", "reason": "So."}).status_code == 403
    assert cem.post(f"{page}/run")["Location"] == page

    assert "A worker will run it in a moment." in cem.get(page).content.decode()
    assert [run.check_rule.kind for run in run_due_checks()] == ["freshness"]
    assert "A worker will run it in a moment." not in cem.get(page).content.decode()
