"""What finds work that a lost doorbell or a killed worker left behind. The rows are the truth."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef

from core import clock
from measurement.choices import BackfillStatus, Purpose, WindowState
from measurement.models import Backfill, BackfillWindow, StagedValue
from measurement.services import checks, moves

# Figures of a preview stay in its row; the rows they were computed from go after a while.
KEEP_STAGED = {Purpose.PREVIEW: timedelta(days=2), Purpose.LIVE: timedelta(hours=1)}


def sweep() -> None:
    ring_again()
    release_passed()
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


def forget_staged() -> None:
    """Remove staged rows that nobody will read any more."""
    for purpose, kept in KEEP_STAGED.items():
        old = Backfill.objects.filter(purpose=purpose, finished_at__lt=clock.now() - kept)
        ids = old.values_list("pk", flat=True)
        StagedValue.objects.filter(backfill_id__in=list(ids[:500])).delete()
    gone = Backfill.objects.filter(status=BackfillStatus.CANCELLED)
    StagedValue.objects.filter(backfill_id__in=gone.values("pk")).delete()
