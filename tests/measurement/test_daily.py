"""Daily runs: rows that arrive extend every live metric, and late ones move what they belong to."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from catalog.models import Metric
from measurement.choices import BackfillStatus, Purpose
from measurement.models import Observation
from measurement.selectors.values import read_values
from measurement.services.daily import extend_live_metrics
from measurement.services.turns import work_off
from tests.measurement import company
from tests.measurement.catalog import orders_spec, sales_spec


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

    assert len(runs) == 2
    values = read_values(Metric.objects.get(key="sales"), grain="day")
    last = settings.ETALON_NOW.date()
    assert max(point.period for point in values.second) == last

    settings.ETALON_NOW += timedelta(days=10)
    assert len(extend_live_metrics()) == 1


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
