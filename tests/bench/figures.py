"""A figure: what the product took, what the bare thing took in the same run, and the limit."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """`ours` may be at most `limit` times `base`, and `fixed` more. Without a limit it is only
    shown. Both are in `unit`."""

    name: str
    ours: float
    base: float
    against: str
    unit: str = "s"
    limit: float | None = None
    fixed: float = 0.0

    @property
    def ratio(self) -> float:
        return self.ours / self.base

    @property
    def is_held(self) -> bool:
        return self.limit is None or self.ours <= self.limit * self.base + self.fixed

    @property
    def cells(self) -> tuple[str, ...]:
        """Name, ours, base, ratio, limit and verdict, as a table shows them."""
        return (
            self.name,
            self._said(self.ours),
            f"{self._said(self.base)} ({self.against})",
            f"{self.ratio:.2f}x",
            self._limit,
            "" if self.limit is None else "held" if self.is_held else "PASSED",
        )

    @property
    def _limit(self) -> str:
        if self.limit is None:
            return ""
        more = f" + {self.fixed:g} {self.unit}" if self.fixed else ""
        return f"{self.limit:g}x{more}"

    def _said(self, amount: float) -> str:
        if self.unit == "s" and amount < 1:
            return f"{amount * 1000:.0f} ms" if amount >= 0.02 else f"{amount * 1000:.1f} ms"
        return f"{amount:.1f} {self.unit}"


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def by_turns(
    ours: Callable[[], object],
    base: Callable[[], object],
    *,
    times: int,
    before: Callable[[], object] = lambda: None,
) -> tuple[list[float], list[float]]:
    """The seconds of both, measured one after the other so that neighbours disturb them alike.

    The first pair warms both up and does not count. `before` makes room and is not measured.
    """
    pairs = []
    for _ in range(times + 1):
        before()
        pairs.append((timed(ours), timed(base)))
    mine, bare = zip(*pairs[1:], strict=True)
    return list(mine), list(bare)


def median(seconds: list[float]) -> float:
    return statistics.median(seconds)


def p95(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=20, method="inclusive")[-1]
