"""From a published version to values that readers see: known answers, one switch, equal reruns."""

from datetime import date
from decimal import Decimal

import pytest

from catalog.models import Metric
from measurement.choices import BackfillStatus, Purpose
from measurement.models import Observation, Served, StagedValue
from measurement.selectors.values import read_values
from measurement.services.turns import take_turn, work_off
from tests.measurement import company
from tests.measurement.catalog import buyers_spec, sales_spec


def test_values_are_those_worked_out_by_hand(shop):
    shop.publish("sales", sales_spec())

    run = work_off(shop.plan("sales"))

    assert (run.status, run.error) == (BackfillStatus.DONE, "")
    metric = Metric.objects.get(key="sales")
    days = read_values(metric, grain="day")
    assert [point.value for point in days.points[:4]] == [10, 41, 93, 40]
    weeks = read_values(metric, grain="week", group_by="store")
    assert _by_member(weeks, company.FIRST) == _by_hand(company.orders(40), company.FIRST, 7)
    months = read_values(metric, grain="month")
    january = sum(o.amount for o in company.orders(40) if o.day.month == 1)
    assert months.points[0].value == january
    assert {point.run for point in days.points} == {run.pk}
    assert {point.version for point in days.points} == {1}


def test_distinct_counts_are_counted_per_grain_and_never_added(shop):
    shop.publish("buyers", buyers_spec())

    work_off(shop.plan("buyers"))

    metric = Metric.objects.get(key="buyers")
    rows = company.orders(40)
    week = {o.customer for o in rows if o.day < date(2026, 1, 12)}
    day = {o.customer for o in rows if o.day == date(2026, 1, 7)}
    assert read_values(metric, grain="week").points[0].value == len(week)
    assert read_values(metric, grain="day").points[2].value == len(day)


def test_nothing_is_to_be_seen_before_the_switch_and_nothing_is_staged_after(shop, settings):
    settings.WINDOW_SOURCE_ROWS = 10
    shop.publish("sales", sales_spec())
    run = shop.plan("sales")

    take_turn(run.pk, seconds=0)

    metric = Metric.objects.get(key="sales")
    assert StagedValue.objects.exists()
    assert read_values(metric, grain="day").points == []
    assert "that computes them is running" in read_values(metric, grain="day").note

    work_off(run)

    metric.refresh_from_db()
    assert len(read_values(metric, grain="day").points) == 40
    assert not StagedValue.objects.exists()
    assert Served.objects.get().backfill == run


def test_windows_of_any_size_give_the_same_values(shop, settings):
    shop.publish("sales", sales_spec())
    whole = work_off(shop.plan("sales"))
    before = _current()

    for rows in (1, 7, 25):
        settings.WINDOW_SOURCE_ROWS = rows
        again = work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))
        assert again.checksum == whole.checksum
        assert again.result["inserted"] == again.result["closed"] == 0
    assert _current() == before


def test_windows_hold_about_as_many_source_rows(shop, settings):
    settings.WINDOW_SOURCE_ROWS = 20
    shop.publish("sales", sales_spec())
    run = work_off(shop.plan("sales"))

    windows = list(run.windows.all())

    assert len(windows) == 4
    assert all(18 <= window.source_rows <= 22 for window in windows)
    assert sum(window.source_rows for window in windows) == len(company.orders(40))
    assert windows[0].start == company.FIRST
    assert [w.until for w in windows[:-1]] == [w.start for w in windows[1:]]


def test_several_metrics_are_computed_together_and_switch_together(shop):
    shop.publish("sales", sales_spec())
    shop.publish("buyers", buyers_spec())

    run = work_off(shop.plan("sales", "buyers"))

    assert run.status == BackfillStatus.DONE
    assert {served.metric.key for served in Served.objects.all()} == {"sales", "buyers"}
    assert Served.objects.values("backfill").distinct().count() == 1


def test_an_equal_definition_takes_over_the_values_at_once(shop):
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    rows = Observation.objects.count()
    shop.publish("sales", sales_spec())

    run = shop.plan("sales")

    assert run.status == BackfillStatus.DONE
    assert run.result["reused"]
    metric = Metric.objects.get(key="sales")
    assert metric.served_resolution == metric.current_resolution
    assert metric.served_resolution.number == 2
    assert Observation.objects.count() == rows


def test_an_older_run_that_ends_late_takes_nothing_from_a_newer_version(shop):
    shop.publish("sales", sales_spec())
    older = shop.plan("sales")
    shop.publish("sales", sales_spec(filters=["store = 'north'"]), treatment="restate")
    newer = shop.plan("sales")

    work_off(newer)
    work_off(older)

    metric = Metric.objects.get(key="sales")
    assert metric.served_resolution.version.number == 2
    assert {point.version for point in read_values(metric, grain="day").points} == {2}


def test_an_older_run_of_the_same_series_does_not_overwrite_a_newer_one(shop, folder):
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    older = shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author)
    newer = shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author)
    work_off(newer)
    after_newer = _current()
    company.write(folder, company.orders(40)[1:])

    late = work_off(older)

    assert late.status == BackfillStatus.DONE
    assert late.result["inserted"] == late.result["closed"] == 0
    assert _current() == after_newer


def test_only_values_that_moved_make_rows_and_the_old_ones_are_closed(shop, folder):
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    rows = company.orders(40)
    company.write(folder, rows[1:])

    run = work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))

    # The first day is gone, and so is its store; its week and month move, each also by store.
    assert run.result == {
        **run.result,
        "closed": 2 + 2 + 2,
        "inserted": 2 + 2,
    }
    closed = Observation.objects.exclude(known_until=None)
    assert all(row.known_until > row.known_from for row in closed)


def test_a_run_that_is_worked_off_twice_has_the_effect_of_one(shop):
    shop.publish("sales", sales_spec())
    run = work_off(shop.plan("sales"))
    before = _current()

    assert take_turn(run.pk) is False
    work_off(run)

    assert _current() == before
    assert Served.objects.count() == 1


@pytest.mark.parametrize("days", [1, 6])
def test_a_short_range_still_computes_whole_weeks_and_months(shop, folder, days):
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    before = _current()

    run = shop.plan(
        "sales",
        purpose=Purpose.MANUAL,
        actor=shop.author,
        start=date(2026, 1, 21),
        until=date(2026, 1, 21 + days),
    )
    work_off(run)

    assert run.status == BackfillStatus.DONE
    assert _current() == before


def _current() -> list:
    rows = Observation.objects.filter(known_until=None)
    return sorted(rows.values_list("series", "slice", "period", "value", "known_from"), key=str)


def _by_member(values, period: date) -> dict[str | None, Decimal]:
    return {p.members[0]: p.value for p in values.points if p.period == period}


def _by_hand(rows, start: date, days: int) -> dict[str | None, Decimal]:
    sums: dict[str | None, Decimal] = {}
    for row in rows:
        if 0 <= (row.day - start).days < days:
            sums[row.store] = sums.get(row.store, Decimal(0)) + row.amount
    return sums
