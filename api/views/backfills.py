from django.db.models import Count, Min, Q, Sum
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.response import Response

from accounts.choices import Scope
from api import bodies, paging, parameters
from api.conditional import answer
from api.idempotency import idempotent
from api.schemas.backfills import (
    BackfillDetail,
    BackfillPage,
    ComputeBody,
    ComputePlan,
    MoveBody,
)
from api.schemas.shared import IDEMPOTENCY_KEY, PAGING, asks, reads, writes
from api.views.base import EtalonView
from catalog.models import Metric
from core.errors import NotAllowed, NotFound
from measurement import policies
from measurement.choices import BackfillStatus, Purpose, WindowState
from measurement.models import Backfill
from measurement.selectors.ranges import RangePlan, range_plan
from measurement.services import backfills

_MOVES = {
    "pause": backfills.pause_backfill,
    "resume": backfills.resume_backfill,
    "cancel": backfills.cancel_backfill,
    "retry": backfills.retry_backfill,
    "release": backfills.release_backfill,
}

_MOVE = OpenApiParameter("move", str, OpenApiParameter.PATH, enum=list(_MOVES))


def _row(backfill: Backfill) -> dict:
    return {
        "id": backfill.pk,
        "purpose": backfill.purpose,
        "status": backfill.status,
        "from": backfill.start,
        "to": backfill.until,
        "metrics": sorted({target.key for target in backfill.targets.all()}),
        "reason": backfill.reason,
        "started_by": backfill.actor_label,
        "created_at": backfill.created_at,
        "started_at": backfill.started_at,
        "finished_at": backfill.finished_at,
        "error": backfill.error,
        "windows": backfill.window_count,
        "windows_done": backfill.done_count,
        "windows_parked": backfill.parked_count,
        "staged_rows": backfill.staged_count or 0,
        "checksum": backfill.checksum,
    }


def _counted():
    return Backfill.objects.annotate(
        window_count=Count("windows"),
        done_count=Count("windows", filter=Q(windows__state=WindowState.DONE)),
        parked_count=Count("windows", filter=Q(windows__state=WindowState.PARKED)),
        staged_count=Sum("windows__staged_rows"),
        next_due_at=Min("windows__due_at", filter=Q(windows__state=WindowState.DUE)),
    ).prefetch_related("targets")


def _detail(pk: int) -> dict:
    backfill = _counted().filter(pk=pk).first()
    if backfill is None:
        raise NotFound(f"There is no backfill {pk}.")
    windows = backfill.windows.values(
        "position",
        "start",
        "until",
        "state",
        "attempts",
        "error",
        "source_rows",
        "staged_rows",
        "seconds",
        "done_at",
    )
    return {**_row(backfill), "result": backfill.result, "window_list": list(windows)}


class Backfills(EtalonView):
    """Plans to compute values, newest first. Previews and daily runs are among them. POST computes
    a range of days again, by hand and with a reason."""

    write_scope = Scope.OPERATE

    @extend_schema(
        operation_id="list_backfills",
        summary="Backfills, newest first",
        parameters=[
            asks("status", "Only in this state.", enum=BackfillStatus.values),
            asks("purpose", "Only for this purpose.", enum=Purpose.values),
            asks("metric", "Only those that compute this metric."),
            *PAGING,
        ],
        responses=reads(BackfillPage),
    )
    def get(self, request):
        parameters.only(request, ["status", "purpose", "metric", "cursor", "limit"])
        limit, before = paging.limit_of(request), paging.cursor_of(request)
        rows = _counted().order_by("-pk")
        if status := parameters.choice(request, "status", BackfillStatus.values):
            rows = rows.filter(status=status)
        if purpose := parameters.choice(request, "purpose", Purpose.values):
            rows = rows.filter(purpose=purpose)
        if key := request.query_params.get("metric"):
            rows = rows.filter(pk__in=Backfill.objects.filter(targets__key=key).values("pk"))
        if before is not None:
            rows = rows.filter(pk__lt=before)
        found = list(rows[: limit + 1])
        more = found[limit - 1].pk if len(found) > limit else None
        body = paging.page(request, [_row(backfill) for backfill in found[:limit]], more)
        return answer(request, lambda: body)

    @extend_schema(
        operation_id="start_backfill",
        summary="Compute a range of a metric again",
        description="What is official of the metric in these days is computed again from what the "
        "source holds now; all of it is shown at once when the run ends. With `dry_run` the answer "
        "is 200 and says what would be computed.",
        request=ComputeBody,
        parameters=[IDEMPOTENCY_KEY],
        responses={**writes(BackfillDetail, 201), 200: ComputePlan},
    )
    @idempotent
    def post(self, request):
        asked = bodies.read(request, ComputeBody)
        metric = Metric.objects.filter(key=asked["metric"]).first()
        if metric is None:
            raise NotFound(f"There is no metric {asked['metric']}.")
        days = {"start": asked["from"], "until": asked["to"]}
        wanted = asked.get("dimensions")
        if asked["dry_run"]:
            if why := policies.why_not_backfill(request.user, metric):
                raise NotAllowed(why)
            return Response(_plan(metric, range_plan(metric, dimensions=wanted, **days)))
        backfill = backfills.plan_by_hand(
            metric,
            dimensions=wanted,
            pin=asked.get("pin", ""),
            reason=asked["reason"],
            actor=request.user,
            via="api",
            **days,
        )
        return Response(_detail(backfill.pk), status=201)


def _plan(metric: Metric, plan: RangePlan) -> dict:
    return {
        "pin": plan.pin,
        "metric": metric.key,
        "from": plan.start,
        "to": plan.until,
        "versions": plan.versions,
        "dimensions": plan.dimensions,
        "source_rows": plan.rows,
        "windows": plan.windows,
    }


class BackfillView(EtalonView):
    """One backfill with all its windows."""

    @extend_schema(
        operation_id="get_backfill", summary="One backfill", responses=reads(BackfillDetail)
    )
    def get(self, request, pk: int):
        parameters.only(request, [])
        return answer(request, lambda: _detail(pk))


class BackfillMove(EtalonView):
    """Pause, resume, cancel or retry; or release what a check holds back, as a steward who says
    why. What is done stays done; old values stay served."""

    write_scope = Scope.OPERATE

    @extend_schema(
        operation_id="move_backfill",
        summary="Pause, resume, cancel, retry or release a backfill",
        request=MoveBody,
        parameters=[_MOVE, IDEMPOTENCY_KEY],
        responses=writes(BackfillDetail),
    )
    @idempotent
    def post(self, request, pk: int, move: str):
        backfill = Backfill.objects.filter(pk=pk).first()
        if backfill is None:
            raise NotFound(f"There is no backfill {pk}.")
        reason = bodies.read(request, MoveBody)["reason"]
        _MOVES[move](backfill, reason=reason, actor=request.user, via="api")
        return Response(_detail(pk))
