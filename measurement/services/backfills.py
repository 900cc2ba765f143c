"""Planning runs, and what people do to them: pause, resume, cancel, retry, release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from catalog.models import Metric
from core import audit, clock
from core.errors import Invalid, NotAllowed, OutOfDate, SourceUnavailable, WrongState
from core.row_history import keep_quiet, sign
from measurement import policies
from measurement.choices import PASSING, UNFINISHED, BackfillStatus, Purpose, WindowState
from measurement.closures import calendar_of, days_that_may_move, root_dataset
from measurement.models import Backfill, BackfillTarget, Series, Source, StagedValue
from measurement.plans import TargetPlan
from measurement.selectors.ranges import RangePlan, range_plan
from measurement.services import moves, serving


@transaction.atomic
def plan_backfill(
    targets: Sequence[TargetPlan],
    *,
    purpose: Purpose,
    actor,
    start: date | None = None,
    until: date | None = None,
    via: str = "service",
    reason: str = "",
    fingerprint: str = "",
    noted: dict | None = None,
) -> Backfill:
    """Plan to compute targets over [start, until), and ring for a worker.

    Without dates: from the source's first day until tomorrow in the dataset's zone. No source is
    opened here. A new version whose resolution has values already takes them over: only what is
    missing is computed, and with nothing missing the run is done when this returns.
    """
    needs = _needs(targets, purpose, start, until)
    if not needs:
        raise Invalid("There is nothing to compute: name at least one metric.", problems=[])
    wanting = [need for need in needs if not need.is_met] or needs
    backfill = Backfill(
        purpose=purpose,
        start=min(need.start for need in wanting),
        until=max(need.until for need in wanting),
        reason=reason[:300],
        actor_id=actor.pk if actor else None,
        actor_label=str(actor) if actor else audit.SYSTEM,
        fingerprint=fingerprint,
        created_at=clock.now(),
        result=noted or {},
    )
    if backfill.until <= backfill.start:
        raise Invalid(
            f"There is nothing to compute from {backfill.start} until {backfill.until}.",
            problems=[],
        )
    sign(backfill, actor=actor)
    if purpose == Purpose.LIVE:
        keep_quiet(backfill)
    backfill.save()
    BackfillTarget.objects.bulk_create(
        BackfillTarget(
            backfill=backfill,
            metric=need.target.metric,
            key=need.target.key,
            label=need.target.label,
            resolution_hash=need.target.resolution_hash,
            definitions=dict(need.target.definition_hashes),
            # A target whose values are all there is only served.
            grains=[] if need.is_met else need.target.wanted_grains,
            dimensions=need.target.wanted_dimensions,
        )
        for need in needs
    )
    if purpose not in PASSING and (actor or purpose != Purpose.DAILY):
        audit.record("backfill.plan", backfill, actor=actor, via=via, reason=reason)
    if all(need.is_met for need in needs):
        moves.move(backfill, "start", started_at=clock.now())
        serving.serve_targets(backfill)
        result = {"reused": True, "staged": 0, "inserted": 0, "closed": 0}
        moves.move(backfill, "finish", finished_at=clock.now(), result=result)
    else:
        moves.ring_for(backfill)
    return backfill


@transaction.atomic
def plan_by_hand(
    metric: Metric,
    *,
    start: date,
    until: date,
    actor,
    reason: str,
    dimensions: Sequence[str] | None = None,
    pin: str = "",
    via: str = "service",
) -> Backfill:
    """Compute what readers are shown of a metric over [start, until) again, with the reason.

    The run computes the versions that are official there now, and goes on with them whatever is
    published meanwhile. `pin` says which plan was looked at: when another version is official by
    now, OutOfDate is raised. What such a run computes already is not planned twice.
    """
    metric = Metric.objects.select_for_update(of=("self",)).get(pk=metric.pk)
    if why := policies.why_not_backfill(actor, metric):
        raise NotAllowed(why)
    if not reason.strip():
        text = "Say why the range is computed again."
        problem = {"place": "reason", "code": "required", "message": text}
        raise Invalid(text, problems=[problem])
    plan = range_plan(metric, start=start, until=until, dimensions=dimensions)
    if pin and pin != plan.pin:
        raise OutOfDate(
            f"What is official of {metric.name} has changed since the plan was shown. Look at the "
            "plan again, then start it.",
            pin=plan.pin,
        )
    waited = metric.current_resolution
    if (
        waited is not None
        and waited.pk != metric.served_resolution_id
        and any(one.resolution_hash == waited.hash for one in plan.targets)
    ):
        # Ending, such a run would show the new version, of which it has computed a range alone.
        raise WrongState(
            f"A new version of {metric.name} is being computed from the same definitions. Wait "
            "for its run to end.",
            status="computing",
            action="plan",
        )
    if same := _same_by_hand(metric, plan):
        raise WrongState(
            f"{same} computes exactly this already.", status=same.status, action="plan"
        )
    return plan_backfill(
        plan.targets,
        purpose=Purpose.MANUAL,
        actor=actor,
        start=start,
        until=until,
        via=via,
        reason=reason.strip(),
    )


def _same_by_hand(metric: Metric, plan: RangePlan) -> Backfill | None:
    """A run by hand that is not over and computes all that a plan does: a form sent twice."""
    open_runs = Backfill.objects.filter(
        purpose=Purpose.MANUAL,
        status__in=UNFINISHED,
        start=plan.start,
        until=plan.until,
        targets__metric=metric,
    )
    for run in open_runs.distinct().prefetch_related("targets"):
        parts = {target.resolution_hash: target.dimensions for target in run.targets.all()}
        if all(
            one.resolution_hash in parts
            and set(one.wanted_dimensions) <= set(parts[one.resolution_hash])
            for one in plan.targets
        ):
            return run
    return None


def pause_backfill(backfill: Backfill, *, actor, via="service", reason: str = "") -> Backfill:
    """Take no new window; one that is being computed is still stored."""
    return _operate(backfill, "pause", actor=actor, via=via, reason=reason)


def resume_backfill(backfill: Backfill, *, actor, via="service", reason: str = "") -> Backfill:
    return _operate(backfill, "resume", actor=actor, via=via, reason=reason)


def cancel_backfill(backfill: Backfill, *, actor, via="service", reason: str = "") -> Backfill:
    """End a run for good. Readers keep the values they have; what was staged goes."""
    return _operate(
        backfill, "cancel", actor=actor, via=via, reason=reason, finished_at=clock.now()
    )


def retry_backfill(backfill: Backfill, *, actor, via="service", reason: str = "") -> Backfill:
    """Try parked windows again; what is done stays done."""
    return _operate(
        backfill, "retry", actor=actor, via=via, reason=reason, error="", finished_at=None
    )


@transaction.atomic
def release_backfill(backfill: Backfill, *, actor, reason: str, via: str = "service") -> Backfill:
    """Let a run go on that a check holds back, on a steward's word."""
    backfill = moves.lock(backfill.pk)
    if why := policies.why_not_release(actor, backfill):
        raise NotAllowed(why)
    if not reason.strip():
        raise Invalid("Say why the values may be shown although a check failed.", problems=[])
    moves.move(
        backfill, "release", actor=actor, via=via, reason=reason, checks_waived=True, error=""
    )
    moves.ring_for(backfill)
    return backfill


@transaction.atomic
def _operate(backfill: Backfill, action: str, *, actor, via: str, reason: str, **fields):
    backfill = moves.lock(backfill.pk)
    if why := policies.why_not_operate(actor, backfill):
        raise NotAllowed(why)
    moves.move(backfill, action, actor=actor, via=via, reason=reason, **fields)
    if action == "retry":
        # Another worker may still hold a window of the run that failed: the raised token keeps what
        # it comes to out of this one.
        backfill.windows.exclude(state=WindowState.DONE).update(
            state=WindowState.DUE,
            attempts=0,
            token=F("token") + 1,
            due_at=Now(),
            lease_until=None,
            error="",
            error_code="",
        )
    if action == "cancel":
        StagedValue.objects.filter(backfill_id=backfill.pk).delete()
    if backfill.status == BackfillStatus.PLANNED:
        moves.ring_for(backfill)
    return backfill


@dataclass(frozen=True)
class _Need:
    """What has to be computed of a target: nothing when its series cover the whole range."""

    target: TargetPlan
    start: date
    until: date
    is_met: bool = False


def _needs(
    targets: Sequence[TargetPlan], purpose: Purpose, start: date | None, until: date | None
) -> list[_Need]:
    sources = {source.key: source for source in Source.objects.all()}
    asked = []
    for target in targets:
        source = source_of(target, sources)
        calendar = calendar_of(target.key, target.specs)
        first, last = source.first_day, clock.today(calendar.zone) + timedelta(days=1)
        asked.append(_Need(target, start or first, until or last))
    if purpose != Purpose.PUBLISH:
        return asked
    series: dict[str, list[Series]] = {}
    hashes = [target.resolution_hash for target in targets]
    for one in Series.objects.filter(resolution_hash__in=hashes):
        series.setdefault(one.resolution_hash, []).append(one)
    return [
        _missing(need, series.get(hash_, [])) for need, hash_ in zip(asked, hashes, strict=True)
    ]


def _missing(need: _Need, held: Sequence[Series]) -> _Need:
    """What is left to compute where a resolution has series already."""
    target, start, until = need.target, need.start, need.until
    wanted = {
        (grain, dimension)
        for grain in target.wanted_grains
        for dimension in ("", *target.wanted_dimensions)
    }
    series = [
        one
        for one in held
        if (one.grain, one.dimension) in wanted and one.start is not None and one.start <= start
    ]
    if len(series) < len(wanted):
        return _Need(target, start, until)
    covered = min(one.until for one in series if one.until is not None)
    if covered >= until:
        return _Need(target, start, until, is_met=True)
    moved = timedelta(days=1 + days_that_may_move(target.key, target.specs))
    return _Need(target, max(start, covered - moved), until)


def source_of(target: TargetPlan, sources: Mapping[str, Source] | None = None) -> Source:
    """The source of a target's rows, among those that were read already or read now."""
    key = root_dataset(target.key, target.specs).source
    known = Source.objects.in_bulk([key], field_name="key") if sources is None else sources
    source = known.get(key)
    if source is None:
        raise SourceUnavailable(
            f"The dataset of {target.key} names the source `{key}`, which does not exist here."
        )
    return source
