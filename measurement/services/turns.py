"""A worker's turn at a run: begin it when nobody has, compute some windows, end it when done.

What is left to do is read from the rows and never from a message, so that turns may be repeated,
run side by side and be killed at any line.
"""

import time

from django.conf import settings
from django.db import transaction

from core import clock
from measurement.choices import BackfillStatus
from measurement.models import Backfill, BackfillWindow
from measurement.services import moves
from measurement.services.cutting import cut_windows
from measurement.services.switching import finish_backfill
from measurement.services.windows import compute_window, lease_window

# How many workers are asked to share a run; each further one reads the source beside the others.
WORKERS_A_RUN = 2


def take_turn(backfill_id: int, *, seconds: float | None = None) -> bool:
    """Compute what is due for some seconds. Returns whether another turn is worth taking."""
    if not _begin(backfill_id):
        return False
    deadline = time.monotonic() + (settings.TURN_SECONDS if seconds is None else seconds)
    while window := lease_window(backfill_id):
        compute_window(window)
        if time.monotonic() > deadline:
            break
    if finish_backfill(backfill_id):
        return False
    return BackfillWindow.objects.due().filter(backfill=backfill_id).exists()


def work_off(backfill: Backfill) -> Backfill:
    """Compute a run to its end in this process, as far as its windows are due."""
    while take_turn(backfill.pk):
        pass
    backfill.refresh_from_db()
    return backfill


def _begin(backfill_id: int) -> bool:
    """Start a planned run and cut its windows. Returns whether it is running."""
    backfill = Backfill.objects.filter(pk=backfill_id).first()
    if backfill is None or backfill.status not in (BackfillStatus.PLANNED, BackfillStatus.RUNNING):
        return False
    if backfill.status == BackfillStatus.RUNNING:
        return True
    cut_windows(backfill)
    with transaction.atomic():
        backfill = moves.lock(backfill_id)
        if backfill.status == BackfillStatus.PLANNED:
            moves.move(backfill, "start", started_at=backfill.started_at or clock.now())
            for _ in range(min(WORKERS_A_RUN, backfill.windows.count()) - 1):
                moves.ring_for(backfill)
    return backfill.status == BackfillStatus.RUNNING
