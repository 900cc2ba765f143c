"""Recomputing what the records promise: chain, hashes, consent, pointers.

What the database prevents for the application's role is *detected* here for everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from catalog.models import Definition, Entry, Metric, Resolution, Version
from core import audit
from core.models import Heartbeat
from governance.choices import Verdict
from governance.content import hash_of_content
from governance.models import Change, Revision
from semantics.canonical import hash_of
from semantics.definition import read_spec
from semantics.diff import ChangeClass, class_of
from semantics.lineage import resolution_hash

_NO_SPEC_MAY_DIFFER = {ChangeClass.EDITORIAL, ChangeClass.MEANING, ChangeClass.STEWARDSHIP}


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it was promised."""

    what: str
    problem: str

    def __str__(self) -> str:
        return f"{self.what}: {self.problem}"


def verify(saved_head: audit.Head | None = None) -> Iterator[Finding]:
    """Yield every finding; nothing when all promises hold."""
    for found in audit.verify_chain(saved_head):
        yield Finding(f"audit log, row {found.sequence}", found.problem)
    yield from _definitions()
    yield from _revisions()
    yield from _versions()
    yield from _pointers()
    yield from _resolutions()


def _definitions() -> Iterator[Finding]:
    for row in Definition.objects.iterator(chunk_size=500):
        if hash_of(read_spec(row.spec)) != row.hash:
            yield Finding(f"definition {row}", "its content does not have its hash")


def _revisions() -> Iterator[Finding]:
    for row in Revision.objects.select_related("request").iterator(chunk_size=500):
        if hash_of_content(row.content) != row.hash:
            yield Finding(f"{row.request} {row}", "its content does not have its hash")


def _versions() -> Iterator[Finding]:
    changes = {
        change.version_id: change
        for change in Change.objects.exclude(version=None).select_related("request__revision")
    }
    previous: dict[int, Version] = {}
    rows = Version.objects.select_related("entry", "definition").order_by("entry_id", "number")
    for version in rows:
        before = previous.get(version.entry_id)
        previous[version.entry_id] = version
        if version.number != (before.number + 1 if before else 1):
            yield Finding(str(version), "a version before it is missing")
        change = changes.get(version.pk)
        if change is None:
            yield Finding(str(version), "no change request stands behind it")
            continue
        yield from _consent(version, change, before)


def _consent(version: Version, change: Change, before: Version | None) -> Iterator[Finding]:
    revision = change.request.revision
    item = next((i for i in revision.content["items"] if i["key"] == change.key), None)
    if (
        item is None
        or item["definition"] != version.definition_id
        or item["words"] != version.words
    ):
        yield Finding(str(version), f"it is not what {change.request} {revision} says")
        return
    need = next((n for n in revision.requirements if n["key"] == change.key), None)
    if need is None:
        yield Finding(str(version), "no approval policy covered it")
        return
    approvers = {
        row.reviewer_id
        for row in change.request.reviews.latest_of_each_reviewer(revision)
        if row.verdict == Verdict.APPROVE and row.revision_hash == revision.hash
    } - set(revision.editors)
    if len(approvers) < need["approvals"]:
        yield Finding(str(version), f"{len(approvers)} of {need['approvals']} approvals are there")
    if need["is_new"] != (before is None):
        yield Finding(str(version), "it was asked for as if it were new")
    if before is not None:
        truth = class_of(read_spec(before.definition.spec), read_spec(version.definition.spec))
        asked = ChangeClass(need["change_class"])
        if truth.change_class == ChangeClass.RESTATING and asked not in (
            ChangeClass.RESTATING,
            ChangeClass.RETIRING,
        ):
            yield Finding(str(version), f"it may move past values and was asked for as {asked}")


def _pointers() -> Iterator[Finding]:
    newest = dict(Version.objects.values_list("entry").annotate(newest=Max("number")))
    for pk, key, number in Entry.objects.values_list("pk", "key", "current_version__number"):
        if number != newest.get(pk):
            yield Finding(key, f"its card shows version {number}, the newest is {newest.get(pk)}")
    strays = Entry.objects.exclude(current_version=None).exclude(current_version__entry=F("pk"))
    for entry in strays:
        yield Finding(entry.key, "its card shows a version of something else")


def _resolutions() -> Iterator[Finding]:
    for row in Resolution.objects.select_related("metric").iterator(chunk_size=500):
        pins = {pin["key"]: pin["definition"] for pin in row.pins}
        if resolution_hash(row.metric.key, pins) != row.hash:
            yield Finding(f"resolution {row}", "its pins do not have its hash")
    stray = Metric.objects.exclude(current_resolution=None).exclude(
        current_resolution__metric=F("pk")
    )
    for metric in stray:
        yield Finding(metric.key, "it stands on a resolution of another metric")


def verify_and_record() -> list[Finding]:
    """The nightly run: what it found is in the audit log, and how long ago it was in the pulse."""
    findings = list(verify())
    with transaction.atomic():
        pulse, _ = Heartbeat.objects.update_or_create(name="verify", defaults={"at": Now()})
        audit.record(
            "verify.run",
            pulse,
            actor=None,
            via="worker",
            findings=[str(finding) for finding in findings[:100]],
            count=len(findings),
        )
    return findings
