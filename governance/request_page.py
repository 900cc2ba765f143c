"""Everything that the page of one request shows, for the web page, the admin and the API alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Max

from accounts.models import User
from catalog.models import Entry, Version
from catalog.selectors.entries import Dependant, specs_of
from core.errors import NotFound
from core.models import AuditEvent
from governance import policies
from governance.approvals import Standing, standings, who_must_agree
from governance.assessment import Assessment, assess
from governance.choices import MOVES, Status, Verdict
from governance.content import Content, Item, read_content
from governance.models import Change, ChangeRequest, Comment, Review, Revision
from governance.readiness import Line, Readiness, readiness_of
from measurement import policies as runs
from measurement.choices import Purpose
from measurement.models import Backfill
from measurement.selectors.previews import PreviewRun, preview_run
from semantics.card import Words
from semantics.definition import read_spec
from semantics.diff import Difference, differences, word_differences


@dataclass(frozen=True)
class PageItem:
    """One item with what differs: from what is in force or, once closed, from its base."""

    item: Item
    entry: Entry | None
    version: Version | None
    change_class: str
    reason: str
    spec_differences: list[Difference] = field(default_factory=list)
    word_differences: list[Difference] = field(default_factory=list)
    card_differences: list[Difference] = field(default_factory=list)

    @property
    def differences(self) -> list[Difference]:
        return [*self.spec_differences, *self.word_differences, *self.card_differences]


@dataclass(frozen=True)
class TimelineEntry:
    """One deed: what, by whom, from where, and why."""

    at: datetime
    action: str
    who: str
    is_machine: bool
    via: str
    reason: str
    detail: dict


@dataclass(frozen=True)
class RequestPage:
    """`why_not` says for each verb why this person cannot do it now; None means that they can."""

    request: ChangeRequest
    revision: Revision | None
    content: Content
    is_latest: bool
    items: list[PageItem]
    assessment: Assessment | None
    readiness: Readiness | None
    standings: list[Standing]
    must_agree: list[str]
    reviews: list[Review]
    comments: list[Comment]
    timeline: list[TimelineEntry]
    why_not: dict[str, str | None]
    kept_preview: PreviewRun | None = None

    @property
    def lines(self) -> list[Line]:
        """The readiness box, unmet lines first."""
        return self.readiness.lines if self.readiness else []

    @property
    def is_approved(self) -> bool:
        return bool(self.standings) and all(one.is_met for one in self.standings)

    @property
    def is_out_of_date(self) -> bool:
        return any(line.name == "base" and not line.is_ok for line in self.lines)

    @property
    def evidence(self) -> PreviewRun | None:
        """What its readers see of the past; once it is published, what they had seen."""
        return self.readiness.evidence if self.readiness else self.kept_preview

    @property
    def headlines(self) -> list[str]:
        """What it does, or did, to the past: one sentence a metric."""
        if self.evidence and self.evidence.figures:
            said = [one.headline for one in self.evidence.figures.values()]
        else:
            versions = [one.version for one in self.items if one.version]
            said = [version.comparability.get("headline", "") for version in versions]
        return [sentence for sentence in said if sentence]

    @property
    def impact(self) -> list[Dependant]:
        """What stands on what it changes, nearest first."""
        return self.assessment.above if self.assessment else []

    @property
    def moved(self) -> set[str]:
        """The keys of those whose past values may move with it."""
        return {one.key for one in self.assessment.affected} if self.assessment else set()

    @property
    def open_comments(self) -> int:
        return sum(said.resolved_at is None for said in self.comments)

    @property
    def was_edited_since(self) -> bool:
        """The draft says something else than the revision that is shown."""
        return self.revision is not None and self.revision.draft_lock != self.request.draft.lock


def request_page(
    request: ChangeRequest, user: User, *, revision_number: int | None = None
) -> RequestPage:
    """The page of a request as one person sees it; of an older revision, if one is named."""
    revision = _revision(request, revision_number)
    document = revision.content if revision else request.draft.content
    content = read_content(document)
    is_latest = revision is None or revision.pk == request.revision_id
    is_judged = request.is_open and is_latest
    assessment = assess(content) if is_judged else None
    readiness = readiness_of(request, content, assessment) if assessment else None
    found = readiness.standings if readiness else standings(request)
    changes = {
        change.key: change
        for change in request.changes.select_related(
            "entry__current_version", "version__entry", "version__definition"
        )
    }
    timeline = timeline_of(request)
    return RequestPage(
        request=request,
        revision=revision,
        content=content,
        is_latest=is_latest,
        items=_items(content, assessment, changes, request),
        assessment=assessment,
        readiness=readiness,
        standings=found,
        must_agree=who_must_agree([one.requirement for one in found]),
        reviews=list(request.reviews.select_related("reviewer", "revision")),
        comments=list(request.comments.select_related("author", "resolved_by")),
        timeline=timeline,
        why_not=why_not_each(request, user, readiness),
        kept_preview=_kept_preview(timeline) if is_latest else None,
    )


def _kept_preview(timeline: list[TimelineEntry]) -> PreviewRun | None:
    """The preview that stood on the page when it was published."""
    kept = [deed.detail.get("preview") for deed in timeline if deed.action == "change.publish"]
    if not kept or kept[-1] is None:
        return None
    run = Backfill.objects.filter(purpose=Purpose.PREVIEW, pk=kept[-1]).first()
    return preview_run(run) if run else None


def _revision(request: ChangeRequest, number: int | None) -> Revision | None:
    if number is None:
        return request.revision
    found = request.revisions.filter(number=number).first()
    if found is None:
        raise NotFound(f"{request} has no revision r{number}.")
    return found


def why_not_each(
    request: ChangeRequest, user: User, readiness: Readiness | None = None
) -> dict[str, str | None]:
    """For each verb the reason against it: of the person, else of the state, else of readiness."""
    verbs = {
        "edit": ("edit", policies.why_not_edit(user, request)),
        "submit": ("submit", policies.why_not_edit(user, request)),
        "comment": ("comment", policies.why_not_review(user, request, Verdict.COMMENT)),
        "approve": ("approve", policies.why_not_review(user, request, Verdict.APPROVE)),
        "withdraw": ("withdraw", policies.why_not_withdraw(user, request)),
        "reject": ("reject", policies.why_not_reject(user, request)),
        "publish": ("start_publishing", policies.why_not_publish(user, request)),
        "rebase": ("edit", policies.why_not_edit(user, request)),
        "split": ("edit", policies.why_not_edit(user, request)),
    }
    found = {
        verb: reason or _state_against(request, action) for verb, (action, reason) in verbs.items()
    }
    # Whoever may approve may ask for changes; only the states differ.
    found["request_changes"] = verbs["approve"][1] or _state_against(request, "request_changes")
    if found["publish"] is None and readiness is not None:
        found["publish"] = readiness.why_not or None
    found["undo"] = policies.why_not_undo(user, request)
    found["preview"] = runs.why_not_preview(user) or _is_closed(request)
    return found


def _is_closed(request: ChangeRequest) -> str | None:
    return None if request.is_open else _state(request)


def _state_against(request: ChangeRequest, action: str) -> str | None:
    if request.status in MOVES[action][0]:
        return None
    return _state(request)


def _state(request: ChangeRequest) -> str:
    return f"It is {Status(request.status).label.lower()}."


def _items(
    content: Content,
    assessment: Assessment | None,
    changes: dict[str, Change],
    request: ChangeRequest,
) -> list[PageItem]:
    if assessment is not None:
        return [_judged(item, assessment, changes) for item in content.items]
    bases = _bases(content)
    return [
        _closed(item, changes.get(item.key), bases.get(item.key), request) for item in content.items
    ]


def _judged(item: Item, assessment: Assessment, changes: dict[str, Change]) -> PageItem:
    one = assessment.item(item.key)
    change = changes.get(item.key)
    return PageItem(
        item=item,
        entry=one.entry,
        version=change.version if change else None,
        change_class=str(one.change_class or ""),
        reason=one.reason,
        spec_differences=one.spec_differences,
        word_differences=one.word_differences,
        card_differences=one.card_differences,
    )


def _bases(content: Content) -> dict[str, Version]:
    """The versions that the items started from."""
    wanted = {item.key: item.base for item in content.items if item.base is not None}
    rows = Version.objects.filter(entry__key__in=wanted).select_related("entry")
    return {
        version.entry.key: version
        for version in rows
        if version.number == wanted[version.entry.key]
    }


def _closed(
    item: Item, change: Change | None, base: Version | None, request: ChangeRequest
) -> PageItem:
    version = change.version if change else None
    old_spec = specs_of([base.definition_id])[base.definition_id] if base else None
    old_words = Words.model_validate(base.words) if base else None
    return PageItem(
        item=item,
        entry=change.entry if change else None,
        version=version,
        change_class=version.change_class if version else request.change_class,
        reason="",
        spec_differences=differences(old_spec, read_spec(item.spec)),
        word_differences=word_differences(old_words, item.words),
    )


def _deeds(pk: int):
    return AuditEvent.objects.filter(subject_type="governance.changerequest", subject_id=str(pk))


def moment_of(pk: int) -> str:
    """Where a request is: its state, the last deed about it, and the newest version of what it
    changes, by which it may be out of date. Read without its contents, since pages ask often.

    Raises NotFound.
    """
    status = ChangeRequest.objects.filter(pk=pk).values_list("status", flat=True).first()
    if status is None:
        raise NotFound(f"There is no CR-{pk}.")
    deed = _deeds(pk).aggregate(last=Max("sequence"))["last"]
    version = Version.objects.filter(entry__changes__request=pk).aggregate(last=Max("pk"))["last"]
    return f"{status}.{deed}.{version}"


def timeline_of(request: ChangeRequest) -> list[TimelineEntry]:
    """Every deed about a request, oldest first, from the audit log."""
    rows = _deeds(request.pk).order_by("sequence")
    return [
        TimelineEntry(
            at=row.happened_at,
            action=row.action,
            who=row.actor_label,
            is_machine=row.actor_id is None,
            via=row.via,
            reason=row.reason,
            detail=row.detail,
        )
        for row in rows
    ]
