"""What the catalog holds now: entries, the specs in force, and who stands on whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import F, Q

from catalog.choices import Kind
from catalog.models import Definition, Entry, LineageEdge, Metric
from core.errors import NotFound
from semantics.definition import AnySpec, DatasetSpec, read_spec
from semantics.lineage import references
from semantics.problems import nearest


@dataclass(frozen=True)
class InForce:
    """The current versions of some entries, by key: their specs, numbers and hashes."""

    specs: dict[str, AnySpec] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)

    def around(self, key: str) -> dict[str, AnySpec]:
        """The specs that a closure of `key` can be made of: all it refers to, and the datasets."""
        return around(key, self.specs, self.datasets)

    @cached_property
    def datasets(self) -> dict[str, AnySpec]:
        """Looked for once: ask for it when all specs are there."""
        return {key: spec for key, spec in self.specs.items() if isinstance(spec, DatasetSpec)}


def around(
    key: str, specs: Mapping[str, AnySpec], datasets: Mapping[str, AnySpec]
) -> dict[str, AnySpec]:
    """The part of many specs that matters to one of them."""
    found = dict(datasets)
    waiting = [key]
    while waiting:
        name = waiting.pop()
        if name in specs and (name not in found or name == key):
            found[name] = specs[name]
            waiting += [other for other in references(specs[name]) if other not in found]
    return found


def entry_by_key(key: str) -> Entry:
    """The entry of a key with its domain and current definition, or NotFound with the nearest."""
    entry = (
        Entry.objects.select_related("domain", "current_version__definition", "successor")
        .filter(key=key)
        .first()
    )
    if entry is None:
        near = nearest(key, Entry.objects.values_list("key", flat=True))
        raise NotFound(f"There is no “{key}” in the catalog. {near}".strip(), key=key)
    return entry


def metric_by_key(key: str) -> Metric:
    """The metric of a key with what its page shows, or NotFound."""
    metric = (
        Metric.objects.select_related(
            "domain",
            "current_version__definition",
            "current_resolution__version",
            "served_resolution__version",
        )
        .filter(key=key)
        .first()
    )
    if metric is None:
        near = nearest(key, Metric.objects.values_list("key", flat=True))
        raise NotFound(f"There is no metric “{key}”. {near}".strip(), key=key)
    return metric


def in_force(keys: Iterable[str] | None = None, *, beside: Mapping[str, AnySpec] | None = None):
    """The current versions of `keys` and of all that they stand on; of everything without keys.

    All datasets are among them, since any of them may be what a dimension is joined from.
    `beside` holds proposed specs: what these refer to is followed as well. One query a level of
    the formulas, whatever the catalog's size.
    """
    found = InForce()
    if keys is None:
        _read(found, Q())
        return found
    _read(found, Q(kind=Kind.DATASET))
    wanted = set(keys)
    for spec in (beside or {}).values():
        wanted |= references(spec)
    seen = set(found.specs)
    while missing := wanted - seen:
        seen |= missing
        _read(found, Q(key__in=missing))
        wanted = {
            name
            for key in missing
            if (known := found.specs.get(key)) is not None
            for name in references(known)
        }
    return found


def specs_in_force(keys: Iterable[str] | None = None) -> dict[str, AnySpec]:
    return in_force(keys).specs


def _read(found: InForce, which: Q) -> None:
    rows = Entry.objects.filter(which, current_version__isnull=False).values_list(
        "key", "current_version__number", "current_version__definition_id"
    )
    for key, number, digest in rows:
        found.numbers[key] = number
        found.hashes[key] = digest
    specs = specs_of(found.hashes[key] for key, _, _ in rows)
    found.specs.update({key: specs[digest] for key, _, digest in rows})


# Definitions never change, so that a spec once read is good for the life of the process.
_KEPT_SPECS = 20_000
_kept: dict[str, AnySpec] = {}


def specs_of(hashes: Iterable[str]) -> dict[str, AnySpec]:
    """The specs of definitions, by hash. One query for those that were not read before."""
    wanted = set(hashes)
    if missing := wanted - set(_kept):
        if len(_kept) > _KEPT_SPECS:
            _kept.clear()
            missing = wanted
        for digest, document in Definition.objects.filter(hash__in=missing).values_list(
            "hash", "spec"
        ):
            _kept[digest] = read_spec(document)
    return {digest: _kept[digest] for digest in wanted}


@dataclass(frozen=True)
class Dependant:
    """Something computed from an entry, at one or more steps."""

    pk: int
    key: str
    name: str
    kind: str
    tier: int
    lifecycle: str
    domain: str
    distance: int
    # The keys of what it is computed from directly.
    upstream_keys: list[str]
    owners: list[str]


_DOWNSTREAM = """
WITH RECURSIVE below AS (
    SELECT downstream_id AS id, 1 AS distance FROM catalog_lineageedge
    WHERE upstream_id = ANY(%s)
    UNION
    SELECT e.downstream_id, b.distance + 1
    FROM catalog_lineageedge e JOIN below b ON e.upstream_id = b.id WHERE b.distance < 20
)
SELECT n.id, n.key, n.name, n.kind, n.tier, n.lifecycle, d.name, min(b.distance),
    ARRAY(SELECT DISTINCT u.key FROM catalog_lineageedge e
          JOIN catalog_entry u ON u.id = e.upstream_id WHERE e.downstream_id = n.id ORDER BY 1),
    ARRAY(SELECT coalesce(nullif(u.full_name, ''), u.username)
          FROM catalog_ownership o JOIN accounts_user u ON u.id = o.user_id
          WHERE o.entry_id = n.id AND o.role = 'owner' ORDER BY 1)
FROM below b JOIN catalog_entry n ON n.id = b.id JOIN accounts_domain d ON d.id = n.domain_id
GROUP BY n.id, d.name ORDER BY min(b.distance), n.tier, n.name
"""
_UPSTREAM = (
    _DOWNSTREAM.replace("downstream_id AS id", "upstream_id AS id")
    .replace("WHERE upstream_id = ANY(%s)", "WHERE downstream_id = ANY(%s)")
    .replace("SELECT e.downstream_id", "SELECT e.upstream_id")
    .replace("ON e.upstream_id = b.id", "ON e.downstream_id = b.id")
)


def dependants_of(entry_ids: Iterable[int]) -> list[Dependant]:
    """Everything that is computed from these entries, nearest first."""
    return _walk(_DOWNSTREAM, entry_ids)


def upstreams_of(entry_ids: Iterable[int]) -> list[Dependant]:
    """Everything that these entries are computed from, nearest first."""
    return _walk(_UPSTREAM, entry_ids)


def _walk(statement: str, entry_ids: Iterable[int]) -> list[Dependant]:
    start = list(entry_ids)
    if not start:
        return []
    with connection.cursor() as cursor:
        cursor.execute(statement, [start])
        return [Dependant(*row) for row in cursor.fetchall() if row[0] not in start]


def edges_among(entry_ids: Iterable[int]) -> list[dict[str, Any]]:
    """The lineage edges between these entries, for a graph."""
    ids = list(entry_ids)
    rows = LineageEdge.objects.filter(upstream_id__in=ids, downstream_id__in=ids).values(
        "how", "columns", source=F("upstream__key"), target=F("downstream__key")
    )
    return [dict(row) for row in rows]
