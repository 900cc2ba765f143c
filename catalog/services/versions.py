"""Writing what was decided: versions, the cards that show them, lineage and resolutions.

Called by governance when a change request is put into force, inside its transaction and under
its lock. The database demands the request (see governance's migrations). Everything is written
by the set, so that a request over ten thousand metrics is still one short transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.db.models import Max

from accounts.models import Domain
from catalog.choices import Kind, Lifecycle, Tier
from catalog.models import Dataset, Entry, LineageEdge, Metric, Resolution, Segment, Version
from catalog.selectors.entries import dependants_of, in_force
from catalog.services.definitions import store_definitions
from core import audit, clock
from core.row_history import sign
from semantics.card import Words
from semantics.definition import AnySpec
from semantics.lineage import closure, resolution_hash, upstreams

Card = Metric | Dataset | Segment
_MODELS: dict[str, Any] = {  # typed as one of them, the managers of three would not fit
    Kind.METRIC: Metric,
    Kind.DATASET: Dataset,
    Kind.SEGMENT: Segment,
}
_BATCH = 500
_CARD_WORDS = ("role", "is_kpi", "timing", "category", "stage", "direction")
_CARD_FIELDS = (
    *("name", "description", "tags", "synonyms", "domain", "tier", "lifecycle"),
    *("last_day", "successor", "current_version", "revision", "changed_at"),
)
_METRIC_FIELDS = (*_CARD_WORDS, "target", "target_until")


@dataclass(frozen=True)
class NewVersion:
    """One version to write. `definition` is the hash of its spec; `domain` and `tier` are those
    of an entry that does not exist yet."""

    key: str
    kind: str
    spec: AnySpec
    definition: str
    words: Words
    change_class: str
    effective_from: date
    domain: Domain | None = None
    tier: int | None = None
    treatment: str = ""
    keep_both_until: date | None = None
    comparability: dict = field(default_factory=dict)


def locked_cards(keys: Iterable[str]) -> dict[str, Card]:
    """The rows of some entries in their own kinds, locked in the order of their ids."""
    wanted = list(keys)
    # The parents first and in one order, so that two transactions never wait for each other.
    kinds = (
        Entry.objects.select_for_update(of=("self",))
        .filter(key__in=wanted)
        .order_by("pk")
        .values_list("key", "kind")
    )
    found: dict[str, Card] = {}
    for kind, model in _MODELS.items():
        named = [key for key, its_kind in kinds if its_kind == kind]
        if named:
            found |= {card.key: card for card in model.objects.filter(key__in=named)}
    return found


def write_versions(
    items: Sequence[NewVersion], *, actor, published_at: datetime, reason: str
) -> dict[str, Version]:
    """Write one version an item and show it on its card. Returns the versions by key."""
    store_definitions([item.spec for item in items])
    cards = locked_cards(item.key for item in items)
    new = [item for item in items if item.key not in cards]
    if new:
        cards |= _new_cards(new, at=published_at)
    newest = dict(
        Version.objects.filter(entry__in=[card.pk for card in cards.values()])
        .order_by()
        .values_list("entry_id")
        .annotate(Max("number"))
    )
    recorded_at = _database_time()
    versions = Version.objects.bulk_create(
        [
            Version(
                entry=cards[item.key],
                number=newest.get(cards[item.key].pk, 0) + 1,
                definition_id=item.definition,
                words=item.words.model_dump(mode="json"),
                change_class=item.change_class,
                effective_from=item.effective_from,
                published_at=published_at,
                recorded_at=recorded_at,
                published_by_label=str(actor) if actor else audit.SYSTEM,
                treatment=item.treatment,
                keep_both_until=item.keep_both_until,
                comparability=item.comparability,
            )
            for item in items
        ],
        batch_size=_BATCH,
    )
    created = {item.key for item in new}
    by_key = {item.key: version for item, version in zip(items, versions, strict=True)}
    for item in items:
        if item.key not in created:
            _show_on_card(cards[item.key], item, by_key[item.key])
    save_cards(
        [card for key, card in cards.items() if key not in created], actor=actor, reason=reason
    )
    _show_first_versions([cards[key] for key in created], by_key, actor=actor, reason=reason)
    _make_searchable({cards[item.key].pk: item for item in items})
    return by_key


def _new_cards(items: Sequence[NewVersion], *, at: datetime) -> dict[str, Card]:
    """Cards of what does not exist yet. Their history begins when they show something."""
    entries = [
        Entry(
            key=item.key,
            kind=item.kind,
            domain=item.domain,
            tier=item.tier or Tier.THREE,
            created_at=at,
            changed_at=at,
        )
        for item in items
    ]
    for entry, item in zip(entries, items, strict=True):
        _say_words(entry, item)
    Entry.objects.bulk_create(entries, batch_size=_BATCH)
    wanted = {item.key: item for item in items}
    found: dict[str, Card] = {}
    for kind, model in _MODELS.items():
        # Django makes no children of existing parents in bulk, so their own columns are inserted
        # as they are.
        children = [
            model(entry_ptr=entry, **{name: getattr(entry, name) for name in _PARENT_FIELDS})
            for entry in entries
            if entry.kind == kind
        ]
        for child in children:
            _say_words(child, wanted[child.key])
        for start in range(0, len(children), _BATCH):
            model._base_manager._insert(
                children[start : start + _BATCH],
                fields=model._meta.local_concrete_fields,
                using="default",
            )
        found |= {child.key: child for child in children}
    return found


_PARENT_FIELDS = [
    column.attname
    for column in Entry._meta.concrete_fields
    if not column.primary_key and column.name != "search"
] + ["id"]


def _show_on_card(card: Card, item: NewVersion, version: Version) -> None:
    _say_words(card, item)
    card.current_version = version


def _say_words(card: Entry, item: NewVersion) -> None:
    card.name = item.words.name
    card.description = item.words.definition
    card.tags = list(item.words.tags)
    card.synonyms = list(item.words.synonyms)
    if isinstance(card, Metric):
        for name in _CARD_WORDS:
            setattr(card, name, getattr(item.words, name))


_FIRST_VERSIONS = """
UPDATE catalog_entry entry SET current_version_id = version.id, lifecycle = %s
FROM catalog_version version WHERE version.entry_id = entry.id AND entry.id = ANY(%s)
"""


def _show_first_versions(
    cards: Sequence[Card], versions: Mapping[str, Version], *, actor, reason: str
) -> None:
    """Let new cards show the only version that they have; their history begins here."""
    if not cards:
        return
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_VERSIONS, [Lifecycle.ACTIVE, [card.pk for card in cards]])
    for card in cards:
        card.current_version, card.lifecycle = versions[card.key], Lifecycle.ACTIVE
    for model in _MODELS.values():
        if of_kind := [card for card in cards if type(card) is model]:
            _note_history(of_kind, actor=actor, reason=reason, are_new=True)


def save_cards(cards: Sequence[Card], *, actor, reason: str) -> None:
    """Save locked cards with a row of history each that names who and why.

    What other writers move at any time (resolutions, search) is never written back from here.
    """
    for card in cards:
        card.revision += 1
        card.changed_at = clock.now()
    for model in _MODELS.values():
        of_kind = [card for card in cards if type(card) is model]
        if not of_kind:
            continue
        fields = [*_CARD_FIELDS, *(_METRIC_FIELDS if model is Metric else ())]
        model.objects.bulk_update(of_kind, fields, batch_size=_BATCH)
        _note_history(of_kind, actor=actor, reason=reason)


def _note_history(cards: Sequence[Card], *, actor, reason: str, are_new: bool = False) -> None:
    for card in cards:
        sign(card, actor=actor, reason=reason)
    type(cards[0]).history.bulk_history_create(cards, batch_size=_BATCH, update=not are_new)


_SEARCH = """
UPDATE catalog_entry entry SET search =
    setweight(to_tsvector('english', said.first), 'A')
    || setweight(to_tsvector('english', said.second), 'B')
    || setweight(to_tsvector('english', said.third), 'C')
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) AS said(id, first, second, third)
WHERE entry.id = said.id
"""


def _make_searchable(items: Mapping[int, NewVersion]) -> None:
    """What search looks through: name and key first, then what helps to find it, then the rest."""
    first = [
        f"{item.words.name} {item.key} {item.key.replace('_', ' ')}" for item in items.values()
    ]
    second = [" ".join([*item.words.synonyms, *item.words.tags]) for item in items.values()]
    third = [
        " ".join([item.words.definition, item.words.business_question, item.words.is_not])
        for item in items.values()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_SEARCH, [list(items), first, second, third])


def draw_lineage(specs: Mapping[str, AnySpec]) -> None:
    """Replace the edges into these entries by what their specs say."""
    if not specs:
        return
    standing = in_force(specs, beside=specs)
    standing.specs.update(specs)
    ids = dict(Entry.objects.filter(key__in=standing.specs).values_list("key", "pk"))
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
            for upstream in upstreams(spec, standing.around(key))
            # What a dataset reads are tables of its source, which may be called like an entry.
            if upstream.how != "reads" and upstream.key in ids and upstream.key != key
        ],
        ignore_conflicts=True,
        batch_size=_BATCH * 4,
    )


_FOLLOW = """
UPDATE catalog_metric metric SET current_resolution_id = resolution.id
FROM catalog_resolution resolution
WHERE resolution.metric_id = metric.entry_ptr_id AND resolution.id = ANY(%s)
"""


def resolve_anew(keys: Iterable[str], *, actor, at: datetime, reason: str) -> list[Resolution]:
    """Give new resolutions to these metrics and to all metrics above them that stand elsewhere now.

    A metric whose closure is unchanged keeps its resolution; one with a new version and an equal
    closure gets a resolution of the same hash, and so keeps its series.
    """
    changed = dict(Entry.objects.filter(key__in=list(keys)).values_list("key", "pk"))
    above = [found.key for found in dependants_of(changed.values()) if found.kind == Kind.METRIC]
    cards = locked_cards([*changed, *above])
    metrics = {key: card for key, card in cards.items() if isinstance(card, Metric)}
    standing = in_force(metrics)
    held = Resolution.objects.in_bulk(
        [
            metric.current_resolution_id
            for metric in metrics.values()
            if metric.current_resolution_id
        ]
    )
    made: list[tuple[Metric, Resolution]] = []
    for key, metric in metrics.items():
        if metric.current_version_id is None:
            continue
        pinned = closure(key, standing.around(key))
        digest = resolution_hash(key, {name: standing.hashes[name] for name in pinned})
        current = held.get(metric.current_resolution_id)
        if current and current.hash == digest and current.version_id == metric.current_version_id:
            continue
        pins = [
            {"key": name, "number": standing.numbers[name], "definition": standing.hashes[name]}
            for name in pinned
        ]
        made.append(
            (
                metric,
                Resolution(
                    metric=metric,
                    version_id=metric.current_version_id,
                    number=current.number + 1 if current else 1,
                    hash=digest,
                    pins=pins,
                    created_at=at,
                ),
            )
        )
    Resolution.objects.bulk_create([one for _, one in made], batch_size=_BATCH)
    for metric, resolution in made:
        metric.current_resolution = resolution
    moved = [metric for metric, _ in made]
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [[resolution.pk for _, resolution in made]])
    # What has a new version has its row of history already; what moved with it gets one here.
    alone = [metric for metric in moved if metric.key not in changed]
    if alone:
        for metric in alone:
            metric.revision += 1
            metric.changed_at = at
        Metric.objects.bulk_update(alone, ["revision", "changed_at"], batch_size=_BATCH)
        _note_history(alone, actor=actor, reason=reason)
    return [resolution for _, resolution in made]


def _database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
