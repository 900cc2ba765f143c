"""What the catalog holds, as plain rows of answers."""

from collections.abc import Iterable
from datetime import datetime

from catalog.choices import Kind, OwnershipRole
from catalog.models import Entry, Metric, Resolution, Version
from catalog.selectors.entries import specs_of
from catalog.selectors.history import EntryThen, stewardship_then
from catalog.stewardship import stewardship_of
from governance.choices import OPEN, Verdict
from governance.models import Change
from semantics.definition import AnySpec


def person(user) -> dict | None:
    return user and {"username": user.username, "name": str(user)}


def entry_row(entry: Entry) -> dict:
    owners = [one.user for one in entry.ownerships.all() if one.role == OwnershipRole.OWNER]
    version = entry.current_version
    row = {
        "key": entry.key,
        "kind": entry.kind,
        "name": entry.name,
        "description": entry.description,
        "domain": entry.domain.key,
        "tier": entry.tier,
        "lifecycle": entry.lifecycle,
        "owners": sorted(user.username for user in owners),
        "tags": entry.tags,
        "synonyms": entry.synonyms,
        "version": version.number if version else None,
        "changed_at": entry.changed_at,
    }
    if isinstance(entry, Metric):
        row |= {
            "role": entry.role,
            "is_kpi": entry.is_kpi,
            "direction": entry.direction,
            "type": version.definition.spec["type"] if version else "",
        }
    return row


def entry_detail(entry: Entry, version: Version | None) -> dict:
    """The card with one version: the current one, or the one that an instant asks for."""
    kept = stewardship_of(entry).model_dump(mode="python")
    open_changes = Change.objects.filter(key=entry.key, request__status__in=OPEN)
    return {
        **entry_row(entry),
        "last_day": entry.last_day,
        "successor": entry.successor.key if entry.successor else None,
        "stewardship": kept,
        "in_force": version_detail(version) if version else None,
        "open_change_requests": sorted(open_changes.values_list("request_id", flat=True)),
    }


def entry_then(then: EntryThen, instant: datetime) -> dict:
    """The card with its version as it stood at an instant."""
    card, words = then.card, then.words
    kept = stewardship_then(then)
    changes = Change.objects.filter(key=then.key, request__created_at__lte=instant)
    row = {
        "key": then.key,
        "kind": then.kind,
        "name": then.name,
        "description": words.definition,
        "domain": then.domain.key,
        "tier": then.tier,
        "lifecycle": then.lifecycle,
        "owners": kept.owners,
        "tags": words.tags,
        "synonyms": words.synonyms,
        "version": then.version.number,
        "changed_at": card.changed_at,
        "last_day": card.last_day,
        "successor": card.successor.key if card.successor else None,
        "stewardship": kept.model_dump(mode="python"),
        "in_force": version_detail(then.version),
        "open_change_requests": sorted(
            changes.exclude(request__closed_at__lte=instant).values_list("request_id", flat=True)
        ),
    }
    if then.kind == Kind.METRIC:
        row |= {
            "role": words.role,
            "is_kpi": words.is_kpi,
            "direction": words.direction,
            "type": then.spec.type,
        }
    return row


def version_row(version: Version, *, current: int | None) -> dict:
    change = Change.objects.filter(version=version).first()
    return _version_row(version, current, change.request_id if change else None)


def version_rows(versions: Iterable[Version], *, current: int | None) -> list[dict]:
    versions = list(versions)
    requests = dict(
        Change.objects.filter(version__in=versions).values_list("version_id", "request_id")
    )
    return [_version_row(version, current, requests.get(version.pk)) for version in versions]


def _version_row(version: Version, current: int | None, request: int | None) -> dict:
    return {
        "id": str(version),
        "number": version.number,
        "is_current": version.pk == current,
        "effective_from": version.effective_from,
        "published_at": version.published_at,
        "published_by": version.published_by_label,
        "change_class": version.change_class,
        "treatment": version.treatment,
        "keep_both_until": version.keep_both_until,
        "headline": version.comparability.get("headline", ""),
        "definition": version.definition_id,
        "change_request": request,
    }


def version_detail(version: Version) -> dict:
    change = (
        Change.objects.select_related("request__revision", "request__author")
        .filter(version=version)
        .first()
    )
    request = change.request if change else None
    approvals = []
    if request and request.revision:
        given = request.reviews.latest_of_each_reviewer(request.revision)
        approvals = [
            {"by": person(review.reviewer), "at": review.reviewed_at, "via": review.via}
            for review in given.select_related("reviewer")
            if review.verdict == Verdict.APPROVE
        ]
    row = _version_row(version, version.entry.current_version_id, request.pk if request else None)
    return {
        **row,
        "words": version.words,
        "spec": version.definition.spec,
        "comparability": version.comparability,
        "approved_by": approvals,
    }


def resolution_row(resolution: Resolution | None) -> dict | None:
    if resolution is None:
        return None
    return {
        "version": resolution.version.number,
        "number": resolution.number,
        "hash": resolution.hash,
        "pins": [
            {name: pin[name] for name in ("key", "number", "definition")} for pin in resolution.pins
        ],
    }


def spec_of(version: Version) -> AnySpec:
    return specs_of([version.definition_id])[version.definition_id]
