"""Trying a source: can it be opened, are the tables of its datasets there, is it read-only."""

from dataclasses import dataclass

from catalog.models import Dataset
from core.errors import EtalonError, QueryFailed
from measurement.models import Source
from measurement.services.checks import spec_of
from measurement.warehouses import open_source
from measurement.warehouses.base import Limits
from measurement.warehouses.datasets import missing_columns
from semantics.definition import Query

TRY_SECONDS = 10


@dataclass(frozen=True)
class SourceFinding:
    """One thing that was tried, and how it went."""

    subject: str
    is_good: bool
    message: str


def test_source(source: Source) -> list[SourceFinding]:
    """Open a source and look whether its datasets find what they declare. Opens the source, so
    it is for workers and the command line."""
    try:
        warehouse = open_source(source)
        warehouse.query("SELECT 1 AS one", Limits(TRY_SECONDS))
    except EtalonError as error:
        return [SourceFinding(source.key, False, error.message)]
    findings = [SourceFinding(source.key, True, "It answers.")]
    try:
        warehouse.query("CREATE TABLE etalon_must_not (x integer)", Limits(TRY_SECONDS))
        findings.append(SourceFinding(source.key, False, "It took a statement that writes."))
    except (QueryFailed, EtalonError):
        findings.append(SourceFinding(source.key, True, "It refuses statements that write."))
    for dataset in Dataset.objects.live().select_related("current_version"):
        spec = spec_of(dataset)
        if spec.source != source.key or isinstance(spec.relation, Query):
            continue
        missing = missing_columns(warehouse, spec)
        message = (
            f"`{spec.relation.name}` has no {', '.join(f'`{name}`' for name in missing)}."
            if missing
            else f"`{spec.relation.name}` has all {len(spec.columns)} declared columns."
        )
        findings.append(SourceFinding(dataset.key, not missing, message))
    return findings
