"""Cutting a run into windows by the rows of its sources, and smaller where that was too much."""

from collections.abc import Iterator
from datetime import date, timedelta
from math import ceil

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from core.errors import EtalonError, SourceTooSlow
from measurement.choices import Purpose, WindowState
from measurement.closures import closure_of, measured_datasets
from measurement.models import Backfill, BackfillWindow
from measurement.services import moves
from measurement.services.questions import groups_of
from measurement.warehouses import open_source
from measurement.warehouses.base import Limits, NeedsMemory
from measurement.warehouses.datasets import rows_by_day

log = structlog.get_logger()

# Counting is worth this much of a worker's time.
COUNT_SECONDS = 30.0
DAYS_WHEN_UNCOUNTED = 31
# Halving a window of fewer rows would make nothing quicker.
ROWS_WORTH_HALVING = 100_000

# A dataset's rows by day, and how heavily each row weighs on its engine.
Counted = tuple[dict[date, int], float]


def cut_windows(backfill: Backfill) -> None:
    """Divide a run's range so that its windows read about as many source rows each.

    Done once: a run that has windows keeps them. Notes in `result` until when each target's
    source has rows. A source that cannot be counted is cut by days, and says what is wrong with
    it when its windows are computed.
    """
    if backfill.windows.exists():
        return
    counts = _count_rows(backfill)
    pieces = list(
        _pieces(backfill.start, backfill.until, counts)
        if counts is not None
        else _by_days(backfill.start, backfill.until)
    )
    with transaction.atomic():
        backfill = moves.lock(backfill.pk)
        if backfill.windows.exists():
            return
        BackfillWindow.objects.bulk_create(
            BackfillWindow(
                backfill=backfill,
                position=position,
                start=start,
                until=until,
                source_rows=rows,
                due_at=Now(),
            )
            for position, (start, until, rows) in enumerate(pieces)
        )
        if counts is not None:
            newest = _newest_days(backfill, counts)
            moves.save(backfill, result={**backfill.result, "newest": newest})


def _count_rows(backfill: Backfill) -> dict[str, Counted] | None:
    """The rows of each dataset that the targets measure, by its definition's hash."""
    counts: dict[str, Counted] = {}
    try:
        for group in groups_of(list(backfill.targets.all())):
            warehouse = open_source(group.source)
            limits = Limits(min(group.source.time_limit_seconds, COUNT_SECONDS))
            for target in group.targets:
                for key, dataset in measured_datasets(closure_of(target.definitions)).items():
                    hash_ = target.definitions[key]
                    if hash_ not in counts:
                        by_day = rows_by_day(
                            warehouse,
                            dataset,
                            backfill.start,
                            backfill.until,
                            limits,
                            now=backfill.created_at,
                        )
                        counts[hash_] = (by_day, warehouse.row_weight)
    except EtalonError as error:
        log.warning("rows_not_counted", backfill=backfill.pk, error=error.message)
        return None
    return counts


def _newest_days(backfill: Backfill, counts: dict[str, Counted]) -> dict[str, str]:
    """For each target the last day of the run on which all its datasets have rows."""
    before = backfill.start - timedelta(days=1)
    found: dict[str, date] = {}
    for target in backfill.targets.all():
        measured = measured_datasets(closure_of(target.definitions))
        days = [max(counts[target.definitions[key]][0], default=before) for key in measured]
        if days:
            # Two versions of a metric may be computed by one run.
            found[target.key] = min(*days, found.get(target.key, days[0]))
    return {key: day.isoformat() for key, day in found.items()}


def _pieces(
    start: date, until: date, counts: dict[str, Counted]
) -> Iterator[tuple[date, date, int]]:
    """Pieces of about equal weight, none much heavier than a window may be."""
    days = [start + timedelta(days=offset) for offset in range((until - start).days)]
    rows = [sum(by_day.get(day, 0) for by_day, _ in counts.values()) for day in days]
    load = [sum(by_day.get(day, 0) * weight for by_day, weight in counts.values()) for day in days]
    share = sum(load) / max(1, ceil(sum(load) / settings.WINDOW_SOURCE_ROWS))
    first, before = 0, 0.0
    for index in range(1, len(days)):
        before += load[index - 1]
        # A new piece begins where half of the day would lie beyond the share.
        if before + load[index] / 2 > share and before:
            yield days[first], days[index], sum(rows[first:index])
            first, before = index, 0.0
    yield days[first], until, sum(rows[first:])


def _by_days(start: date, until: date) -> Iterator[tuple[date, date, None]]:
    while start < until:
        end = min(until, start + timedelta(days=DAYS_WHEN_UNCOUNTED))
        yield start, end, None
        start = end


def is_too_much(window: BackfillWindow, error: EtalonError) -> bool:
    """Whether a window failed for its size, so that two smaller ones may do."""
    return (
        isinstance(error, SourceTooSlow | NeedsMemory)
        and (window.source_rows or 0) >= ROWS_WORTH_HALVING
        and (window.until - window.start).days > 1
        and window.backfill.purpose != Purpose.LIVE
    )


@transaction.atomic
def split_window(window: BackfillWindow) -> bool:
    """Make two windows of one. Returns False when the window is no longer ours."""
    moves.lock(window.backfill_id)
    held = (
        BackfillWindow.objects.select_for_update()
        .filter(pk=window.pk, token=window.token, state=WindowState.LEASED)
        .first()
    )
    if held is None:
        return False
    middle = held.start + (held.until - held.start) // 2
    last = held.backfill.windows.aggregate(last=Max("position"))["last"]
    rows = (held.source_rows or 0) // 2
    BackfillWindow.objects.create(
        backfill=held.backfill,
        position=last + 1,
        start=middle,
        until=held.until,
        source_rows=(held.source_rows or 0) - rows,
        due_at=Now(),
    )
    BackfillWindow.objects.filter(pk=held.pk).update(
        until=middle,
        source_rows=rows,
        state=WindowState.DUE,
        attempts=0,
        lease_until=None,
        due_at=Now(),
        error="",
        error_code="",
    )
    log.info("window_split", window=held.pk, at=middle.isoformat())
    return True
