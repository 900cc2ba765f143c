"""`make bench`: bring up servers, fill them, measure, print, and write the page of figures."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator

from tests.bench import ground
from tests.bench.figures import Figure

FEW, SOME, MANY = 20, 1_000, 10_000
# A metric of a large request may take this much more than one of a smaller request.
GROWTH = 1.5


def main() -> int:
    began, load = time.monotonic(), os.getloadavg()[1]
    figures: list[Figure] = []
    with ground.servers():
        # Django is set up by now, which what these import needs.
        from tests.bench import report

        for figure in _figures():
            figures.append(figure)
            print("  " + " | ".join(cell for cell in figure.cells if cell), flush=True)
        report.write(figures, time.monotonic() - began, load)
        print(f"\n{report.table(figures)}\n\n  Written to {report.PAGE}")
    passed = [figure.name for figure in figures if not figure.is_held]
    if passed:
        print(f"  Limits passed: {'; '.join(passed)}.")
    return 1 if passed else 0


def _figures() -> Iterator[Figure]:
    from tests.bench import catalogs, compiling, computing, memory, reading, shop

    ground.work_on(ground.SHOP)
    _say("The example company's year")
    shop.found()
    yield from computing.figures()
    yield from reading.values()
    yield from memory.figures()

    _say("Catalogs of 20 and 10,000 metrics")
    ground.work_on(ground.SMALL)
    catalogs.seed(FEW)
    seeded = []
    for name, count in ((ground.SOME, SOME), (ground.LARGE, MANY), (ground.SOME_MORE, SOME)):
        ground.work_on(name)
        seeded.append(catalogs.seed(count))
    before, many, after = (one.seconds / one.count * SOME for one in seeded)
    yield Figure(
        f"One request over {MANY:,} metrics, opened to published, for each {SOME:,}",
        many,
        (before + after) / 2,
        f"one over {SOME:,}, before and after",
        limit=GROWTH,
    )
    reading.settle_down()
    key = next(catalogs.metrics(1))["key"]
    yield from reading.catalog(key, key)
    yield compiling.figure(key, key)


def _say(what: str) -> None:
    print(f"  {what} ...", flush=True)


if __name__ == "__main__":
    sys.exit(main())
