"""What the API says when a source fails or a live question is too much."""

import threading
import time

import pytest
from django.db import connections

from measurement.choices import Purpose
from measurement.models import Backfill, Source
from measurement.services import windows
from measurement.services.turns import work_off

COMBINATION = "metrics/sales/values?grain=day&group_by=store,buyer"


@pytest.fixture
def worker(shop):
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


def reading(**changes) -> None:
    """Change how the shop's source is read."""
    source = Source.objects.get(key="shop")
    view = changes.pop("view", source.config["views"]["orders"])
    source.time_limit_seconds = changes.pop("seconds", source.time_limit_seconds)
    source.config = {**source.config, **changes, "views": {"orders": view}}
    source.save()


def test_the_health_of_a_metric_says_what_its_last_run_met(shop, reader, settings):
    settings.WINDOW_ATTEMPTS, settings.WINDOW_RETRY_SECONDS = 1, 0
    fine = reader.get("metrics/sales").json()["health"]
    assert (fine["trouble"], fine["kept"]) == (None, "")
    reading(folder="/nowhere")

    run = work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))

    health = reader.get("metrics/sales").json()["health"]
    assert health["trouble"]["code"] == "source_unavailable"
    assert health["trouble"]["backfill"] == run.pk
    assert "The folder of the source `shop` is missing" in health["trouble"]["sentence"]
    assert health["kept"].startswith("The last good values stay")
    assert reader.get("metrics/sales/values?grain=day").json()["points"]


def test_a_combination_over_its_time_is_refused(reader, settings):
    settings.LIVE_SECONDS = 0.2

    answer = reader.get(COMBINATION)

    assert answer.status_code == 503
    assert answer.json()["code"] == "source_too_slow"
    assert "Ask for a shorter range or fewer dimensions" in answer.json()["message"]


def test_a_combination_over_its_rows_is_refused(reader, worker, monkeypatch):
    monkeypatch.setattr(windows, "LIVE_ROWS", 10)

    answer = reader.get(COMBINATION)

    assert answer.status_code == 422
    assert answer.json()["code"] == "too_many_rows"
    assert "more than 10 rows" in answer.json()["message"]


def test_a_combination_over_its_memory_is_refused(reader, worker):
    reading(
        memory_limit="20MB",
        view="SELECT o.* FROM read_parquet('{folder}/orders.parquet') o "
        "WHERE o.number < (SELECT len(list(range)) FROM range(20000000))",
    )

    answer = reader.get(COMBINATION)

    assert answer.status_code == 422
    assert answer.json()["code"] == "needs_memory"
    assert "more memory than it may use" in answer.json()["message"]


def test_a_combination_over_the_time_of_its_source_is_refused(reader, worker):
    reading(
        seconds=1,
        view="SELECT o.* FROM read_parquet('{folder}/orders.parquet') o "
        "WHERE (SELECT sum(hash(range)) FROM range(100000000000)) >= 0",
    )

    answer = reader.get(COMBINATION)

    assert answer.status_code == 503
    assert answer.json()["code"] == "source_too_slow"
    assert "the query was stopped there" in answer.json()["message"]
