"""The example company's rows with two of its metrics, over the whole replayed year."""

from __future__ import annotations

from datetime import date, timedelta

import psycopg

from catalog.models import Metric
from core import clock
from examples.company import Company
from examples.load import set_checks
from examples.replay import FIRST_MONDAY, ZONE, Shift
from examples.source import add_source
from measurement.models import Backfill
from measurement.services.turns import work_off
from tests import database
from tests.bench.catalogs import people, publish
from tests.bench.ground import SHOP, WEEKS
from tests.factories import make_domain

SHIFT = Shift(WEEKS)
START = SHIFT.moved(FIRST_MONDAY)
# Only what is measured is computed, so that the measuring begins soon.
_STORED: dict[str, dict] = {
    "net_sales": {"grains": ["day", "week"], "dimensions": ["product__department"]},
    "promotion_placements": {"grains": ["week"], "dimensions": ["display"]},
}
KEYS = ("lines", "products", "households", "promotions", "net_sales", "promotion_placements")


def until() -> date:
    return clock.today(ZONE) + timedelta(days=1)


def found() -> None:
    """Publish the datasets and metrics in the database at hand, and compute their values."""
    ana, cem = people()
    make_domain("data")
    make_domain("sales")
    add_source(SHIFT, actor=None)
    company = Company()
    publish([_item(company.entries[key]) for key in KEYS], ana, cem)
    set_checks(company)
    for run in Backfill.objects.filter(purpose="publish"):
        run = work_off(run)
        if run.status != "done":
            raise RuntimeError(f"{run} is {run.status}: {run.error}")


def _item(entry) -> dict:
    return {
        "key": entry.key,
        "kind": entry.kind,
        "base": None,
        "spec": {**entry.spec, **_STORED.get(entry.key, {})},
        "words": entry.words,
        "stewardship": {"domain": "sales", "tier": 3, "owners": ["ana"]},
    }


def metric(key: str) -> Metric:
    return Metric.objects.select_related("current_resolution", "served_resolution").get(key=key)


def forget() -> None:
    """Remove all values, so that a run has to write every row again. Only a superuser can."""
    with psycopg.connect(database.superuser_url(SHOP)) as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("TRUNCATE measurement_observation")
