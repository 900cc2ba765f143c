"""Real workers that are killed, frozen or never told: every run ends with the same rows."""

import os
import time

import pytest

from core import jobs
from measurement.choices import BackfillStatus, WindowState
from measurement.services.turns import work_off
from tests.campaigns import kills
from tests.measurement.catalog import sales_spec

pytestmark = pytest.mark.slow

# `make soak` kills more.
KILLS = int(os.environ.get("KILLS", "5"))


def test_killed_at_any_moment_a_run_ends_as_an_undisturbed_one(rig, shop, record_figure):
    report = kills.campaign(rig, shop, kills=KILLS)
    record_figure(f"`kill -9` during backfills: {report}")

    assert report.total == KILLS


def test_a_frozen_worker_is_overtaken_and_writes_nothing_when_it_thaws(rig, shop):
    shop.publish("sales", sales_spec())
    undisturbed = kills.rows_of(work_off(shop.plan("sales")))
    rig.start(kills.WORKER, kills.SWEEPER, "beat", env=kills.ENVIRONMENT | {"ETALON_NOW": shop.now})
    shop.publish("sales", sales_spec(filters=["buyer >= 0"]), treatment="restate")
    run = shop.plan("sales")
    rig.wait(lambda: run.windows.filter(state=WindowState.LEASED).exists(), pause=0.001)
    rig.stop(kills.WORKER)

    rig.start(f"{kills.WORKER}#2")
    rig.wait(lambda: _is_done(run), 180, what="the other worker ended the run")
    before = kills.rows_of(run)
    rig.cont(kills.WORKER)
    time.sleep(1.5)

    assert before == undisturbed
    assert kills.rows_of(run) == undisturbed
    assert run.history.filter(status=BackfillStatus.DONE).count() == 1


def test_a_run_that_no_message_tells_of_is_found_by_the_sweep(rig, shop, monkeypatch):
    rig.start(kills.WORKER, kills.SWEEPER, "beat", env=kills.ENVIRONMENT | {"ETALON_NOW": shop.now})
    shop.publish("sales", sales_spec())
    monkeypatch.setattr(jobs, "_send", lambda *_: None)

    run = shop.plan("sales")

    rig.wait(lambda: _is_done(run), 120, what="the sweep found the run")


def _is_done(run) -> bool:
    run.refresh_from_db()
    return run.status == BackfillStatus.DONE
