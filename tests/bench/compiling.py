"""From a key to its query in a large catalog and in a small one, nothing remembered."""

from __future__ import annotations

import time

from catalog.selectors import entries
from semantics import metricflow
from semantics.definition import Grain
from semantics.guard import Dialect
from semantics.lineage import closure
from semantics.question import Measure
from tests.bench.figures import Figure, median
from tests.bench.ground import LARGE, SMALL, work_on

TIMES = 15


def figure(small_key: str, large_key: str) -> Figure:
    taken: dict[str, list[float]] = {LARGE: [], SMALL: []}
    for turn in range(TIMES + 1):
        for name, key in ((LARGE, large_key), (SMALL, small_key)):
            work_on(name)
            _warm_connection()
            seconds = _compile(key)
            if turn:
                taken[name].append(seconds)
    return Figure(
        "From key to query among 10,000 metrics",
        median(taken[LARGE]),
        median(taken[SMALL]),
        "among 20",
        limit=1.5,
    )


def _warm_connection() -> None:
    entries.Entry.objects.exists()


def _compile(key: str) -> float:
    # What other questions left behind would make both free.
    entries._kept.clear()
    metricflow._compiled.cache_clear()
    began = time.perf_counter()
    standing = entries.in_force([key])
    measure = Measure("m", key, closure(key, standing.around(key)))
    metricflow.compile_question(
        [measure], grain=Grain.WEEK, group_by=["product__department"], dialect=Dialect.DUCKDB
    )
    return time.perf_counter() - began
