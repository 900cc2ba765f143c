"""What the catalog said before: versions of one entry, and the whole as of an instant.

An instant is one of record time, by the database's clock: what is answered is what stood here
then, whatever it has become since.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from accounts.models import Domain, User
from catalog.choices import OwnershipRole
from catalog.models import Dataset, Entry, Metric, Ownership, Segment, Version
from catalog.selectors.entries import specs_of
from core.errors import NotFound
from semantics.card import Words
from semantics.definition import AnySpec


@dataclass(frozen=True)
class EntryThen:
    """One entry as it stood at an instant."""

    key: str
    kind: str
    name: str
    tier: int
    domain: Domain
    lifecycle: str
    owners: list[str]
    version: Version
    spec: AnySpec
    words: Words


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
    rows = Version.objects.filter(recorded_at__lte=instant)
    if keys is not None:
        rows = rows.filter(entry__key__in=list(keys))
    newest = rows.order_by("entry_id", "-number").distinct("entry_id")
    versions = {version.entry_id: version for version in newest.select_related("entry")}
    cards = _cards_as_of(instant, versions)
    owners = _owners_as_of(instant, versions)
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
                owners=owners.get(pk, []),
                version=version,
                spec=specs[version.definition_id],
                words=words,
            )
        )
    return sorted(found, key=lambda one: (one.name.lower(), one.key))


def entry_as_of(key: str, instant: datetime) -> EntryThen:
    found = catalog_as_of(instant, [key])
    if not found:
        raise NotFound(f"There was no “{key}” in the catalog on {instant:%Y-%m-%d %H:%M} UTC.")
    return found[0]


def _cards_as_of(instant: datetime, ids: Iterable[int]) -> dict[int, Any]:
    """The rows of history that were the last ones at an instant."""
    found: dict[int, Any] = {}
    for model in (Metric, Dataset, Segment):
        rows = model.history.filter(history_date__lte=instant, id__in=list(ids))
        last = rows.order_by("id", "-history_date", "-history_id").distinct("id")
        found |= {row.id: row for row in last}
    return found


def _owners_as_of(instant: datetime, ids: Iterable[int]) -> dict[int, list[str]]:
    rows = Ownership.history.filter(
        history_date__lte=instant, entry__in=list(ids), role=OwnershipRole.OWNER
    )
    last = rows.order_by("id", "-history_date", "-history_id").distinct("id")
    held = [(row.entry_id, row.user_id) for row in last if row.history_type != "-"]
    people = User.objects.in_bulk({user for _, user in held})
    found: dict[int, list[str]] = {}
    for entry, user in held:
        found.setdefault(entry, []).append(str(people[user]))
    return {entry: sorted(names) for entry, names in found.items()}
