"""A range computed again by hand: what is official there, pinned, and only what was asked for."""

import threading
from datetime import date, timedelta

import pytest
from django.db import connections

from accounts.choices import Role
from accounts.models import RoleGrant, User
from catalog.models import Metric
from core.errors import Invalid, NotAllowed, OutOfDate, WrongState
from core.models import AuditEvent
from measurement.choices import BackfillStatus
from measurement.models import Backfill
from measurement.selectors import values
from measurement.selectors.backfills import difference_so_far
from measurement.selectors.ranges import range_plan
from measurement.selectors.values import read_values
from measurement.services import backfills
from measurement.services.daily import extend_live_metrics
from measurement.services.turns import take_turn, work_off
from tests.measurement import company
from tests.measurement.catalog import sales_spec

START, UNTIL = date(2026, 1, 12), date(2026, 1, 15)


@pytest.fixture
def steward(shop):
    steward = User.objects.create_user("cem")
    RoleGrant.objects.create(user=steward, role=Role.STEWARD, domain=shop.domain)
    return steward


@pytest.fixture
def metric(shop):
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    return Metric.objects.get(key="sales")


def _by_hand(metric, actor, *, start=START, until=UNTIL, **more) -> Backfill:
    return backfills.plan_by_hand(
        metric, start=start, until=until, actor=actor, reason="The till of 13 January.", **more
    )


def _doubled(folder) -> None:
    """The source mends every amount."""
    rows = [company.Order(**{**vars(row), "amount": row.amount * 2}) for row in company.orders(40)]
    company.write(folder, rows)


def _days(metric, group_by=None) -> dict:
    points = read_values(metric, grain="day", group_by=group_by).points
    return {(point.period, *point.members): point.value for point in points}


def test_only_the_range_moves_and_all_of_it(metric, steward, folder):
    before = _days(metric)
    _doubled(folder)

    run = work_off(_by_hand(metric, steward))

    after = _days(metric)
    assert run.status == BackfillStatus.DONE
    moved = {day for (day,) in before if after[(day,)] != before[(day,)]}
    assert moved == {START, START + timedelta(days=1), START + timedelta(days=2)}
    assert all(after[(day,)] == 2 * before[(day,)] for day in moved)


def test_an_answer_is_of_one_moment_while_a_run_is_switched_in(
    metric, steward, folder, monkeypatch
):
    before = read_values(metric, grain="day")
    _doubled(folder)
    run = _by_hand(metric, steward)
    restated = values._Asked.restated

    def switched() -> None:
        work_off(run)
        connections.close_all()

    def asked_after_a_switch(asked, lines):
        worker = threading.Thread(target=switched)
        worker.start()
        worker.join()
        return restated(asked, lines)

    monkeypatch.setattr(values._Asked, "restated", asked_after_a_switch)
    between = read_values(metric, grain="day")
    monkeypatch.undo()

    after = read_values(metric, grain="day")
    assert (between.points, between.restated) == (before.points, 0)
    assert (after.points != before.points, after.restated) == (True, 3)


def test_parts_that_are_left_out_keep_their_values(metric, steward, folder):
    before, stores = _days(metric), _days(metric, "store")
    _doubled(folder)

    run = work_off(_by_hand(metric, steward, dimensions=[]))

    assert run.targets.get().dimensions == []
    assert _days(metric, "store") == stores
    assert _days(metric) != before


def test_what_is_official_in_the_range_is_computed_and_nothing_else(shop, metric, steward):
    shop.publish(
        "sales", sales_spec(expression="amount * 3"), treatment="break", effective_from=UNTIL
    )
    work_off(shop.plan("sales"))
    metric.refresh_from_db()

    older = range_plan(metric, start=START, until=UNTIL)
    newer = range_plan(metric, start=date(2026, 2, 2), until=date(2026, 2, 9))
    across = range_plan(metric, start=START, until=UNTIL + timedelta(days=1))

    assert (older.versions, newer.versions, across.versions) == ((1,), (2,), (1, 2))
    run = work_off(_by_hand(metric, steward))
    assert run.targets.get().resolution_hash == older.targets[0].resolution_hash
    metric.refresh_from_db()
    assert metric.served_resolution.version.number == 2


def test_the_difference_so_far_is_that_of_each_version_with_itself(shop, metric, steward, settings):
    shop.publish(
        "sales", sales_spec(expression="amount * 3"), treatment="break", effective_from=UNTIL
    )
    work_off(shop.plan("sales"))
    metric.refresh_from_db()
    settings.WINDOW_SOURCE_ROWS = 4
    run = _by_hand(metric, steward, until=UNTIL + timedelta(days=1))
    take_turn(run.pk, seconds=0)

    so_far = difference_so_far(run)

    assert so_far.compared > 0
    assert so_far.moved == 0


def test_a_period_that_begins_before_the_range_is_computed_by_its_own_version(shop, metric):
    """12 January is a Monday; the month of January began under version 1."""
    shop.publish(
        "sales", sales_spec(expression="amount * 3"), treatment="break", effective_from=START
    )
    work_off(shop.plan("sales"))
    metric.refresh_from_db()

    assert range_plan(metric, start=START, until=UNTIL).versions == (1, 2)


def test_a_plan_says_about_how_many_rows_earlier_runs_read(metric, settings):
    settings.WINDOW_SOURCE_ROWS = 4

    plan = range_plan(metric, start=START, until=UNTIL)

    rows = sum(START <= order.day < UNTIL for order in company.orders(40))
    assert abs(plan.rows - rows) <= 1
    assert plan.windows == 2
    assert plan.dimensions == ("store",)


def test_another_version_since_the_plan_was_shown(shop, metric, steward):
    plan = range_plan(metric, start=START, until=UNTIL)
    shop.publish("sales", sales_spec(expression="amount * 3"), treatment="restate")
    work_off(shop.plan("sales"))
    runs = Backfill.objects.count()

    with pytest.raises(OutOfDate, match="Look at the plan again"):
        _by_hand(metric, steward, pin=plan.pin)

    assert Backfill.objects.count() == runs
    metric.refresh_from_db()
    again = range_plan(metric, start=START, until=UNTIL)
    assert again.pin != plan.pin
    assert _by_hand(metric, steward, pin=again.pin).status == BackfillStatus.PLANNED


def test_a_run_goes_on_with_what_was_official_when_it_was_planned(shop, metric, steward, folder):
    run = _by_hand(metric, steward)
    shop.publish("sales", sales_spec(expression="amount * 3"), treatment="restate")
    work_off(shop.plan("sales"))
    metric.refresh_from_db()
    tripled = _days(metric)
    _doubled(folder)

    work_off(run)

    metric.refresh_from_db()
    assert metric.served_resolution.version.number == 2
    assert _days(metric) == tripled


@pytest.mark.parametrize(
    ("asked", "place", "said"),
    [
        ({"until": START}, "to", "has no day"),
        ({"start": company.FIRST - timedelta(days=1)}, "from", "read from 2026-01-05 on"),
        ({"until": date(2026, 2, 16)}, "to", "after 2026-02-14 have not begun"),
        ({"dimensions": ["buyer"]}, "dimensions", "“buyer” is not stored"),
    ],
)
def test_what_cannot_be_computed_is_refused(metric, steward, asked, place, said):
    runs = Backfill.objects.count()

    with pytest.raises(Invalid, match=said) as refused:
        _by_hand(metric, steward, **asked)

    assert [problem["place"] for problem in refused.value.details["problems"]] == [place]
    assert Backfill.objects.count() == runs


def test_who_may_and_why_is_asked_before_anything_else(shop, metric, steward):
    with pytest.raises(NotAllowed):
        _by_hand(metric, shop.author)
    with pytest.raises(Invalid, match="Say why"):
        backfills.plan_by_hand(metric, start=START, until=UNTIL, actor=steward, reason=" ")


def test_a_form_that_is_sent_twice_starts_one_run(metric, steward):
    first = _by_hand(metric, steward)

    with pytest.raises(WrongState, match=f"{first} computes exactly this already"):
        _by_hand(metric, steward, dimensions=[])

    assert _by_hand(metric, steward, until=UNTIL + timedelta(days=1)).pk != first.pk
    work_off(first)
    assert _by_hand(metric, steward).pk != first.pk


def test_a_metric_without_values_has_nothing_to_compute_again(shop, steward):
    shop.publish("sales", sales_spec())

    with pytest.raises(Invalid, match="shows no values yet"):
        _by_hand(Metric.objects.get(key="sales"), steward)


def test_it_does_not_serve_a_version_whose_own_run_is_not_over(shop, metric, steward):
    shop.publish(
        "sales", sales_spec(expression="amount * 3"), treatment="break", effective_from=UNTIL
    )
    work_off(shop.plan("sales"))
    # Back to the first formula, which is still official before the break: its run has not ended.
    shop.publish("sales", sales_spec(), treatment="restate")
    waited = Metric.objects.get(key="sales")

    with pytest.raises(WrongState, match="Wait for its run to end"):
        _by_hand(waited, steward)

    later = date(2026, 2, 2)
    run = work_off(_by_hand(waited, steward, start=later, until=later + timedelta(days=1)))
    waited.refresh_from_db()
    assert run.status == BackfillStatus.DONE
    assert waited.served_resolution.version.number == 2


def test_a_daily_run_is_planned_once_it_is_over_and_the_later_one_has_the_last_word(
    metric, steward, folder, settings
):
    run = _by_hand(metric, steward, start=date(2026, 2, 10), until=date(2026, 2, 14))
    settings.ETALON_NOW += timedelta(days=1)
    company.write(folder, company.orders(41))
    assert extend_live_metrics() == []

    work_off(run)
    daily = [work_off(each) for each in extend_live_metrics()]

    assert [each.status for each in daily] == [BackfillStatus.DONE]
    assert daily[0].pk > run.pk


def test_it_is_in_the_audit_log_with_its_reason(metric, steward):
    run = work_off(_by_hand(metric, steward, via="web"))

    events = AuditEvent.objects.filter(
        subject_type="measurement.backfill", subject_id=str(run.pk)
    ).order_by("sequence")
    assert [event.action for event in events] == [
        "backfill.plan",
        "backfill.start",
        "backfill.finish",
    ]
    assert (events[0].via, events[0].reason) == ("web", "The till of 13 January.")
    assert run.reason == "The till of 13 January."
