"""Recomputing what the records promise: chain, hashes, consent, pointers.

What the database prevents for the application's role is *detected* here for everybody else. It
reads everything and changes nothing but the note of its own run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from accounts.choices import Role
from accounts.models import RoleGrant
from catalog.choices import OwnershipRole
from catalog.models import Definition, Entry, Metric, Ownership, Resolution, Version
from catalog.selectors.entries import in_force, specs_of
from core import audit
from core.models import AuditEvent, Heartbeat
from governance.choices import Status, Verdict
from governance.content import hash_of_content
from governance.models import ApprovalPolicy, Change, ChangeRequest, Review, Revision
from semantics.canonical import hash_of
from semantics.card import Words
from semantics.definition import read_spec
from semantics.diff import ChangeClass, class_of, class_of_words, strictest
from semantics.lineage import closure, resolution_hash

_EVER_AFTER = datetime.max.replace(tzinfo=UTC)


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
    yield from _numbers()
    yield from _requests()
    yield from _pointers()
    yield from _cards()
    yield from _resolutions()
    yield from _policies()


def _definitions() -> Iterator[Finding]:
    for row in Definition.objects.iterator(chunk_size=500):
        if hash_of(read_spec(row.spec)) != row.hash:
            yield Finding(f"definition {row}", "its content does not have its hash")


def _revisions() -> Iterator[Finding]:
    for row in Revision.objects.select_related("request").iterator(chunk_size=100):
        if hash_of_content(row.content) != row.hash:
            yield Finding(f"{row.request} {row}", "its content does not have its hash")


def _numbers() -> Iterator[Finding]:
    """No version without a change that became it, and none missing in between."""
    changed = set(Change.objects.exclude(version=None).values_list("version_id", flat=True))
    expected: dict[int, int] = {}
    rows = Version.objects.order_by("entry_id", "number").values_list(
        "pk", "entry_id", "number", "entry__key"
    )
    for pk, entry_id, number, key in rows:
        expected[entry_id] = expected.get(entry_id, 0) + 1
        if number != expected[entry_id]:
            yield Finding(f"{key}@{number}", "a version before it is missing")
            expected[entry_id] = number
        if pk not in changed:
            yield Finding(f"{key}@{number}", "no change request stands behind it")


@dataclass(frozen=True)
class _Duties:
    """Who held what when, from the rows' history: (who, what, from, until)."""

    roles: list[tuple]
    owners: list[tuple]

    @classmethod
    def ever(cls) -> _Duties:
        return cls(
            _spans(RoleGrant.history, "user_id", "role", "domain_id"),
            _spans(Ownership.history, "user_id", "role", "entry_id"),
        )

    def held(self, user: int, roles: set[str], domain: int, at) -> bool:
        return any(
            who == user and role in roles and where in (None, domain) and since <= at < until
            for (who, role, where), since, until in self.roles
        )

    def owned(self, user: int, entry: int, at) -> bool:
        return any(
            (who, role, what) == (user, OwnershipRole.OWNER, entry) and since <= at < until
            for (who, role, what), since, until in self.owners
        )


@dataclass(frozen=True)
class _Log:
    """What the audit log says of consent: who approved which revision, when each was submitted, and
    what each policy asked from when on. Rows can be written past the services; of these events a
    reader of the log would know."""

    approvals: set[tuple[str, str, int | None]]
    submits: dict[tuple[str, str], int]
    policies: dict[tuple, list[tuple[int, tuple]]]

    @classmethod
    def ever(cls) -> _Log:
        about = AuditEvent.objects.filter(subject_type="governance.changerequest")
        approvals = about.filter(action="change.approve")
        submits = about.filter(action="change.submit").order_by("sequence")
        places = {
            str(row.pk): (row.change_class, row.tier, row.is_new, row.domain_id)
            for row in ApprovalPolicy.objects.all()
        }
        asked: dict[tuple, list[tuple[int, tuple]]] = {}
        for event in AuditEvent.objects.filter(action="policy.set").order_by("sequence"):
            if place := places.get(event.subject_id):
                asked.setdefault(place, []).append((event.sequence, _numbers_of(event.detail)))
        return cls(
            {
                (pk, detail.get("hash"), actor)
                for pk, detail, actor in approvals.values_list("subject_id", "detail", "actor_id")
            },
            {
                (pk, detail.get("hash")): sequence
                for pk, detail, sequence in submits.values_list("subject_id", "detail", "sequence")
            },
            asked,
        )

    def knows(self, request: ChangeRequest, user: int) -> bool:
        """Whether it says that somebody approved what was published."""
        return (str(request.pk), request.submitted.hash, user) in self.approvals

    def asked(self, request: ChangeRequest, need: dict) -> tuple | None:
        """What policy asked, of a domain or else of all, when the request was submitted."""
        at = self.submits.get((str(request.pk), request.submitted.hash))
        if at is None:
            return None
        for domain in (need["domain"], None):
            place = (need["change_class"], need["tier"], need["is_new"], domain)
            before = [numbers for since, numbers in self.policies.get(place, ()) if since < at]
            if before:
                return before[-1]
        return None


def _numbers_of(detail: dict) -> tuple:
    return tuple(detail.get(name) for name in ("approvals", "stewards", "owner_counts"))


def _spans(history, *columns: str) -> list[tuple]:
    found: list[tuple] = []
    open_rows: dict[int, tuple] = {}
    for row in history.order_by("id", "history_date", "history_id"):
        if row.id in open_rows:
            found.append((*open_rows.pop(row.id), row.history_date))
        if row.history_type != "-":
            open_rows[row.id] = (
                tuple(getattr(row, column) for column in columns),
                row.history_date,
            )
    found += [(*row, _EVER_AFTER) for row in open_rows.values()]
    return found


def _requests() -> Iterator[Finding]:
    """Every published request: what it became, as what it was judged, and who agreed."""
    duties, log = _Duties.ever(), _Log.ever()
    published = ChangeRequest.objects.filter(status=Status.PUBLISHED).select_related("revision")
    for request in published.iterator(chunk_size=100):
        items = {item["key"]: item for item in request.submitted.content["items"]}
        changes = list(request.changes.select_related("version__entry", "entry").order_by("pk"))
        versions = [change.version for change in changes if change.version]
        before = _versions_before(versions)
        for change in changes:
            item = items.get(change.key)
            if item is None:
                yield Finding(f"{request} {change.key}", "it is no item of the revision")
            elif change.version is not None:
                version = change.version
                yield from _version(request, version, item, before.get(version.pk))
        yield from _consent(request, changes, duties, log)


def _versions_before(versions: list[Version]) -> dict[int, Version]:
    entries = {version.entry_id: version for version in versions}
    rows = Version.objects.filter(entry__in=entries)
    return {
        entries[row.entry_id].pk: row
        for row in rows
        if row.number == entries[row.entry_id].number - 1
    }


def _version(
    request: ChangeRequest, version: Version, item: dict, before: Version | None
) -> Iterator[Finding]:
    if item["definition"] != version.definition_id or item["words"] != version.words:
        yield Finding(str(version), f"it is not what {request} {request.revision} says")
        return
    needs = [need for need in request.submitted.requirements if need["key"] == item["key"]]
    if version.change_class not in {need["change_class"] for need in needs}:
        yield Finding(str(version), "no approval policy covered it")
    if any(need["is_new"] != (before is None) for need in needs):
        yield Finding(str(version), "it was decided as if it were something else than it is")
    truth = _class_between(before, version)
    order = list(ChangeClass)
    if truth and order.index(ChangeClass(version.change_class)) < order.index(truth):
        yield Finding(str(version), f"it is {truth}, and was decided as {version.change_class}")


def _class_between(before: Version | None, version: Version) -> ChangeClass | None:
    if before is None:
        return ChangeClass.ADDITIVE
    specs = specs_of([before.definition_id, version.definition_id])
    judged = [
        class_of(specs[before.definition_id], specs[version.definition_id]),
        class_of_words(Words.model_validate(before.words), Words.model_validate(version.words)),
    ]
    return strictest(one.change_class for one in judged if one.change_class)


def _consent(
    request: ChangeRequest, changes: list[Change], duties: _Duties, log: _Log
) -> Iterator[Finding]:
    revision = request.submitted
    approvals = {
        row.reviewer_id: row.pk
        for row in Review.objects.latest_of_each_reviewer(revision)
        if row.verdict == Verdict.APPROVE and row.revision_hash == revision.hash
    }
    if any(not log.knows(request, user) for user in approvals):
        yield Finding(str(request), "it has an approval that the audit log does not know")
    people = set(approvals) - set(revision.editors) - {request.author_id}
    at = _published_at(request, changes)
    entries = {change.key: change.entry_id for change in changes}
    said = set()
    for need in revision.requirements:
        if log.asked(request, need) != _numbers_of(need):
            sentence = f"{need['key']} was asked for less or more than policy asked for then"
            if sentence not in said:
                said.add(sentence)
                yield Finding(str(request), sentence)
        owners = {
            user
            for user in people
            if need["owner_counts"] and duties.owned(user, entries.get(need["key"]) or 0, at)
        }
        stewards = owners | {
            user for user in people if duties.held(user, {Role.STEWARD}, need["domain"], at)
        }
        reviewers = stewards | {
            user for user in people if duties.held(user, {Role.REVIEWER}, need["domain"], at)
        }
        for have, asked, of in (
            (len(reviewers), need["approvals"], "approvals"),
            (len(stewards), need["stewards"], "approvals by stewards"),
        ):
            sentence = f"{need['key']} had {have} of {asked} {of}"
            if have < asked and sentence not in said:
                said.add(sentence)
                yield Finding(str(request), sentence)


def _published_at(request: ChangeRequest, changes: list[Change]):
    """The instant of its publication by the database's clock."""
    recorded = [change.version.recorded_at for change in changes if change.version]
    if recorded:
        return max(recorded)
    event = AuditEvent.objects.filter(
        action="change.publish",
        subject_type="governance.changerequest",
        subject_id=str(request.pk),
    ).first()
    return event.recorded_at if event else request.closed_at


def _pointers() -> Iterator[Finding]:
    newest = dict(Version.objects.order_by().values_list("entry").annotate(newest=Max("number")))
    for pk, key, number in Entry.objects.values_list("pk", "key", "current_version__number"):
        if number != newest.get(pk):
            yield Finding(key, f"its card shows version {number}, the newest is {newest.get(pk)}")
    strays = Entry.objects.exclude(current_version=None).exclude(current_version__entry=F("pk"))
    for entry in strays:
        yield Finding(entry.key, "its card shows a version of something else")


def _cards() -> Iterator[Finding]:
    """Tier, domain and owners are those of the newest published request that speaks of them."""
    decided: dict[str, dict] = {}
    published = ChangeRequest.objects.filter(status=Status.PUBLISHED).order_by("closed_at", "pk")
    for content in published.values_list("revision__content", flat=True).iterator(chunk_size=50):
        for item in content["items"]:
            if item.get("stewardship"):
                decided[item["key"]] = item["stewardship"]
    owners: dict[str, set[str]] = {}
    rows = Ownership.objects.filter(role=OwnershipRole.OWNER)
    for key, username in rows.values_list("entry__key", "user__username"):
        owners.setdefault(key, set()).add(username)
    cards = Entry.objects.exclude(current_version=None)
    for key, tier, domain in cards.values_list("key", "tier", "domain__key"):
        said = decided.get(key)
        if said is None:
            yield Finding(key, "no published request says who answers for it")
        elif (tier, domain) != (said["tier"], said["domain"]):
            yield Finding(key, "its tier or domain is not the one that was decided")
        elif owners.get(key, set()) != set(said["owners"]):
            yield Finding(key, "its owners are not those that were decided")


def _resolutions() -> Iterator[Finding]:
    for row in Resolution.objects.select_related("metric").iterator(chunk_size=500):
        pins = {pin["key"]: pin["definition"] for pin in row.pins}
        if resolution_hash(row.metric.key, pins) != row.hash:
            yield Finding(f"resolution {row}", "its pins do not have its hash")
    standing = in_force()
    metrics = Metric.objects.exclude(current_version=None).select_related("current_resolution")
    for metric in metrics:
        resolution = metric.current_resolution
        if resolution is None or resolution.metric_id != metric.pk:
            yield Finding(metric.key, "it stands on no resolution of its own")
            continue
        pinned = closure(metric.key, standing.around(metric.key))
        digest = resolution_hash(metric.key, {name: standing.hashes[name] for name in pinned})
        if digest != resolution.hash:
            yield Finding(metric.key, "its resolution is not made of what is in force")


def _policies() -> Iterator[Finding]:
    """Every approval policy is as it was last set, by whom the audit log names."""
    said = {}
    for event in AuditEvent.objects.filter(action="policy.set").order_by("sequence"):
        said[event.subject_id] = event.detail
    for row in ApprovalPolicy.objects.all():
        detail = said.get(str(row.pk), {})
        numbers = (row.approvals, row.stewards, row.owner_counts_as_steward)
        if numbers != _numbers_of(detail):
            yield Finding(f"approval policy “{row}”", "it is not what was set")


def verify_and_record() -> list[Finding]:
    """The nightly run: what it found is in the audit log, and how long ago it was in the pulse."""
    findings = list(verify())
    with transaction.atomic():
        pulse, _ = Heartbeat.objects.update_or_create(name="verify", defaults={"at": Now()})
        pulse.refresh_from_db()
        audit.record(
            "verify.run",
            pulse,
            actor=None,
            via="worker",
            findings=[str(finding) for finding in findings[:100]],
            count=len(findings),
        )
    return findings
