"""Definitions are stored once each, under the hash of their canonical form."""

from collections.abc import Iterable

from catalog.models import Definition
from semantics.canonical import hash_of
from semantics.definition import AnySpec, kind_of, read_spec


class TamperedDefinition(RuntimeError):
    """The row of a hash holds something else. No product code writes such a row: fail loudly."""


def store_definition(spec: AnySpec) -> Definition:
    """Store a spec, or find the equal one. Two at once leave one row."""
    return store_definitions([spec])[hash_of(spec)]


def store_definitions(specs: Iterable[AnySpec]) -> dict[str, Definition]:
    """Store several specs at once; returns the definitions by hash.

    A row that was there before is looked at: whoever laid another spec under a hash that people
    agree to would have it published by their consent.
    """
    rows = {}
    for spec in specs:
        digest = hash_of(spec)
        rows[digest] = Definition(
            hash=digest, kind=kind_of(spec), spec=spec.model_dump(mode="json")
        )
    Definition.objects.bulk_create(rows.values(), ignore_conflicts=True, batch_size=500)
    stored = Definition.objects.in_bulk(rows)
    for digest, row in stored.items():
        # Equal ones may be written otherwise, which is all that the hash has to be asked for.
        if row.spec != rows[digest].spec and hash_of(read_spec(row.spec)) != digest:
            raise TamperedDefinition(f"The definition {digest[:12]} does not have its hash.")
    return stored
