"""Values that are not stored are computed when asked for, by a worker, under limits."""

import threading
import time
from datetime import date, timedelta

import pytest
from django.db import connections

from catalog.models import Metric
from core.errors import Invalid, SourceTooSlow, TooManyRows
from measurement.choices import BackfillStatus, Purpose
from measurement.models import Backfill, Observation, StagedValue
from measurement.services import live, sweeping, windows
from measurement.services.turns import work_off
from tests.measurement import company
from tests.measurement.catalog import sales_spec


@pytest.fixture
def metric(shop):
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    return Metric.objects.get(key="sales")


@pytest.fixture
def worker(metric):
    """What a worker does: it computes live questions as they come."""
    stop = threading.Event()

    def work():
        try:
            while not stop.is_set():
                for run in Backfill.objects.filter(purpose=Purpose.LIVE, status="planned"):
                    work_off(run)
                time.sleep(0.02)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


def test_a_combination_of_dimensions_is_computed_when_asked_for(metric, worker):
    values = live.read_any_values(metric, grain="week", group_by=["store", "buyer"])

    by_hand = {}
    for row in company.orders(40):
        if row.day < company.FIRST + timedelta(days=7):
            members = (row.store, str(row.customer))
            by_hand[members] = by_hand.get(members, 0) + row.amount
    first = {p.members: p.value for p in values.points if p.period == company.FIRST}
    assert first == by_hand
    assert {point.version for point in values.points} == {1}
    assert not Observation.objects.filter(series__dimension__contains=",").exists()


def test_a_dimension_that_is_not_stored_is_computed_too(metric, worker):
    values = live.read_any_values(metric, grain="month", group_by=["buyer"])
    assert {point.members[0] for point in values.points} == {"0", "1", "2", "3", "4"}


def test_what_is_stored_is_read(metric):
    values = live.read_any_values(metric, grain="week", group_by=["store"])
    assert values.points[0].run is not None
    assert not Backfill.objects.filter(purpose=Purpose.LIVE).exists()


def test_asking_again_costs_nothing(metric, worker):
    first = live.read_any_values(metric, grain="week", group_by=["store", "buyer"])
    again = live.read_any_values(metric, grain="week", group_by=["store", "buyer"])

    assert first.points == again.points
    assert Backfill.objects.filter(purpose=Purpose.LIVE).count() == 1


def test_without_an_answer_in_time_the_question_is_stopped(metric, settings):
    settings.LIVE_SECONDS = 0.2

    with pytest.raises(SourceTooSlow, match="No answer within"):
        live.read_any_values(metric, grain="week", group_by=["store", "buyer"])

    run = Backfill.objects.get(purpose=Purpose.LIVE)
    assert run.status == BackfillStatus.CANCELLED


def test_too_many_rows_are_refused(metric, worker, monkeypatch):
    monkeypatch.setattr(windows, "LIVE_ROWS", 10)
    with pytest.raises(TooManyRows, match="more than 10 rows"):
        live.read_any_values(metric, grain="day", group_by=["store", "buyer"])


@pytest.mark.parametrize(
    ("group_by", "message"),
    [
        (["store", "colour"], "cannot be asked by `colour`. It can be by"),
        (["store", "buyer", "store", "buyer"], "at most 3 dimensions"),
    ],
)
def test_what_cannot_be_asked_is_refused(metric, group_by, message):
    with pytest.raises(Invalid, match=message):
        live.read_any_values(metric, grain="day", group_by=group_by)


def test_the_past_of_what_is_not_stored_cannot_be_known(metric, settings):
    with pytest.raises(Invalid, match="not known for values that are not stored"):
        live.read_any_values(
            metric,
            grain="day",
            group_by=["store", "buyer"],
            as_of=Observation.objects.first().known_from + timedelta(days=1),
        )


def test_a_live_answer_carries_what_changed_and_says_where_it_is_not_the_official_line(
    shop, metric, worker
):
    spec = sales_spec(filters=["store = 'north'"])
    shop.publish("sales", spec, treatment="break", effective_from=date(2026, 1, 26))
    work_off(shop.plan("sales"))
    metric.refresh_from_db()

    values = live.read_any_values(metric, grain="week", group_by=["store", "buyer"])
    assert [(mark.version, mark.treatment) for mark in values.marks] == [(2, "break")]
    assert "Before 2026-01-26 the official line is of an earlier version" in values.note
    after = live.read_any_values(
        metric, grain="week", group_by=["store", "buyer"], start=date(2026, 1, 26)
    )
    assert (len(after.marks), after.note) == (1, "")


def test_what_was_reported_of_what_is_not_stored_cannot_be_known(metric):
    with pytest.raises(Invalid, match="What was reported then is not known"):
        live.read_any_values(metric, grain="day", group_by=["store", "buyer"], line="reported")


def test_answers_are_forgotten_after_an_hour(metric, worker, settings):
    live.read_any_values(metric, grain="week", group_by=["store", "buyer"], start=date(2026, 2, 2))
    settings.ETALON_NOW += timedelta(hours=2)

    sweeping.forget_staged()

    assert not StagedValue.objects.exists()
