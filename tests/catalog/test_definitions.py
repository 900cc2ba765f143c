"""Definitions are stored by their hash, and are what it names."""

import pytest

from catalog.models import Definition, Version
from catalog.services.definitions import TamperedDefinition, store_definition
from semantics.canonical import hash_of
from semantics.definition import read_spec
from tests import factories


def _under_the_name_of(spec: dict, other: dict) -> None:
    """Lay another definition under a hash before anybody proposes what it names."""
    Definition.objects.create(hash=hash_of(read_spec(spec)), kind="metric", spec=other)


def test_an_equal_definition_that_is_written_otherwise_is_the_same(db):
    spec = {**factories.NET_SALES, "filters": ["store = 'a'", "refund > 0"]}
    first = store_definition(read_spec(spec))

    again = store_definition(read_spec({**spec, "filters": spec["filters"][::-1]}))

    assert again == first
    assert Definition.objects.count() == 1


def test_nothing_is_published_that_was_laid_under_the_hash_that_was_read(company):
    """Reviewers read a revision; the version points at the row of its hash."""
    honest = {**factories.NET_SALES, "expression": "amount - refund"}
    evil = {**factories.NET_SALES, "expression": "amount * 2"}
    _under_the_name_of(honest, evil)

    with pytest.raises(TamperedDefinition, match="does not have its hash"):
        factories.published(
            factories.make_item("cash", honest), author=company.ana, by=[company.cem]
        )

    assert not Version.objects.filter(entry__key="cash").exists()
