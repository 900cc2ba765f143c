"""Keeping sources, and trying them: can it be opened, is it read-only, are the datasets' tables
there."""

from dataclasses import dataclass

from django.db import transaction

from catalog.models import Dataset
from core import audit
from core.errors import EtalonError, Invalid, NotAllowed, QueryFailed
from core.row_history import sign
from measurement import policies
from measurement.choices import SourceKind
from measurement.models import Source
from measurement.services.checks import spec_of
from measurement.warehouses import open_source
from measurement.warehouses.base import Limits
from measurement.warehouses.datasets import missing_columns
from semantics.definition import Query

TRY_SECONDS = 10
# What a driver cannot do without, and what a person who forgot it should do.
_NEEDED = {
    SourceKind.DUCKDB: {"folder": "the folder of its files", "views": "a SELECT for each name"},
    SourceKind.POSTGRESQL: {"url_env": "the environment variable that holds its address"},
}
# Whoever may connect a source must not read tokens and sessions through it.
_OWN = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")


@transaction.atomic
def save_source(source: Source, *, actor, via: str = "service") -> Source:
    """Make or change a source. Credentials stay in the environment; a config that holds some is
    refused."""
    if why := policies.why_not_configure(actor):
        raise NotAllowed(why)
    problems = [
        {"place": f"config.{name}", "code": "missing", "message": f"`{name}` is missing: {what}."}
        for name, what in _NEEDED[SourceKind(source.kind)].items()
        if not source.config.get(name)
    ]
    problems += [
        {
            "place": f"config.{name}",
            "code": "secret",
            "message": f"`{name}` looks like a secret. Name an environment variable instead.",
        }
        for name, value in source.config.items()
        if "password" in name.lower() or "://" in str(value) and "@" in str(value)
    ]
    if source.config.get("url_env") in _OWN:
        message = "This is where Etalon keeps its own records. Name the variable of a warehouse."
        problems.append({"place": "config.url_env", "code": "own_database", "message": message})
    if problems:
        raise Invalid(problems[0]["message"], problems=problems)
    action = "source.change" if source.pk else "source.create"
    sign(source, actor=actor)
    source.save()
    audit.record(action, source, actor=actor, via=via, config=sorted(source.config))
    return source


@dataclass(frozen=True)
class SourceFinding:
    """One thing that was tried, and how it went."""

    subject: str
    is_good: bool
    message: str


def try_source(source: Source) -> list[SourceFinding]:
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
