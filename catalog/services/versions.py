"""Writing what was decided: versions, the cards that show them, lineage and resolutions.

Called by governance when a change request is put into force, inside its transaction and under
its lock. The database demands the request (see governance's migrations).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.contrib.postgres.search import SearchVector
from django.db.models import Value
from django.db.models.functions import Now

from accounts.models import Domain
from catalog.choices import Kind, Lifecycle
from catalog.models import Dataset, Entry, LineageEdge, Metric, Resolution, Segment, Version
from catalog.selectors.entries import dependants_of, in_force
from catalog.services.definitions import store_definitions
from semantics.canonical import hash_of
from semantics.card import Words
from semantics.definition import AnySpec
from semantics.lineage import closure, resolution_hash, upstreams

_MODELS = {Kind.METRIC: Metric, Kind.DATASET: Dataset, Kind.SEGMENT: Segment}
_MOVED_ELSEWHERE = {"search", "current_resolution", "served_resolution"}
_CARD_WORDS = ("role", "is_kpi", "timing", "category", "stage", "direction")


@dataclass(frozen=True)
class NewVersion:
    """One version to write. `entry` is None for what does not exist yet."""

    key: str
    kind: str
    entry: Entry | None
    spec: AnySpec
    words: Words
    change_class: str
    domain: Domain
    tier: int
    effective_from: date
    lifecycle: str = Lifecycle.ACTIVE
    treatment: str = ""
    keep_both_until: date | None = None
    comparability: dict = field(default_factory=dict)


def card_of(entry: Entry) -> Metric | Dataset | Segment:
    """The row of the entry's own kind, locked."""
    return _MODELS[Kind(entry.kind)].objects.select_for_update(of=("self",)).get(pk=entry.pk)


def write_versions(
    items: Sequence[NewVersion], *, actor, published_at: datetime, reason: str
) -> dict[str, Version]:
    """Write one version an item and make it current. Returns them by key."""
    definitions = store_definitions([item.spec for item in items])
    written = {}
    for item in items:
        card = card_of(item.entry) if item.entry else _new_card(item, published_at)
        last = Version.objects.filter(entry=card.pk).order_by("-number").first()
        version = Version.objects.create(
            entry_id=card.pk,
            number=last.number + 1 if last else 1,
            definition=definitions[hash_of(item.spec)],
            words=item.words.model_dump(mode="json"),
            change_class=item.change_class,
            effective_from=item.effective_from,
            published_at=published_at,
            recorded_at=Now(),
            published_by_label=str(actor) if actor else "Etalon",
            treatment=item.treatment,
            keep_both_until=item.keep_both_until,
            comparability=item.comparability,
        )
        _show_on_card(card, item, version, actor=actor, at=published_at, reason=reason)
        written[item.key] = version
    return written


def _new_card(item: NewVersion, at: datetime) -> Metric | Dataset | Segment:
    card = _MODELS[Kind(item.kind)](
        key=item.key,
        kind=item.kind,
        name=item.words.name,
        domain=item.domain,
        tier=item.tier,
        created_at=at,
        changed_at=at,
    )
    # The history of a card begins with what it showed first, not with an empty row.
    card.skip_history_when_saving = True
    card.save(force_insert=True)
    del card.skip_history_when_saving
    return card


def _show_on_card(card, item: NewVersion, version: Version, *, actor, at, reason: str) -> None:
    card.name = item.words.name
    card.description = item.words.definition
    card.lifecycle = item.lifecycle
    card.current_version = version
    card.revision += 1
    card.changed_at = at
    if isinstance(card, Metric):
        for name in _CARD_WORDS:
            setattr(card, name, getattr(item.words, name))
    save_card(card, actor=actor, reason=reason)
    Entry.objects.filter(pk=card.pk).update(search=search_vector(card.key, item.words))


def save_card(card, *, actor, reason: str) -> None:
    """Save an edited card so that its row history names who and why."""
    card._history_user = actor
    card._change_reason = reason[:100]
    # What other writers move at any time is never written back from an older reading.
    card.save(
        update_fields=[
            each.name
            for each in card._meta.concrete_fields
            if not each.primary_key and each.name not in _MOVED_ELSEWHERE
        ]
    )


def search_vector(key: str, words: Words) -> SearchVector:
    """What the catalog's search looks through: name and key first, then what helps to find it."""
    first = " ".join([words.name, key, key.replace("_", " ")])
    second = " ".join([*words.synonyms, *words.tags])
    third = " ".join([words.definition, words.business_question, words.is_not])
    return (
        SearchVector(Value(first), weight="A", config="english")
        + SearchVector(Value(second), weight="B", config="english")
        + SearchVector(Value(third), weight="C", config="english")
    )


def draw_lineage(specs: Mapping[str, AnySpec]) -> None:
    """Replace the edges into these entries by what their specs say."""
    known = in_force(specs, beside=specs).specs | dict(specs)
    ids = dict(Entry.objects.filter(key__in=known).values_list("key", "pk"))
    LineageEdge.objects.filter(downstream_id__in=[ids[key] for key in specs]).delete()
    LineageEdge.objects.bulk_create(
        [
            LineageEdge(
                downstream_id=ids[key],
                upstream_id=ids[upstream.key],
                how=upstream.how[:40],
                columns=list(upstream.columns),
            )
            for key, spec in specs.items()
            for upstream in upstreams(spec, known)
            if upstream.key in ids and ids[upstream.key] != ids[key]
        ],
        ignore_conflicts=True,
    )


def resolve_anew(keys: Iterable[str], *, at: datetime) -> list[Resolution]:
    """Give new resolutions to these metrics and to all metrics above them that stand elsewhere now.

    A metric whose closure is unchanged keeps its resolution; one with a new version and an equal
    closure gets a resolution of the same hash, and so keeps its series.
    """
    changed = list(Entry.objects.filter(key__in=list(keys)).values_list("pk", flat=True))
    above = [found.pk for found in dependants_of(changed) if found.kind == Kind.METRIC]
    metrics = {
        metric.key: metric
        for metric in Metric.objects.select_for_update(of=("self",))
        .filter(pk__in=[*changed, *above], current_version__isnull=False)
        .order_by("pk")
    }
    standing = in_force(metrics)
    made = []
    for key, metric in metrics.items():
        pinned = closure(key, standing.specs)
        digest = resolution_hash(key, {name: standing.hashes[name] for name in pinned})
        current = metric.current_resolution
        if current and current.hash == digest and current.version_id == metric.current_version_id:
            continue
        made.append(
            Resolution.objects.create(
                metric=metric,
                version_id=metric.current_version_id,
                number=current.number + 1 if current else 1,
                hash=digest,
                pins=[
                    {
                        "key": name,
                        "number": standing.numbers[name],
                        "definition": standing.hashes[name],
                    }
                    for name in pinned
                ],
                created_at=at,
            )
        )
        Metric.objects.filter(pk=metric.pk).update(current_resolution=made[-1])
    return made
