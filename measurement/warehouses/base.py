"""What a warehouse is to the rest of Etalon: something that answers one SELECT under limits.

A driver is one file beside this one. It promises: nothing is ever written, exactly one statement
runs, a query ends at its time limit at the source too, and an answer is never larger than its
limits. It holds that promise alone, whatever text it is given; the gate in `semantics.guard` is
another wall, not the only one.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Protocol

import structlog

from core.errors import QueryFailed, SourceTooSlow, TooManyRows
from semantics.guard import Dialect

log = structlog.get_logger()

ROW_LIMIT = 2_000_000
BYTE_LIMIT = 512 * 1024 * 1024
ROWS_A_FETCH = 5_000
_PLACES = 12
# As wide as the stored column: a larger value raises instead of losing digits.
_STORED = Context(prec=38, rounding=ROUND_HALF_EVEN)
_INEXACT = Context(prec=12, rounding=ROUND_HALF_EVEN)


# Engines work some expressions out in one step in which they hear no interrupt. A worker ends
# itself when that lasts this long over the limit, as a crash would: its window is taken over, and
# is parked when that goes on.
DEAF_SECONDS = 5.0
_ends_when_deaf = False


def end_process_when_deaf() -> None:
    """Let this process and its later children end when an engine cannot be stopped otherwise."""
    global _ends_when_deaf  # noqa: PLW0603 - a property of the process
    _ends_when_deaf = True


class NeedsMemory(QueryFailed):
    """A query needs more memory than the source may use; a shorter range may do."""

    code = "needs_memory"


class Stopped(Exception):
    """A query was stopped because nobody wants its answer any more."""


@dataclass(frozen=True)
class Answer:
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


@dataclass(frozen=True)
class Limits:
    """How long a query may take and how much it may answer."""

    seconds: float
    rows: int = ROW_LIMIT
    bytes: int = BYTE_LIMIT


class Warehouse(Protocol):
    """One open, read-only connection to a source, used by one thread at a time."""

    dialect: Dialect
    # How much of a window one row fills; see `choices.ROW_WEIGHTS`.
    row_weight: float

    def query(self, sql: str, limits: Limits, *, now: datetime | None = None) -> Answer:
        """Run one SELECT. `now` is the instant as of which the source is read, if it can tell.

        Raises SourceTooSlow, SourceUnavailable, QueryFailed or TooManyRows; Stopped when
        `interrupt` was called.
        """

    def interrupt(self) -> None:
        """Stop the running query, from another thread. Without one, nothing happens."""

    def columns(self, relation: str) -> Mapping[str, str]:
        """The columns of a table or view with their types; empty when there is none."""

    def tables(self) -> list[str]:
        """The tables and views that can be read, as a dataset names them: `shop.orders`."""

    def is_current(self) -> bool:
        """Whether what the connection was opened on is still what is there."""

    def close(self) -> None: ...


@dataclass
class Stopper:
    """Stops a running query at its time limit or on demand, and remembers which it was."""

    stop: Any
    expired: bool = False
    wanted: bool = False
    _running: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        timers = [threading.Timer(seconds, self._expire)]
        if _ends_when_deaf:
            timers.append(threading.Timer(seconds + DEAF_SECONDS, _end_process))
        self.expired = self.wanted = False
        self._running = True
        for timer in timers:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()
            # Under the lock: a stop that is under way must not hit the next query.
            with self._lock:
                self._running = False

    def interrupt(self) -> None:
        with self._lock:
            if self._running:
                self.wanted = True
                self.stop()

    def _expire(self) -> None:
        with self._lock:
            if self._running:
                self.expired = True
                self.stop()

    def reason(self, seconds: float) -> Exception | None:
        """Why the query was stopped, as what to raise; None when it was not."""
        if self.wanted:
            return Stopped()
        return too_slow(seconds) if self.expired else None


def _end_process() -> None:
    log.critical("engine_is_deaf", process=os.getpid())
    os._exit(70)


def too_slow(seconds: float) -> SourceTooSlow:
    return SourceTooSlow(
        f"The source took longer than {seconds:.3g} seconds, and the query was stopped there. "
        "Ask for a shorter range or fewer dimensions, or raise the source's time limit."
    )


def gather(batches: Iterable[list[tuple]], columns: tuple[str, ...], limits: Limits) -> Answer:
    """Collect an answer and refuse it as soon as it grows beyond its limits."""
    rows: list[tuple] = []
    size = 0
    for batch in batches:
        rows += batch
        size += sum(map(_size, batch))
        if len(rows) > limits.rows:
            raise TooManyRows(
                f"The answer has more than {limits.rows:,} rows. "
                "Ask for a shorter range, a coarser grain or fewer dimensions."
            )
        if size > limits.bytes:
            raise TooManyRows("The answer is too large. Ask for a shorter range.")
    return Answer(columns, rows)


def _size(row: tuple) -> int:
    return sum(len(value) if isinstance(value, str | bytes) else 16 for value in row)


def number(value: Any) -> Decimal | None:
    """A value as it is stored: inexact ones at 12 significant digits, everything to 12 places.

    Sums of floats differ in their last bits with the order of rows, and engines carry quotients
    to different lengths: a decimal of more than 12 places is one. What is no number is None.
    """
    if value is None:
        return None
    if isinstance(value, float):
        value = Decimal(f"{value:.12g}")
    elif not isinstance(value, Decimal):
        value = Decimal(value)
    if not value.is_finite():
        return None
    if value.as_tuple().exponent < -_PLACES:
        value = _INEXACT.plus(value)
    return value.quantize(Decimal(1).scaleb(-_PLACES), context=_STORED)
