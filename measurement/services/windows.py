"""The windows of a run: leased with a fencing token, computed, staged.

A window is computed outside of any transaction, since that may take minutes. Its values and its
tick are then written together by whoever still holds the window's token; everybody else is
refused. All times of leases are the database's.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connection, connections, transaction
from django.db.models.functions import Now

from core.errors import EtalonError, QueryFailed, SourceTooSlow, SourceUnavailable
from measurement.choices import PASSING, BackfillStatus, Purpose, WindowState
from measurement.closures import closure_of, datasets
from measurement.models import Backfill, BackfillWindow, StagedValue
from measurement.periods import Calendar
from measurement.services.cutting import is_too_much, split_window
from measurement.services.questions import Group, StagedRow, ask, groups_of, questions_of
from measurement.warehouses import open_source
from measurement.warehouses.base import Limits, Stopped, Warehouse
from measurement.warehouses.datasets import what_is_missing

log = structlog.get_logger()

# How often a worker looks whether its window is still its own, and says that it is alive.
WATCH_SECONDS = 2.0
# What all questions of one window may take together; the task's own limit is above.
WINDOW_SECONDS = 200.0
LIVE_ROWS = 20_000


# --- leasing -------------------------------------------------------------------------------

# One statement: two workers never take the same window, and both take one without waiting. A run
# that is only looked at is nothing without all of its windows: after one was given up, none is
# computed in vain.
_LEASE = """
UPDATE measurement_backfillwindow SET state = 'leased', token = token + 1,
       attempts = attempts + 1, lease_until = clock_timestamp() + %(lease)s
WHERE id = (
    SELECT w.id
    FROM measurement_backfillwindow w JOIN measurement_backfill b ON b.id = w.backfill_id
    WHERE b.id = %(backfill)s AND b.status = 'running' AND w.attempts < %(attempts)s
      AND (w.state = 'due' AND w.due_at <= clock_timestamp()
           OR w.state = 'leased' AND w.lease_until < clock_timestamp())
      AND NOT (b.purpose = ANY(%(passing)s) AND EXISTS (
          SELECT FROM measurement_backfillwindow other
          WHERE other.backfill_id = b.id AND other.state = 'parked'))
    ORDER BY w.position LIMIT 1 FOR UPDATE OF w SKIP LOCKED
)
RETURNING id
"""
# A window that was never handed back ended its workers; it must not go on doing so for ever.
_PARK_DEADLY = """
UPDATE measurement_backfillwindow SET state = 'parked', error = %(error)s
WHERE backfill_id = %(backfill)s AND state = 'leased' AND lease_until < clock_timestamp()
  AND attempts >= %(attempts)s
"""


def lease_window(backfill_id: int) -> BackfillWindow | None:
    """Take the next due window for ourselves, or return None when there is none."""
    values = {
        "backfill": backfill_id,
        "attempts": settings.WINDOW_ATTEMPTS,
        "passing": list(PASSING),
        "lease": timedelta(seconds=settings.WINDOW_LEASE_SECONDS),
        "error": "The worker that computed it ended each time, without a word of why.",
    }
    with connection.cursor() as cursor:
        cursor.execute(_PARK_DEADLY, values)
        cursor.execute(_LEASE, values)
        row = cursor.fetchone()
    return BackfillWindow.objects.get(pk=row[0]) if row else None


class _Watch:
    """Renews a window's lease while its query runs, and stops the query when the window is lost:
    taken over by another worker, or its run cancelled."""

    def __init__(self, window: BackfillWindow):
        self.window = window
        self.is_lost = False
        self.warehouse: Warehouse | None = None
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def require(self) -> None:
        if self.is_lost:
            raise Stopped

    def _watch(self) -> None:
        pause = min(WATCH_SECONDS, settings.WINDOW_LEASE_SECONDS / 3)
        try:
            while not self._done.wait(pause):
                self._look()
        finally:
            connections.close_all()

    def _look(self) -> None:
        held = BackfillWindow.objects.filter(
            pk=self.window.pk,
            token=self.window.token,
            state=WindowState.LEASED,
            backfill__status__in=[BackfillStatus.RUNNING, BackfillStatus.PAUSED],
        )
        lease = timedelta(seconds=settings.WINDOW_LEASE_SECONDS)
        if held.update(lease_until=Now() + lease):
            return
        # Not to be seen at all: it was made in a transaction of our caller.
        if BackfillWindow.objects.filter(pk=self.window.pk).exists():
            self.is_lost = True
            if self.warehouse is not None:
                self.warehouse.interrupt()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()


# --- computing -----------------------------------------------------------------------------


def compute_window(window: BackfillWindow) -> None:
    """Measure a window and stage its values, or put it off with the reason.

    Doing it twice gives the same rows. A worker whose lease ran out meanwhile writes nothing.
    """
    backfill = window.backfill
    started = time.monotonic()
    try:
        with _Watch(window) as watch:
            rows = _measure(backfill, window, watch, started + WINDOW_SECONDS)
    except Stopped:
        return
    except SoftTimeLimitExceeded:
        error = SourceTooSlow("The window took longer than a worker may take for one.")
        _put_off(window, backfill, error)
        return
    except EtalonError as error:
        if not is_too_much(window, error) or not split_window(window):
            _put_off(window, backfill, error)
        return
    stage(window, rows, seconds=time.monotonic() - started)


def _measure(
    backfill: Backfill, window: BackfillWindow, watch: _Watch, deadline: float
) -> list[StagedRow]:
    rows: list[StagedRow] = []
    is_live = backfill.purpose == Purpose.LIVE
    for group in groups_of(list(backfill.targets.all())):
        warehouse = watch.warehouse = open_source(group.source)
        with _missing_columns_named(group, warehouse):
            for question in questions_of(group, with_total=not is_live):
                watch.require()
                start, until = range_of(backfill, window, group.calendar, question.grain)
                if start >= until:
                    continue
                left = min(group.source.time_limit_seconds, deadline - time.monotonic())
                if left <= 0:
                    raise SourceTooSlow(
                        f"All questions of one window took longer than {WINDOW_SECONDS:.0f} "
                        "seconds. Store fewer dimensions or grains."
                    )
                limits = Limits(left, rows=LIVE_ROWS) if is_live else Limits(left)
                rows += ask(
                    question,
                    warehouse,
                    start=start,
                    until=until,
                    limits=limits,
                    now=backfill.created_at,
                )
    return rows


def range_of(
    backfill: Backfill, window: BackfillWindow, calendar: Calendar, grain
) -> tuple[date, date]:
    """The days that a window asks for: the whole of every period that begins in it.

    The first window also takes the period that the run's first day lies in. No day is asked
    for that had not begun when the run was planned.
    """
    cut = calendar.floor if window.start == backfill.start else calendar.ceil
    begun = backfill.created_at.astimezone(ZoneInfo(calendar.zone)).date() + timedelta(days=1)
    return cut(window.start, grain), min(
        calendar.ceil(window.until, grain), max(begun, backfill.until)
    )


@contextmanager
def _missing_columns_named(group: Group, warehouse: Warehouse) -> Iterator[None]:
    """Say which declared columns are gone, where a source only says that it failed."""
    try:
        yield
    except (SourceUnavailable, QueryFailed) as error:
        if isinstance(error, SourceTooSlow):
            raise
        declared = {}
        for target in group.targets:
            declared.update(datasets(closure_of(target.definitions)))
        if missing := what_is_missing(warehouse, group.source.key, declared):
            raise missing from error
        raise


def _put_off(window: BackfillWindow, backfill: Backfill, error: EtalonError) -> None:
    """Let a window wait, longer each time; park it when more attempts promise nothing."""
    hopeless = isinstance(error, QueryFailed) or backfill.purpose in PASSING
    is_parked = hopeless or window.attempts >= settings.WINDOW_ATTEMPTS
    wait = timedelta(seconds=settings.WINDOW_RETRY_SECONDS * 2 ** (window.attempts - 1))
    BackfillWindow.objects.filter(pk=window.pk, token=window.token).update(
        state=WindowState.PARKED if is_parked else WindowState.DUE,
        due_at=Now() + wait,
        lease_until=None,
        error=error.message,
        error_code=error.code,
    )
    log.warning("window_put_off", backfill=backfill.pk, window=window.pk, error=error.message)


# --- staging -------------------------------------------------------------------------------

_COPY = """
COPY measurement_stagedvalue
    (backfill_id, window_id, target_id, grain, dimension, member, period,
     value, numerator, denominator)
FROM STDIN
"""
_STATUS_SHARED = "SELECT status FROM measurement_backfill WHERE id = %s FOR SHARE"


@transaction.atomic
def stage(window: BackfillWindow, rows: list[StagedRow], *, seconds: float = 0) -> bool:
    """Write a window's values and its tick together; returns False when the token has moved."""
    held = (
        BackfillWindow.objects.select_for_update(of=("self",))
        .filter(
            pk=window.pk,
            token=window.token,
            state=WindowState.LEASED,
            backfill__status__in=[BackfillStatus.RUNNING, BackfillStatus.PAUSED],
        )
        .first()
    )
    if held is None:
        log.warning("late_writer_refused", window=window.pk, token=window.token)
        return False
    with connection.cursor() as cursor:
        # A cancel waits for us, and then removes what we staged; other windows do not wait.
        cursor.execute(_STATUS_SHARED, [held.backfill_id])
        if cursor.fetchone()[0] not in (BackfillStatus.RUNNING, BackfillStatus.PAUSED):
            return False
    StagedValue.objects.filter(backfill_id=held.backfill_id, window_id=held.pk).delete()
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in rows:
            copy.write_row(
                (
                    held.backfill_id,
                    held.pk,
                    row.target_id,
                    row.grain,
                    row.dimension,
                    row.member,
                    row.period,
                    row.value,
                    row.numerator,
                    row.denominator,
                )
            )
    held.state = WindowState.DONE
    held.lease_until = None
    held.error = held.error_code = ""
    held.staged_rows = len(rows)
    held.seconds = round(seconds, 3)
    held.done_at = Now()
    held.save()
    return True
