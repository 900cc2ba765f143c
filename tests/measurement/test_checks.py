"""What checks allow is changed on record, and a check is run when somebody asks."""

from datetime import timedelta

import pytest

from accounts.choices import Role
from accounts.models import RoleGrant, User
from catalog.models import Dataset, Ownership
from core.errors import Invalid, NotAllowed
from core.models import AuditEvent
from measurement.choices import BackfillStatus, Outcome
from measurement.models import Check
from measurement.services import checks
from measurement.services.turns import work_off
from tests.measurement import company
from tests.measurement.catalog import sales_spec


@pytest.fixture
def admin(shop):
    person = User.objects.create_user("finn")
    RoleGrant.objects.create(user=person, role=Role.ADMIN, domain=None)
    return person


@pytest.fixture
def freshness(shop):
    checks.ensure_checks()
    return Check.objects.get(kind="freshness")


def _change(check, actor, *, limit=500.0, is_blocking=True, reason="A long holiday.") -> Check:
    return checks.change_check(
        check, limit=limit, is_blocking=is_blocking, actor=actor, reason=reason, via="web"
    )


def test_an_admin_changes_what_a_check_allows_and_says_why(freshness, admin):
    check = _change(freshness, admin)

    assert check.parameters == {"max_age_hours": 500.0}
    row = check.history.first()
    assert (row.history_user, row.history_change_reason) == (admin, "A long holiday.")
    event = AuditEvent.objects.get(action="check.change")
    assert (event.via, event.reason) == ("web", "A long holiday.")
    assert event.detail["before"]["parameters"] == {"max_age_hours": 36}


def test_nobody_else_does_and_nothing_is_written(shop, freshness):
    with pytest.raises(NotAllowed):
        _change(freshness, shop.author)

    freshness.refresh_from_db()
    assert freshness.parameters == {"max_age_hours": 36}
    assert not AuditEvent.objects.filter(action="check.change").exists()


@pytest.mark.parametrize(
    ("kind", "limit"),
    [
        *(("freshness", limit) for limit in (0.5, 9_000, -1, float("nan"), float("inf"))),
        *(("row_count", limit) for limit in (0, 1.01, 50)),
    ],
)
def test_a_figure_outside_its_bounds_is_refused(freshness, admin, kind, limit):
    check = Check.objects.get(kind=kind)

    with pytest.raises(Invalid, match="lies between") as refused:
        _change(check, admin, limit=limit)

    assert refused.value.details["problems"][0]["place"] == "limit"
    assert check.history.count() == 1


def test_a_change_needs_a_reason_and_a_difference(freshness, admin):
    with pytest.raises(Invalid, match="Say why"):
        _change(freshness, admin, reason=" ")

    _change(freshness, admin, limit=36)

    assert freshness.history.count() == 1
    assert not AuditEvent.objects.filter(action="check.change").exists()


def test_a_changed_check_is_judged_by_its_new_rule_at_once(shop, freshness, admin, folder):
    """What it found before was by another rule, however recent that is."""
    company.write(folder, company.orders(30))
    shop.publish("sales", sales_spec())
    run = work_off(shop.plan("sales"))
    assert run.status == BackfillStatus.HELD

    _change(freshness, admin)

    assert checks.why_hold(run) == ""


def test_a_check_that_only_warns_holds_nothing(shop, freshness, admin, folder):
    company.write(folder, company.orders(30))
    shop.publish("sales", sales_spec())
    _change(freshness, admin, limit=36, is_blocking=False)
    _change(Check.objects.get(kind="row_count"), admin, limit=0.5, is_blocking=False)

    assert work_off(shop.plan("sales")).status == BackfillStatus.DONE


def test_a_check_runs_when_somebody_asks_however_recent_its_last_run(shop, freshness, admin):
    checks.run_due_checks()
    assert checks.run_due_checks() == []

    checks.ask_check(freshness, actor=admin)
    checks.ask_check(freshness, actor=admin)
    found = checks.run_due_checks()

    assert [(run.check_rule, run.outcome) for run in found] == [(freshness, Outcome.PASSED)]
    assert checks.run_due_checks() == []
    assert AuditEvent.objects.filter(action="check.ask").count() == 1
    assert freshness.history.count() == 1


def test_a_check_that_was_asked_for_comes_first(shop, freshness, admin, settings):
    checks.run_due_checks()
    settings.ETALON_NOW += timedelta(hours=2)
    last = Check.objects.order_by("pk").last()

    checks.ask_check(last, actor=admin)

    assert [run.check_rule for run in checks.run_due_checks()][0] == last


def test_who_may_ask(shop, freshness):
    with pytest.raises(NotAllowed, match="Only owners and stewards of Orders"):
        checks.ask_check(freshness, actor=shop.author)

    Ownership.objects.create(entry=Dataset.objects.get(), user=shop.author, role="owner")

    assert checks.ask_check(freshness, actor=shop.author).asked_at
