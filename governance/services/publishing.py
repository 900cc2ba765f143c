"""Putting an approved request into force: all of its items at once, or nothing."""

from __future__ import annotations

from django.db import connection, transaction

from catalog.choices import Lifecycle
from catalog.models import Entry, Metric
from catalog.services.cards import apply_stewardship
from catalog.services.versions import (
    NewVersion,
    card_of,
    draw_lineage,
    resolve_anew,
    save_card,
    write_versions,
)
from core import clock, jobs
from core.errors import OutOfDate, WrongState
from governance import policies
from governance.assessment import Assessment, assess
from governance.choices import Status
from governance.content import Content, read_content
from governance.models import ChangeRequest
from governance.readiness import Readiness, moved_on, readiness_of
from governance.services.common import locked, move, permit, record, require, require_revision
from measurement.choices import Purpose
from measurement.services.backfills import plan_backfill, target_of_resolution

# One publish at a time, since what stands on what must not move while it is written down.
_PUBLISH_LOCK = 0x6574616C_7075


@transaction.atomic
def publish(
    request: ChangeRequest, *, revision_hash: str, actor, via: str = "service"
) -> ChangeRequest:
    """Publish exactly this revision: versions, cards, lineage, resolutions and their backfills.

    Everything is evaluated again under lock, whatever was shown before: approvals by people who
    may still give them, the versions it started from, the preview of these very definitions.
    Refused, it leaves nothing behind.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_PUBLISH_LOCK])
    request = locked(request)
    permit(policies.why_not_publish(actor, request))
    require(request, "start_publishing")
    require_revision(request, revision_hash)
    content = read_content(request.revision.content)
    assessment = assess(content)
    if stale := [line for line in moved_on(content, assessment) if not line.is_ok]:
        raise OutOfDate(stale[0].sentence, moved=[line.sentence for line in stale])
    readiness = readiness_of(request, content, assessment)
    if not readiness.is_ready:
        unmet = [line.sentence for line in readiness.lines if not line.is_ok]
        raise WrongState(f"Not ready: {unmet[0]}", status=request.status, unmet=unmet)
    now = clock.now()
    move(request, "start_publishing", actor=actor)
    versions = _write(request, content, assessment, readiness, actor=actor, at=now)
    _plan(content, versions, actor=actor, at=now, request=request, via=via)
    move(request, "finish_publishing", actor=actor)
    record(
        "publish",
        request,
        actor=actor,
        via=via,
        reason=content.reason,
        revision=request.revision.number,
        hash=request.revision.hash,
        versions=[str(version) for version in versions.values()],
    )
    jobs.ring("governance.tasks.tell_of_publication", request.pk)
    return request


def _write(
    request: ChangeRequest,
    content: Content,
    assessment: Assessment,
    readiness: Readiness,
    *,
    actor,
    at,
) -> dict:
    figures = readiness.evidence.figures if readiness.evidence else {}
    new = []
    for item in content.items:
        one = assessment.item(item.key)
        if not one.makes_version:
            continue
        entry = one.entry
        found = figures.get(item.key)
        new.append(
            NewVersion(
                key=item.key,
                kind=item.kind,
                entry=entry,
                spec=assessment.proposed[item.key],
                words=item.words,
                change_class=one.change_class,
                domain=one.domain,
                tier=item.stewardship.tier if item.stewardship else one.tier,
                effective_from=content.effective_from,
                lifecycle=item.lifecycle or (entry.lifecycle if entry else Lifecycle.ACTIVE),
                treatment=item.treatment,
                keep_both_until=item.keep_both_until,
                comparability=_comparability(found) if found else {},
            )
        )
    versions = write_versions(new, actor=actor, published_at=at, reason=content.reason)
    for change in request.changes.all():
        item = content.item(change.key)
        if version := versions.get(change.key):
            change.entry_id, change.version = version.entry_id, version
            change.save(update_fields=["entry", "version"])
        entry = Entry.objects.get(key=change.key)
        if item.stewardship:
            apply_stewardship(entry, item.stewardship, actor=actor, reason=content.reason)
        if not version and item.lifecycle and item.lifecycle != entry.lifecycle:
            card = card_of(entry)
            card.lifecycle = item.lifecycle
            save_card(card, actor=actor, reason=content.reason)
    draw_lineage({key: assessment.proposed[key] for key in versions})
    return versions


def _comparability(figures) -> dict:
    """What readers of a chart are told of the change, for ever."""
    document = figures.as_json()
    keep = ("headline", "grain", "compared", "moved", "mean_pct", "widest", "is_new")
    return {name: document[name] for name in keep}


def _plan(content: Content, versions: dict, *, actor, at, request: ChangeRequest, via: str) -> None:
    """New resolutions for what changed and all above it, and the runs that compute them."""
    resolutions = resolve_anew(versions, at=at)
    keeps = Metric.objects.exclude(lifecycle=Lifecycle.RETIRED).filter(
        pk__in=[resolution.metric_id for resolution in resolutions]
    )
    living = set(keeps.values_list("pk", flat=True))
    targets = [
        target_of_resolution(resolution)
        for resolution in resolutions
        if resolution.metric_id in living
    ]
    if targets:
        plan_backfill(
            targets,
            purpose=Purpose.PUBLISH,
            actor=actor,
            via=via,
            reason=f"{request}: {content.title}"[:300],
        )


@transaction.atomic
def settle(request: ChangeRequest, *, via: str = "worker") -> ChangeRequest:
    """Publish a request that has all it needs and wants to be published by itself.

    Rung by the approval, the preview and the sweep; finding it unready is no failure.
    """
    request = locked(request)
    if request.status not in (Status.IN_REVIEW, Status.SCHEDULED) or request.revision is None:
        return request
    content = read_content(request.revision.content)
    if content.publish_when == "button":
        return request
    assessment = assess(content)
    readiness = readiness_of(request, content, assessment)
    unmet = [line.name for line in readiness.lines if not line.is_ok]
    if unmet == ["date"] and request.status == Status.IN_REVIEW:
        require(request, "schedule")
        move(request, "schedule", actor=None)
        record("schedule", request, actor=None, via=via, on=str(content.publish_on))
        return request
    if unmet:
        return request
    return publish(request, revision_hash=request.revision.hash, actor=None, via=via)
