"""Previews: old and new values over the whole range, by the same run that a backfill is."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from django.db import connection, transaction

from catalog.models import Metric
from catalog.services.definitions import store_definition
from core import clock
from core.errors import Invalid, NotAllowed
from measurement import policies
from measurement.choices import UNFINISHED, BackfillStatus, Purpose
from measurement.closures import calendar_of
from measurement.models import Backfill
from measurement.plans import TargetPlan
from measurement.previews import PreviewItem, askable_by, fingerprint_of, hashes_of
from measurement.services.backfills import plan_backfill
from semantics.definition import Grain
from semantics.question import askable_dimensions


@transaction.atomic
def request_preview(
    items: Sequence[PreviewItem],
    *,
    actor,
    dimension: str | None = None,
    grain: Grain | None = None,
    via: str = "service",
) -> Backfill:
    """Ask for what a proposal does to the past, in total and by one dimension.

    Equal requests of one day share one run, whoever asks. A failed or cancelled one is asked
    again.
    """
    if why := policies.why_not_preview(actor):
        raise NotAllowed(why)
    if not items:
        raise Invalid("A preview needs at least one metric.", problems=[])
    _require_dimension(items, dimension)
    fingerprint = fingerprint_of(items, dimension, grain)
    with connection.cursor() as cursor:
        # Two people who ask for the same thing together get the same run.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [fingerprint])
    if found := _shared(fingerprint, items[0]):
        return found
    for item in items:
        for specs in item.sides.values():
            for spec in specs.values():
                store_definition(spec)
    return plan_backfill(
        [target for item in items for target in _targets(item, dimension, grain)],
        purpose=Purpose.PREVIEW,
        actor=actor,
        via=via,
        fingerprint=fingerprint,
    )


def _require_dimension(items: Sequence[PreviewItem], dimension: str | None) -> None:
    """Refuse a dimension that no side of no metric can be asked by."""
    if dimension is None:
        return
    known = askable_by(items)
    if dimension not in known:
        raise Invalid(
            f"{', '.join(item.key for item in items)} cannot be asked by `{dimension}`. "
            f"It can be by {', '.join(known) or 'no dimension'}.",
            problems=[
                {"place": "dimension", "code": "unknown_dimension", "message": f"`{dimension}`"}
            ],
        )


def _shared(fingerprint: str, item: PreviewItem) -> Backfill | None:
    """An equal preview that is under way, or was computed since the day began."""
    last = (
        Backfill.objects.filter(purpose=Purpose.PREVIEW, fingerprint=fingerprint)
        .order_by("-pk")
        .first()
    )
    if last is None or last.status in UNFINISHED:
        return last
    zone = calendar_of(item.key, item.new_specs).zone
    is_of_today = last.created_at.astimezone(ZoneInfo(zone)).date() == clock.today(zone)
    return last if last.status == BackfillStatus.DONE and is_of_today else None


def _targets(item: PreviewItem, dimension: str | None, grain: Grain | None) -> list[TargetPlan]:
    metric = Metric.objects.filter(key=item.key).first()
    return [
        TargetPlan(
            metric=metric,
            key=item.key,
            specs=specs,
            definition_hashes=hashes_of(specs),
            label=label,
            grains=[item.grain(grain)],
            # A side that does not know the dimension is compared in total.
            dimensions=[dimension] if dimension in askable_dimensions(item.key, specs) else [],
        )
        for label, specs in item.sides.items()
    ]
