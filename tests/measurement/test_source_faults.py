"""Sources that are away, that moved, or that are too slow: the last good values stay, the metric
says so, and when the source is back the runs go on by themselves."""

from datetime import timedelta
from functools import partial

import psycopg
import pytest

from catalog.models import Metric
from measurement.choices import BackfillStatus, Outcome, Purpose, WindowState
from measurement.models import CheckRun, Source
from measurement.selectors.health import health_of
from measurement.selectors.values import read_values
from measurement.services import sweeping
from measurement.services.checks import run_due_checks
from measurement.services.daily import extend_live_metrics
from measurement.services.turns import work_off
from tests.database import superuser_url
from tests.measurement import company, warehouse
from tests.measurement.catalog import orders_spec, sales_spec
from tests.measurement.test_running import SLOW_VIEW

ROWS = company.orders(45)


@pytest.fixture
def sales(shop, folder, settings):
    """Sales computed until today, one attempt a window; more rows arrive each day."""
    settings.WINDOW_RETRY_SECONDS, settings.WINDOW_ATTEMPTS = 0, 1
    company.write(folder, ROWS)
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    return shop


def lose_the_file(shop, folder):
    (folder / "orders.parquet").rename(folder / "away.parquet")


def lose_a_column(shop, folder):
    company.write(folder, ROWS, without="amount")


def turn_a_column_into_text(shop, folder):
    view = (
        "SELECT * REPLACE ('EUR ' || amount AS amount) FROM read_parquet('{folder}/orders.parquet')"
    )
    _view(view)


def _view(text: str, *, seconds: int = 30) -> None:
    source = Source.objects.get(key="shop")
    source.config["views"]["orders"] = text
    source.time_limit_seconds = seconds
    source.save()


def slow_down(shop, folder):
    _view(SLOW_VIEW, seconds=1)


FAULTS = [
    (lose_the_file, "source_unavailable", "cannot offer `orders`"),
    (lose_a_column, "source_unavailable", "no longer has `amount`"),
    (turn_a_column_into_text, "source_unavailable", "now has `amount` as VARCHAR"),
    (slow_down, "source_too_slow", "took longer than 1 seconds, and the query was stopped there"),
]


@pytest.mark.parametrize(
    ("fault", "code", "says"), FAULTS, ids=lambda x: getattr(x, "__name__", "")
)
def test_a_run_that_meets_a_fault_leaves_the_values_and_says_so(sales, folder, fault, code, says):
    before = _days()
    fault(sales, folder)

    run = work_off(sales.plan("sales", purpose=Purpose.MANUAL, actor=sales.author))

    assert run.status == BackfillStatus.FAILED
    health = health_of(Metric.objects.get(key="sales"))
    assert (health.trouble.code, health.trouble.run) == (code, run)
    assert says in health.trouble.sentence
    assert health.kept == "The last good values stay; they are complete until 13 February 2026."
    assert _days() == before


def test_a_run_by_hand_goes_on_by_itself_once_its_source_is_back(sales, folder, settings):
    lose_the_file(sales, folder)
    run = work_off(sales.plan("sales", purpose=Purpose.MANUAL, actor=sales.author))
    settings.ETALON_NOW += timedelta(minutes=6)
    assert sweeping.retry_returned() == []

    (folder / "away.parquet").rename(folder / "orders.parquet")
    assert sweeping.retry_returned() == [run.pk]

    assert work_off(run).status == BackfillStatus.DONE
    assert health_of(Metric.objects.get(key="sales")).trouble is None
    assert run.history.filter(history_change_reason="its source is back").exists()


def test_what_a_later_run_has_computed_is_not_tried_again(sales, folder, settings):
    lose_the_file(sales, folder)
    work_off(sales.plan("sales", purpose=Purpose.MANUAL, actor=sales.author))
    (folder / "away.parquet").rename(folder / "orders.parquet")
    work_off(sales.plan("sales", purpose=Purpose.MANUAL, actor=sales.author))
    settings.ETALON_NOW += timedelta(minutes=6)

    assert sweeping.retry_returned() == []


def test_a_daily_run_that_cannot_be_planned_is_said_at_once_and_made_up_for(
    sales, folder, settings
):
    before = _days()
    settings.ETALON_NOW += timedelta(days=1)
    lose_the_file(sales, folder)

    assert extend_live_metrics() == extend_live_metrics() == []

    assert CheckRun.objects.filter(outcome=Outcome.ERROR).count() == 1
    health = health_of(Metric.objects.get(key="sales"))
    assert "cannot offer `orders`" in health.doubt
    assert health.kept == "The last good values stay; they are complete until 13 February 2026."
    assert _days() == before

    (folder / "away.parquet").rename(folder / "orders.parquet")
    run_due_checks()
    (run,) = extend_live_metrics()
    assert work_off(run).status == BackfillStatus.DONE
    assert len(_days()) == len(before) + 1
    assert (health_of(Metric.objects.get(key="sales")).doubt, health.trouble) == ("", None)


def test_a_daily_run_that_meets_a_lost_column_is_made_up_for_an_hour_later(sales, folder, settings):
    settings.ETALON_NOW += timedelta(days=1)
    (run,) = extend_live_metrics()
    lose_a_column(sales, folder)
    assert work_off(run).status == BackfillStatus.FAILED
    assert health_of(Metric.objects.get(key="sales")).trouble.run == run
    company.write(folder, ROWS)

    settings.ETALON_NOW += timedelta(hours=2)
    (again,) = extend_live_metrics()

    assert work_off(again).status == BackfillStatus.DONE
    assert health_of(Metric.objects.get(key="sales")).trouble is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("RENAME amount TO money", "no longer has `amount`"),
        ("ALTER amount TYPE text", "now has `amount` as TEXT"),
    ],
)
def test_a_database_whose_table_moved_says_what_moved(
    shop, settings, warehouse_url, monkeypatch, change, says
):
    monkeypatch.setenv(warehouse.URL_ENV, warehouse_url)
    settings.WINDOW_RETRY_SECONDS, settings.WINDOW_ATTEMPTS = 0, 1
    Source.objects.create(
        key="database",
        name="Database",
        kind="postgresql",
        first_day=company.FIRST,
        config={"url_env": warehouse.URL_ENV},
    )
    shop.publish("kept_orders", orders_spec(source="database"))
    shop.publish("kept_sales", sales_spec(dataset="kept_orders"))
    with psycopg.connect(superuser_url(warehouse.DATABASE)) as owner:
        owner.execute(f"ALTER TABLE shop.orders {change}")
    undo = {"RENAME": "RENAME money TO amount"}.get(
        change.split()[0], "ALTER amount TYPE numeric(12, 2) USING amount::numeric"
    )
    try:
        run = work_off(shop.plan("kept_sales"))
    finally:
        with psycopg.connect(superuser_url(warehouse.DATABASE)) as owner:
            owner.execute(f"ALTER TABLE shop.orders {undo}")

    assert run.status == BackfillStatus.FAILED
    assert says in run.error
    settings.ETALON_NOW += timedelta(minutes=6)
    assert sweeping.retry_returned() == [run.pk]
    work_off(run)
    assert set(run.windows.values_list("state", flat=True)) == {WindowState.DONE}


@pytest.mark.slow
def test_workers_keep_the_values_while_the_file_is_away_and_go_on_when_it_is_back(
    rig, sales, folder, settings
):
    before = _days()
    settings.ETALON_NOW += timedelta(days=1)
    lose_the_file(sales, folder)
    often = {"DAILY_SECONDS": "1", "SWEEP_SECONDS": "1", "CHECK_SWEEP_SECONDS": "1"}
    rig.start("worker:default", "worker:backfill", "beat", env=often | {"ETALON_NOW": sales.now})

    health = rig.wait(partial(_doubted, "cannot offer `orders`"), what="the metric says it")
    assert health.kept.startswith("The last good values stay")
    assert _days() == before

    (folder / "away.parquet").rename(folder / "orders.parquet")
    rig.wait(lambda: len(_days()) == len(before) + 1, what="the next day is computed")
    rig.wait(lambda: not health_of(Metric.objects.get(key="sales")).doubt, what="no doubt is left")


def _doubted(says: str):
    health = health_of(Metric.objects.get(key="sales"))
    return health if says in health.doubt else None


def _days() -> dict:
    points = read_values(Metric.objects.get(key="sales"), grain="day").points
    return {point.period: point.value for point in points}
