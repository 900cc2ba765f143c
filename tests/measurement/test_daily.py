"""Daily runs: rows that arrive extend every live metric, and late ones move what they belong to."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Metric
from catalog.selectors import entries
from measurement.choices import BackfillStatus, Purpose
from measurement.models import Observation
from measurement.selectors.values import read_values
from measurement.services import arrivals
from measurement.services.daily import extend_live_metrics
from measurement.services.turns import work_off
from tests.measurement import company
from tests.measurement.catalog import buyers_spec, orders_spec, sales_spec


@pytest.fixture
def growing(shop, folder, settings):
    """Files of sixty days, of which the source shows what has arrived; sales are computed."""
    company.write(folder, company.orders(60))
    settings.ETALON_NOW -= timedelta(days=10)
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    return shop


def test_a_new_day_extends_the_series(growing, settings):
    assert len(_days()) == 31
    settings.ETALON_NOW += timedelta(days=1)

    runs = [work_off(run) for run in extend_live_metrics()]

    assert [(run.status, run.purpose, run.actor_label) for run in runs] == [
        (BackfillStatus.DONE, Purpose.DAILY, "Etalon")
    ]
    assert (runs[0].until - runs[0].start).days == 5
    assert len(_days()) == 32


def test_day_after_day_ends_with_the_values_of_one_run_over_all(growing, settings):
    for _ in range(12):
        settings.ETALON_NOW += timedelta(days=1)
        for run in extend_live_metrics():
            assert work_off(run).status == BackfillStatus.DONE
    step_by_step = _current()

    whole = work_off(growing.plan("sales", purpose=Purpose.MANUAL, actor=growing.author))

    assert (whole.result["inserted"], whole.result["closed"]) == (0, 0)
    assert _current() == step_by_step
    assert len(_days()) == 43


def test_without_new_rows_nothing_is_planned(growing, settings):
    settings.ETALON_NOW += timedelta(days=1)
    for run in extend_live_metrics():
        work_off(run)

    assert extend_live_metrics() == []
    settings.ETALON_NOW += timedelta(hours=2)
    assert extend_live_metrics() == []


def test_asking_twice_plans_once(growing, settings):
    settings.ETALON_NOW += timedelta(days=1)

    assert len(extend_live_metrics()) == 1
    assert extend_live_metrics() == []


def test_late_rows_move_their_own_days_week_and_month(growing, folder, settings):
    day = settings.ETALON_NOW.date() - timedelta(days=2)
    rows = company.orders(60)
    late = next(row for row in rows if row.day == day)
    on_time = [row for row in rows if row is not late]
    arrives = settings.ETALON_NOW.date() + timedelta(days=1)
    company.write(folder, [*on_time, replace(late, arrived=arrives)])
    work_off(growing.plan("sales", purpose=Purpose.MANUAL, actor=growing.author))
    before = _days()
    settings.ETALON_NOW += timedelta(days=1)

    for run in extend_live_metrics():
        work_off(run)

    assert _days()[day] - before.get(day, 0) == late.amount
    moved = {period for period in before if before[period] != _days()[period]}
    assert moved <= {day}


def test_rows_later_than_the_policy_wait_for_a_run_by_hand(growing, folder, settings):
    day = company.FIRST
    rows = company.orders(60)
    extra = replace(rows[0], number=999, arrived=settings.ETALON_NOW.date() + timedelta(days=1))
    company.write(folder, [*rows, extra])
    settings.ETALON_NOW += timedelta(days=1)
    before = _days()[day]

    for run in extend_live_metrics():
        work_off(run)
    assert _days()[day] == before

    work_off(growing.plan("sales", purpose=Purpose.MANUAL, actor=growing.author))
    assert _days()[day] == before + extra.amount


def test_the_older_line_is_extended_while_both_are_kept(growing, settings):
    growing.publish(
        "sales",
        sales_spec(filters=["store = 'north'"]),
        treatment="keep_both",
        effective_from=date(2026, 2, 2),
        keep_both_until=date(2026, 2, 9),
    )
    work_off(growing.plan("sales"))
    settings.ETALON_NOW += timedelta(days=1)

    runs = extend_live_metrics()
    for run in runs:
        work_off(run)

    assert [run.targets.count() for run in runs] == [2]
    values = read_values(Metric.objects.get(key="sales"), grain="day")
    last = settings.ETALON_NOW.date()
    assert max(point.period for point in values.second) == last

    settings.ETALON_NOW += timedelta(days=10)
    assert [run.targets.count() for run in extend_live_metrics()] == [1]


def test_a_source_that_is_away_keeps_no_other_metric_waiting(growing, settings, tmp_path):
    company.make_source(tmp_path / "away", key="away")
    company.write(tmp_path / "away", company.orders(60))
    growing.publish("far_orders", orders_spec(source="away"))
    growing.publish("far_sales", sales_spec(dataset="far_orders"))
    work_off(growing.plan("far_sales"))
    (tmp_path / "away" / "orders.parquet").unlink()
    settings.ETALON_NOW += timedelta(days=1)

    planned = extend_live_metrics()

    assert [run.targets.get().key for run in planned] == ["sales"]


def test_metrics_of_the_same_rows_are_one_run(growing, settings):
    growing.publish("buyers", buyers_spec())
    growing.publish("northern", sales_spec(filters=["store = 'north'"]))
    work_off(growing.plan("buyers", "northern"))
    settings.ETALON_NOW += timedelta(days=1)

    runs = [work_off(run) for run in extend_live_metrics()]

    assert [run.status for run in runs] == [BackfillStatus.DONE]
    targets = runs[0].targets.values_list("key", flat=True)
    assert set(targets) == {"buyers", "northern", "sales"}
    assert extend_live_metrics() == []


def test_a_metric_that_looks_further_back_is_a_run_of_its_own(growing, settings):
    growing.publish("patient", sales_spec(late_data={"recompute_days": 9}))
    work_off(growing.plan("patient"))
    settings.ETALON_NOW += timedelta(days=1)

    runs = extend_live_metrics()

    days = {run.targets.get().key: (run.until - run.start).days for run in runs}
    assert days == {"sales": 5, "patient": 11}


def test_more_metrics_cost_no_more_queries_and_each_dataset_is_asked_once(
    growing, settings, monkeypatch
):
    asked = []
    rows_by_day = arrivals.rows_by_day
    monkeypatch.setattr(
        arrivals, "rows_by_day", lambda *a, **more: asked.append(1) or rows_by_day(*a, **more)
    )
    costs = {}
    for count in (1, 4):
        for number in range(count):
            key = f"more_{count}_{number}"
            growing.publish(key, sales_spec(filters=[f"buyer <> {number + 10 * count}"]))
            work_off(growing.plan(key))
        settings.ETALON_NOW += timedelta(days=1)
        # What a process has read of definitions is kept; here it has read nothing.
        entries._kept.clear()
        asked.clear()
        with CaptureQueriesContext(connection) as queries:
            (run,) = extend_live_metrics()
        assert len(asked) == 1
        costs[run.targets.count()] = len(queries)
        work_off(run)

    assert list(costs) == [2, 6]
    assert costs[2] == costs[6] < 40


def test_metrics_that_failed_together_are_tried_apart(growing, folder, settings):
    settings.WINDOW_RETRY_SECONDS = settings.WINDOW_ATTEMPTS = 1
    growing.publish("buyers", buyers_spec())
    work_off(growing.plan("buyers"))
    settings.ETALON_NOW += timedelta(days=1)
    (together,) = extend_live_metrics()
    company.write(folder, company.orders(60), without="amount")
    assert work_off(together).status == BackfillStatus.FAILED

    apart = {run.targets.get().key: work_off(run).status for run in extend_live_metrics()}

    assert apart == {"sales": BackfillStatus.FAILED, "buyers": BackfillStatus.DONE}


def test_only_what_moved_is_marked_as_changed(growing, folder, settings):
    growing.publish("northern", sales_spec(filters=["store = 'north'"]))
    work_off(growing.plan("northern"))
    for run in extend_live_metrics():
        work_off(run)
    south = max((r for r in company.orders(60) if r.store == "south"), key=_until(settings))
    late = replace(south, number=999, arrived=settings.ETALON_NOW.date())
    company.write(folder, [*company.orders(60), late])
    before = dict(Metric.objects.values_list("key", "revision"))

    (run,) = [work_off(run) for run in extend_live_metrics()]

    assert run.targets.count() == 2
    after = dict(Metric.objects.values_list("key", "revision"))
    assert after == before | {"sales": before["sales"] + 1}


def _until(settings):
    """The order of rows by their day, as far as they have come by now."""
    today = settings.ETALON_NOW.date()
    return lambda row: (row.day <= today, row.day if row.day <= today else row.day.min)


def test_after_a_failure_the_next_run_waits_an_hour(growing, folder, settings):
    settings.WINDOW_RETRY_SECONDS = settings.WINDOW_ATTEMPTS = 1
    settings.ETALON_NOW += timedelta(days=1)
    run = extend_live_metrics()[0]
    company.write(folder, company.orders(60), without="amount")
    assert work_off(run).status == BackfillStatus.FAILED
    company.write(folder, company.orders(60))

    assert extend_live_metrics() == []
    settings.ETALON_NOW += timedelta(hours=2)
    assert len(extend_live_metrics()) == 1


def _days() -> dict:
    points = read_values(Metric.objects.get(key="sales"), grain="day").points
    return {point.period: point.value for point in points}


def _current() -> list:
    rows = Observation.objects.filter(known_until=None)
    return sorted(rows.values_list("series", "slice", "period", "value"), key=str)
