"""How a preview stands, and what it found."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Q

from core import clock
from measurement.choices import UNFINISHED, BackfillStatus, Purpose, WindowState
from measurement.models import Backfill
from measurement.previews import PreviewFigures, PreviewItem, fingerprint_of
from semantics.definition import Grain

_STATES = {
    BackfillStatus.PLANNED: "waiting",
    BackfillStatus.RUNNING: "running",
    BackfillStatus.DONE: "done",
    BackfillStatus.CANCELLED: "cancelled",
}


@dataclass(frozen=True)
class PreviewRun:
    """A preview under way or finished. `figures` are by metric key, and empty until it is done."""

    backfill: Backfill
    state: str
    progress: float
    windows_done: int
    windows_total: int
    elapsed: float
    error: str
    figures: dict[str, PreviewFigures]

    @property
    def status(self) -> str:
        return self.backfill.status

    @property
    def is_under_way(self) -> bool:
        return self.state in ("waiting", "running")


def preview_of(
    items: Sequence[PreviewItem], *, dimension: str | None = None, grain: Grain | None = None
) -> PreviewRun | None:
    """The latest preview of these definitions, of whatever day; a finished one before others."""
    found = Backfill.objects.filter(
        purpose=Purpose.PREVIEW, fingerprint=fingerprint_of(items, dimension, grain)
    ).order_by("-pk")
    backfill = found.filter(status=BackfillStatus.DONE).first() or found.first()
    return preview_run(backfill) if backfill else None


def preview_under_way(
    items: Sequence[PreviewItem], *, dimension: str | None = None, grain: Grain | None = None
) -> PreviewRun | None:
    """The preview of these definitions that is being computed, beside one that may have ended."""
    found = Backfill.objects.filter(
        purpose=Purpose.PREVIEW,
        fingerprint=fingerprint_of(items, dimension, grain),
        status__in=UNFINISHED,
    )
    backfill = found.order_by("-pk").first()
    return preview_run(backfill) if backfill else None


def preview_run(backfill: Backfill) -> PreviewRun:
    counts = backfill.windows.aggregate(
        total=Count("pk"), done=Count("pk", filter=Q(state=WindowState.DONE))
    )
    is_done = backfill.status == BackfillStatus.DONE
    share = counts["done"] / counts["total"] if counts["total"] else 0.0
    ended = backfill.finished_at or clock.now()
    figures = backfill.result.get("figures", {}) if is_done else {}
    return PreviewRun(
        backfill=backfill,
        state=_STATES.get(BackfillStatus(backfill.status), "failed"),
        progress=1.0 if is_done else share,
        windows_done=counts["done"],
        windows_total=counts["total"],
        elapsed=max(0.0, (ended - (backfill.started_at or backfill.created_at)).total_seconds()),
        error=backfill.error,
        figures={key: PreviewFigures.from_json(one) for key, one in figures.items()},
    )
