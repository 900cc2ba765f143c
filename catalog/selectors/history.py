"""What the catalog said before: versions of one entry, and the whole as of an instant.

An instant is one of record time, by the database's clock: what is answered is what stood here
then, whatever it has become since. Inside of a history that was loaded it is one of the clock
that was declared for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from accounts.models import Domain, User
from catalog.choices import OwnershipRole
from catalog.models import (
    Dataset,
    Entry,
    HierarchyEdge,
    Metric,
    Ownership,
    Resolution,
    Segment,
    Sla,
    Version,
)
from catalog.selectors.entries import specs_of
from catalog.stewardship import Branch, Promise, Stewardship
from core.errors import NotFound
from core.instants import told_by
from semantics.card import Words
from semantics.definition import AnySpec


@dataclass(frozen=True)
class EntryThen:
    """One entry as it stood at an instant. `card` has the columns of its row then."""

    key: str
    kind: str
    name: str
    tier: int
    domain: Domain
    lifecycle: str
    people: dict[str, list[User]]
    version: Version
    spec: AnySpec
    words: Words
    card: Any
    # Until when had been recorded what was known then.
    told: datetime

    @property
    def owners(self) -> list[str]:
        return sorted(str(person) for person in self.people[OwnershipRole.OWNER])


def versions_of(entry: Entry) -> list[Version]:
    """All versions, newest first, with their definitions."""
    rows = Version.objects.filter(entry=entry.pk).select_related("entry", "definition")
    return list(rows.order_by("-number"))


def version_of(entry: Entry, number: int) -> Version:
    """`key@n`, or NotFound with the last number there is."""
    rows = Version.objects.filter(entry=entry.pk).select_related("entry", "definition")
    found = rows.filter(number=number).first()
    if found is None:
        last = rows.aggregate(last=Max("number"))["last"]
        known = f" The last one is {entry.key}@{last}." if last else " It has no version yet."
        raise NotFound(f"There is no {entry.key}@{number}.{known}", key=entry.key)
    return found


def catalog_as_of(instant: datetime, keys: Iterable[str] | None = None) -> list[EntryThen]:
    """Every entry that had a version at an instant, as it stood then, by name."""
    told = told_by(instant)
    rows = Version.objects.filter(recorded_at__lte=told)
    if keys is not None:
        rows = rows.filter(entry__key__in=list(keys))
    newest = rows.order_by("entry_id", "-number").distinct("entry_id")
    versions = {
        version.entry_id: version
        for version in newest.select_related("entry__domain", "definition")
    }
    cards = _cards_as_of(told, versions)
    people = _people_as_of(told, versions)
    domains = Domain.objects.in_bulk()
    specs = specs_of(version.definition_id for version in versions.values())
    found = []
    for pk, version in versions.items():
        card = cards.get(pk, version.entry)
        words = Words.model_validate(version.words)
        found.append(
            EntryThen(
                key=version.entry.key,
                kind=version.entry.kind,
                name=words.name,
                tier=card.tier,
                domain=domains[card.domain_id],
                lifecycle=card.lifecycle,
                people=people[pk],
                version=version,
                spec=specs[version.definition_id],
                words=words,
                card=card,
                told=told,
            )
        )
    return sorted(found, key=lambda one: (one.name.lower(), one.key))


def entry_as_of(key: str, instant: datetime) -> EntryThen:
    found = catalog_as_of(instant, [key])
    if not found:
        raise NotFound(
            f"There was no “{key}” in the catalog on {instant:%Y-%m-%d %H:%M} UTC.", key=key
        )
    return found[0]


def stewardship_then(then: EntryThen) -> Stewardship:
    """Who answered for an entry and what was promised of it, as it stood."""
    pk = then.version.entry_id
    sla = next(iter(_rows_as_of(Sla, then.told, metric=pk)), None)
    edges = _rows_as_of(HierarchyEdge, then.told, child=pk)
    parents = Metric.objects.in_bulk({edge.parent_id for edge in edges})
    of_branch = ("kind", "sign", "lag_days", "strength", "evidence")
    branches = [
        Branch(
            parent=parents[edge.parent_id].key, **{name: getattr(edge, name) for name in of_branch}
        )
        for edge in edges
    ]
    names = {role: sorted(person.username for person in held) for role, held in then.people.items()}
    return Stewardship(
        domain=then.domain.key,
        tier=then.tier,
        owners=names[OwnershipRole.OWNER],
        backups=names[OwnershipRole.BACKUP],
        stewards=names[OwnershipRole.STEWARD],
        target=getattr(then.card, "target", None),
        target_until=getattr(then.card, "target_until", None),
        sla=sla and Promise(**{name: getattr(sla, name) for name in Promise.model_fields}),
        tree=sorted(branches, key=lambda branch: (branch.parent, branch.kind)),
    )


def resolution_then(then: EntryThen) -> Resolution | None:
    """What the version of then stood on."""
    found = then.version.resolutions.filter(created_at__lte=then.told).select_related("version")
    return found.order_by("-number").first()


def _cards_as_of(told: datetime, ids: Iterable[int]) -> dict[int, Any]:
    """The rows of history that were the last ones at an instant."""
    found: dict[int, Any] = {}
    for model in (Metric, Dataset, Segment):
        found |= {row.id: row for row in _rows_as_of(model, told, id__in=list(ids))}
    return found


def _rows_as_of(model: Any, told: datetime, **which) -> list[Any]:
    """The rows of a model that were there at an instant, as they were."""
    rows = model.history.filter(history_date__lte=told, **which)
    last = rows.order_by("id", "-history_date", "-history_id").distinct("id")
    return [row for row in last if row.history_type != "-"]


def _people_as_of(told: datetime, ids: Iterable[int]) -> dict[int, dict[str, list[User]]]:
    found: dict[int, dict[str, list[User]]] = {
        pk: {role: [] for role in OwnershipRole.values} for pk in ids
    }
    held = _rows_as_of(Ownership, told, entry__in=list(found))
    people = User.objects.in_bulk({row.user_id for row in held})
    for row in sorted(held, key=lambda row: str(people[row.user_id])):
        found[row.entry_id][row.role].append(people[row.user_id])
    return found
