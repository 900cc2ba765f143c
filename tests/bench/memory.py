"""How much memory a web process holds at rest, and whether a worker's grows with its windows."""

from __future__ import annotations

from collections.abc import Iterator

import psutil

from measurement.choices import Purpose, WindowState
from measurement.models import BackfillWindow
from measurement.plans import target_of_resolution
from measurement.services.backfills import plan_backfill
from tests.bench import shop
from tests.bench.figures import Figure
from tests.bench.ground import SHOP, addresses, work_on
from tests.bench.reading import Visitor
from tests.rig import Rig

MEGABYTE = 1024 * 1024
MOST_AT_REST = 150.0
FEW, MANY = 10, 100
# So small that the year becomes more than a hundred windows.
ROWS_A_WINDOW = "12000"
PAGES = ("/", "/metrics", "/metrics/net_sales", "/changes", "/backfills", "/tree")


def figures() -> Iterator[Figure]:
    work_on(SHOP)
    with Rig() as rig:
        rig.env.update(addresses(SHOP))
        rig.start("web", processes=1)
        at_rest = _largest(rig)
        yield Figure(
            "A web process at rest, resident",
            at_rest,
            MOST_AT_REST,
            "what it may hold",
            unit="MB",
            limit=1,
        )
        ana = Visitor(rig, SHOP)
        for path in PAGES:
            ana.page(path)()
        shown = "The same when it has shown its pages, resident"
        yield Figure(shown, _largest(rig), at_rest, "at rest", unit="MB")
    with Rig() as rig:
        rig.env.update({**addresses(SHOP), "WINDOW_SOURCE_ROWS": ROWS_A_WINDOW})
        rig.start("worker:backfill", processes=1)
        yield _worker(rig)


def _worker(rig: Rig) -> Figure:
    """The one child of a worker, after ten windows of a run and after a hundred."""
    target = target_of_resolution(shop.metric("net_sales").current_resolution)
    run = plan_backfill(
        [target], purpose=Purpose.MANUAL, actor=None, start=shop.START, until=shop.until()
    )
    (child,) = rig.children("worker:backfill")
    held: dict[int, float] = {}
    for count in (FEW, MANY):
        rig.wait(lambda count=count: _done(run) >= count, 300, 0.05, f"{count} windows")
        held[count] = _resident(child)
    if rig.children("worker:backfill") != [child]:
        raise RuntimeError("Another child took over, so that what grew is not known.")
    return Figure(
        f"A worker after {MANY} windows, resident",
        held[MANY],
        held[FEW],
        f"after {FEW}",
        unit="MB",
        limit=1.1,
    )


def _done(run) -> int:
    return BackfillWindow.objects.filter(backfill=run, state=WindowState.DONE).count()


def _largest(rig: Rig) -> float:
    return max(_resident(child) for child in rig.children("web"))


def _resident(process: psutil.Process) -> float:
    return process.memory_info().rss / MEGABYTE
