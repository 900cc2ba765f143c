"""From rows to values that somebody can read, against the query alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import psycopg

from core import clock
from examples import replay
from examples.truth import truth_of
from measurement.choices import Purpose
from measurement.plans import target_of_resolution
from measurement.previews import PreviewItem
from measurement.selectors.values import read_values
from measurement.services.backfills import plan_backfill
from measurement.services.previews import request_preview
from measurement.services.turns import work_off
from semantics.definition import Grain, read_spec
from tests import database
from tests.bench import shop
from tests.bench.figures import Figure, by_turns, median
from tests.bench.ground import SHOP

_BARE_TABLE = """
CREATE TABLE IF NOT EXISTS bench_bare (period date, member text, value numeric(38, 12))
"""


def figures() -> Iterator[Figure]:
    engine = replay.connect(shop.SHIFT, clock.now())
    with psycopg.connect(database.superuser_url(SHOP), autocommit=True) as connection:
        connection.execute(_BARE_TABLE)
        for name, key, grain, dimension, times, fixed in (
            *[("A year by day and department", "net_sales", "day", "product__department", 7, 2.0)],
            ("20.9 million promotions by week", "promotion_placements", "week", "display", 5, 0),
        ):
            bare = _bare(engine, connection, key, grain, dimension)
            ours, base = by_turns(
                lambda key=key, grain=grain, dimension=dimension: through(key, grain, dimension),
                bare,
                times=times,
                before=shop.forget,
            )
            yield Figure(
                f"{name}, from row to readable value",
                median(ours),
                median(base),
                "one bare query, rows copied",
                limit=3,
                fixed=fixed,
            )
    yield _preview(engine)
    engine.close()


def through(key: str, grain: str, dimension: str) -> None:
    """Plan, windows, stage, switch, and the values as a reader gets them."""
    metric = shop.metric(key)
    target = replace(
        target_of_resolution(metric.current_resolution),
        grains=[Grain(grain)],
        dimensions=[dimension],
    )
    run = plan_backfill(
        [target], purpose=Purpose.MANUAL, actor=None, start=shop.START, until=shop.until()
    )
    run = work_off(run)
    values = read_values(metric, grain=grain, group_by=dimension)
    if run.status != "done" or not values.points:
        raise RuntimeError(f"{run} is {run.status}, with {len(values.points)} values to read.")


def _bare(engine, connection, key: str, grain: str, dimension: str) -> Callable[[], None]:
    truth = truth_of(key)
    statement = truth.text.replace("{member}", truth.members[dimension])
    days = {"grain": grain, "start": shop.START, "until": shop.until()}

    def ask() -> None:
        rows = engine.execute(statement, days).fetchall()
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE bench_bare")
            with cursor.copy("COPY bench_bare FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)

    return ask


def _preview(engine) -> Figure:
    """What leaving gasoline out does to net sales; each time over another formula."""
    specs = target_of_resolution(shop.metric("net_sales").current_resolution).specs
    numbers = iter(range(1, 100))
    days = {"grain": "week", "start": shop.START, "until": shop.until()}
    statement = truth_of("net_sales").text.replace("{member}", "NULL")
    everything = statement.replace("<> 'GASOLINE-REG UNLEADED'", "IS NOT NULL")

    def ours() -> None:
        expression = f"sales_value - 0.{next(numbers):02} * coupon_disc"
        document = specs["net_sales"].model_dump(mode="json")
        changed = read_spec({**document, "filters": [], "expression": expression})
        item = PreviewItem("net_sales", specs, {**specs, "net_sales": changed})
        run = work_off(request_preview([item], actor=None))
        if run.status != "done" or not run.result["figures"]["net_sales"]["points"]:
            raise RuntimeError(f"The preview is {run.status}: {run.error}")

    def base() -> None:
        for text in (statement, everything):
            _require(engine.execute(text, days).fetchall())

    mine, bare = by_turns(ours, base, times=7)
    return Figure(
        "Preview of old and new over the year",
        median(mine),
        median(bare),
        "two bare queries",
        limit=2,
    )


def _require(rows: Sequence) -> None:
    if not rows:
        raise RuntimeError("The bare query found nothing.")
