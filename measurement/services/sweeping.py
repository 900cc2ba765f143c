"""What finds work that a lost doorbell or a killed worker left behind. The rows are the truth."""

from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef

from core import clock
from core.errors import EtalonError, SourceUnavailable
from measurement.choices import PASSING, BackfillStatus, Purpose, WindowState
from measurement.closures import closure_of, datasets
from measurement.models import Backfill, BackfillTarget, BackfillWindow, StagedValue
from measurement.services import checks, moves
from measurement.services.backfills import retry_backfill
from measurement.services.looks import forget_looks
from measurement.services.questions import groups_of
from measurement.warehouses import open_source
from measurement.warehouses.datasets import what_is_missing

log = structlog.get_logger()

# Figures of a preview stay in its row; the rows they were computed from go after a while.
KEEP_STAGED = {Purpose.PREVIEW: timedelta(days=2), Purpose.LIVE: timedelta(hours=1)}

# How long a run that failed for its source rests before the source is looked at again, and for
# how long it is.
REST = timedelta(minutes=5)
GIVEN_UP_AFTER = timedelta(days=14)


def sweep() -> None:
    ring_again()
    release_passed()
    retry_returned()
    forget_staged()


def ring_again() -> list[int]:
    """Ring for every run that a worker could take a step with now."""
    windows = BackfillWindow.objects.filter(backfill=OuterRef("pk"))
    open_ones = windows.filter(state__in=[WindowState.DUE, WindowState.LEASED])
    running = Backfill.objects.filter(status=BackfillStatus.RUNNING)
    due = [
        *Backfill.objects.filter(status=BackfillStatus.PLANNED),
        *running.filter(Exists(windows.due())),
        # Computed to the last window, and then nobody ended it.
        *running.exclude(Exists(open_ones)),
    ]
    with transaction.atomic():
        for backfill in due:
            moves.ring_for(backfill)
    return [backfill.pk for backfill in due]


def release_passed() -> None:
    """Let runs go on whose checks pass by now."""
    for held in Backfill.objects.filter(status=BackfillStatus.HELD):
        if checks.why_hold(held):
            continue
        with transaction.atomic():
            backfill = moves.lock(held.pk)
            if backfill.status == BackfillStatus.HELD:
                moves.move(backfill, "release", reason="its checks pass now", error="")
                moves.ring_for(backfill)


def retry_returned() -> list[int]:
    """Let runs that failed because their source was away go on once it is as they expect it.

    Daily runs are left out: the next one computes what they would have.
    """
    windows = BackfillWindow.objects.filter(backfill=OuterRef("pk"), state=WindowState.PARKED)
    away = windows.filter(error_code=SourceUnavailable.code)
    later = BackfillTarget.objects.filter(
        backfill__gt=OuterRef("backfill"),
        resolution_hash=OuterRef("resolution_hash"),
        backfill__status=BackfillStatus.DONE,
    ).exclude(backfill__purpose__in=PASSING)
    wanted = BackfillTarget.objects.filter(~Exists(later), backfill=OuterRef("pk"))
    now = clock.now()
    failed = Backfill.objects.filter(
        Exists(away),
        ~Exists(windows.exclude(error_code=SourceUnavailable.code)),
        Exists(wanted),
        status=BackfillStatus.FAILED,
        finished_at__lt=now - REST,
        created_at__gt=now - GIVEN_UP_AFTER,
    ).exclude(purpose__in=[*PASSING, Purpose.DAILY])
    return [
        retry_backfill(run, actor=None, via="worker", reason="its source is back").pk
        for run in failed.order_by("pk")
        if _is_as_expected(run)
    ]


def _is_as_expected(backfill: Backfill) -> bool:
    """Whether all that a run reads is there again."""
    try:
        for group in groups_of(list(backfill.targets.all())):
            warehouse = open_source(group.source)
            declared = {}
            for target in group.targets:
                declared.update(datasets(closure_of(target.definitions)))
            if what_is_missing(warehouse, group.source.key, declared) is not None:
                return False
    except EtalonError as error:
        log.info("source_still_away", backfill=backfill.pk, error=error.message)
        return False
    return True


def forget_staged() -> None:
    """Remove staged rows that nobody will read any more."""
    for purpose, kept in KEEP_STAGED.items():
        old = Backfill.objects.filter(purpose=purpose, finished_at__lt=clock.now() - kept)
        ids = old.values_list("pk", flat=True)
        StagedValue.objects.filter(backfill_id__in=list(ids[:500])).delete()
    forget_looks()
    gone = Backfill.objects.filter(status=BackfillStatus.CANCELLED)
    StagedValue.objects.filter(backfill_id__in=gone.values("pk")).delete()
