"""Putting an approved request into force: all of its items at once, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import islice

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from catalog.choices import Lifecycle
from catalog.models import Entry, Metric, Version
from catalog.services.cards import CardChange, apply_to_cards
from catalog.services.versions import NewVersion, draw_lineage, resolve_anew, write_versions
from catalog.stewardship import stewardship_of
from core import clock, jobs
from core.errors import NotReady, OutOfDate
from governance import policies
from governance.approvals import is_approved
from governance.assessment import Assessment, assess
from governance.choices import Status
from governance.content import Content, read_content
from governance.models import ChangeRequest
from governance.readiness import Readiness, moved_on, readiness_of
from governance.services.common import (
    locked,
    move,
    one_publish_at_a_time,
    permit,
    record,
    require,
    require_revision,
)
from measurement.choices import Purpose
from measurement.plans import target_of_resolution
from measurement.services.backfills import plan_backfill

# The day that an author chose holds back the clock's publication, not a person's.
_HELD_BY = "date"


@transaction.atomic
def publish(
    request: ChangeRequest, *, revision_hash: str, actor, via: str = "service"
) -> ChangeRequest:
    """Publish exactly this revision: versions, cards, lineage, resolutions and their backfills.

    Everything is evaluated again under lock, whatever was shown before: approvals by people who
    may still give them, the versions it started from, the preview of these very definitions.
    Refused, it leaves nothing behind. Asking twice publishes once.
    """
    request = locked(request)
    permit(policies.why_not_publish(actor, request))
    if request.status == Status.PUBLISHED and request.submitted.hash == revision_hash:
        return request
    require_revision(request, revision_hash)
    require(request, "start_publishing")
    one_publish_at_a_time()
    content = read_content(request.submitted.content)
    assessment = assess(content)
    if stale := [line for line in moved_on(content, assessment) if not line.is_ok]:
        raise OutOfDate(stale[0].sentence, moved=[line.sentence for line in stale])
    readiness = readiness_of(request, content, assessment)
    by_hand = actor is not None
    unmet = [
        line.sentence
        for line in readiness.lines
        if not line.is_ok and not (by_hand and line.name == _HELD_BY)
    ]
    if unmet:
        raise NotReady(f"Not ready: {unmet[0]}", unmet=unmet)
    return _put_into_force(request, content, assessment, readiness, actor=actor, via=via)


def publish_ready(request: ChangeRequest, *, actor, via: str) -> bool:
    """Publish a locked request that has all it needs and wants to be published by itself.

    One that only waits for its day becomes scheduled. Returns whether it was published.
    """
    if not request.is_in_review:
        return False
    content = read_content(request.submitted.content)
    if content.publish_when == "button" or not is_approved(request):
        return False
    one_publish_at_a_time()
    assessment = assess(content)
    readiness = readiness_of(request, content, assessment)
    unmet = {line.name for line in readiness.lines if not line.is_ok}
    if unmet == {_HELD_BY} and request.status == Status.IN_REVIEW:
        move(request, "schedule", actor=actor)
        record("schedule", request, actor=actor, via=via, on=str(content.publish_on))
    if unmet:
        return False
    _put_into_force(request, content, assessment, readiness, actor=actor, via=via)
    return True


@transaction.atomic
def settle(request: ChangeRequest, *, via: str = "worker") -> ChangeRequest:
    """Publish a request if nothing is missing any more.

    Rung by the approval, the preview and the sweep; finding it unready is no failure.
    """
    request = locked(request)
    publish_ready(request, actor=None, via=via)
    return request


def _put_into_force(
    request: ChangeRequest,
    content: Content,
    assessment: Assessment,
    readiness: Readiness,
    *,
    actor,
    via: str,
) -> ChangeRequest:
    now = clock.now()
    because = f"{request}: {content.title}"
    move(request, "start_publishing", actor=actor)
    figures = readiness.evidence.figures if readiness.evidence else {}
    versions = write_versions(
        [
            _version_of(item, assessment.item(item.key), content, figures)
            for item in content.items
            if assessment.item(item.key).makes_version
        ],
        actor=actor,
        published_at=now,
        reason=because,
    )
    _link_changes(request, content, versions)
    apply_to_cards(
        [
            CardChange(item.key, item.stewardship, item.lifecycle, item.last_day, item.successor)
            for item in content.items
            if item.stewardship or item.lifecycle
        ],
        actor=actor,
        reason=because,
    )
    draw_lineage({key: assessment.proposed[key] for key in versions})
    _plan_runs(versions, actor=actor, at=now, reason=because, via=via)
    move(request, "finish_publishing", actor=actor)
    _ask_the_database()
    record(
        "publish",
        request,
        actor=actor,
        via=via,
        reason=content.reason,
        revision=request.submitted.number,
        hash=request.submitted.hash,
        versions=[str(version) for version in islice(versions.values(), 200)],
        count=len(versions),
        preview=readiness.evidence.backfill.pk if readiness.evidence else None,
    )
    jobs.ring("governance.tasks.tell_of_publication", request.pk)
    return request


def _ask_the_database() -> None:
    """Let its guards judge now what they would judge at the commit, while we can still answer."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


def _version_of(item, one, content: Content, figures: Mapping) -> NewVersion:
    found = figures.get(item.key)
    return NewVersion(
        key=item.key,
        kind=item.kind,
        spec=one.new_spec,
        definition=item.definition,
        words=item.words,
        change_class=str(one.version_class),
        effective_from=content.effective_from,
        domain=one.domain,
        tier=one.tier,
        treatment=item.treatment,
        keep_both_until=item.keep_both_until,
        comparability=_comparability(found) if found else {},
    )


def _comparability(figures) -> dict:
    """What readers of a chart are told of the change, for ever."""
    document = figures.as_json()
    keep = ("headline", "grain", "compared", "moved", "mean_pct", "widest", "is_new")
    return {name: document[name] for name in keep}


_LINK = """
UPDATE governance_change change
SET entry_id = made.entry_id, version_id = made.version_id, before = made.before
FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::jsonb[])
    AS made(id, entry_id, version_id, before)
WHERE change.id = made.id
"""


def _link_changes(
    request: ChangeRequest, content: Content, versions: Mapping[str, Version]
) -> None:
    """Tie each item to what it became, with what its card said before, for an undo."""
    entries = {
        entry.key: entry
        for entry in Entry.objects.select_related("domain").filter(
            key__in=[item.key for item in content.items]
        )
    }
    items = {item.key: item for item in content.items}
    rows = []
    for pk, key in request.changes.values_list("pk", "key"):
        entry, item, version = entries[key], items[key], versions.get(key)
        before = None
        if (version is None or version.number > 1) and (item.stewardship or item.lifecycle):
            before = {
                "stewardship": stewardship_of(entry).model_dump(mode="json"),
                "lifecycle": entry.lifecycle,
            }
        rows.append((pk, entry.pk, version and version.pk, Jsonb(before) if before else None))
    with connection.cursor() as cursor:
        cursor.execute(_LINK, [list(column) for column in zip(*rows, strict=True)])


def _plan_runs(
    versions: Mapping[str, Version], *, actor, at: datetime, reason: str, via: str
) -> None:
    """New resolutions for what changed and all above it, and the run that computes them."""
    resolutions = resolve_anew(versions, actor=actor, at=at, reason=reason)
    living = set(
        Metric.objects.exclude(lifecycle=Lifecycle.RETIRED)
        .filter(pk__in=[resolution.metric_id for resolution in resolutions])
        .values_list("pk", flat=True)
    )
    targets = [
        target_of_resolution(resolution)
        for resolution in resolutions
        if resolution.metric_id in living
    ]
    if targets:
        plan_backfill(targets, purpose=Purpose.PUBLISH, actor=actor, via=via, reason=reason[:300])
