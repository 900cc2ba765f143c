"""Definitions are stored once each, under the hash of their canonical form."""

from collections.abc import Iterable

from catalog.models import Definition
from semantics.canonical import hash_of
from semantics.definition import AnySpec, kind_of


def store_definition(spec: AnySpec) -> Definition:
    """Store a spec, or find the equal one. Two at once leave one row."""
    return store_definitions([spec])[hash_of(spec)]


def store_definitions(specs: Iterable[AnySpec]) -> dict[str, Definition]:
    """Store several specs at once; returns the definitions by hash."""
    rows = {}
    for spec in specs:
        digest = hash_of(spec)
        rows[digest] = Definition(
            hash=digest, kind=kind_of(spec), spec=spec.model_dump(mode="json")
        )
    Definition.objects.bulk_create(rows.values(), ignore_conflicts=True, batch_size=500)
    return Definition.objects.in_bulk(rows)
