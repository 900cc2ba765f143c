"""Change requests as plain rows of answers."""

from dataclasses import asdict

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from rest_framework.response import Response

from api.rows import person
from core.errors import NotFound
from governance.approvals import requirements_of, who_must_agree
from governance.assessment import Assessment, assess
from governance.content import Content, read_content
from governance.models import Change, ChangeRequest, Revision
from governance.readiness import Readiness, readiness_of
from governance.request_page import why_not_each
from measurement.previews import PreviewFigures
from measurement.selectors.previews import PreviewRun


def whole_requests() -> QuerySet[ChangeRequest]:
    """Requests with all that a row reads of them."""
    items = Prefetch("changes", Change.objects.select_related("version"))
    return ChangeRequest.objects.select_related(
        "author", "revision__submitted_by", "draft__saved_by"
    ).prefetch_related(items)


def find_request(pk: int) -> ChangeRequest:
    found = whole_requests().filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no change request CR-{pk}.")
    return found


def answer_request(pk: int, reader, status: int = 200) -> Response:
    """The request as it is after a write."""
    response = Response(request_detail(find_request(pk), reader), status=status)
    response["Location"] = reverse("api:change-request", args=[pk])
    return response


def request_row(request: ChangeRequest) -> dict:
    """Reads `author`, `revision.submitted_by` and `changes.version`; have them fetched."""
    return {
        "id": request.pk,
        "name": str(request),
        "title": request.title,
        "author": person(request.author),
        "status": request.status,
        "change_class": request.change_class,
        "items": [
            {
                "key": change.key,
                "kind": change.kind,
                "version": change.version.number if change.version else None,
            }
            for change in request.changes.all()
        ],
        "publish_when": request.publish_when,
        "publish_on": request.publish_on,
        "revision": _revision_row(request.revision) if request.revision else None,
        "created_at": request.created_at,
        "submitted_at": request.submitted_at,
        "closed_at": request.closed_at,
        "closing_reason": request.closing_reason,
    }


def _revision_row(revision: Revision) -> dict:
    return {
        "number": revision.number,
        "hash": revision.hash,
        "submitted_at": revision.submitted_at,
        "submitted_by": person(revision.submitted_by),
        "change_class": revision.change_class,
    }


def request_detail(request: ChangeRequest, reader) -> dict:
    """All of a request. What still stands in its way is told while it is open."""
    judged = ready = found = None
    if request.is_open:
        content = current_content(request)
        assessment = assess(content)
        judged = _assessment(assessment)
        found = readiness_of(request, content, assessment)
        ready = _readiness(found)
    needs = requirements_of(request.revision) if request.revision else []
    return {
        **request_row(request),
        "draft": _draft(request.draft),
        "revisions": [
            _revision_row(revision)
            for revision in request.revisions.select_related("submitted_by").order_by("-number")
        ],
        "needs": who_must_agree(needs),
        "assessment": judged,
        "readiness": ready,
        "reviews": _reviews(request),
        "comments": _comments(request),
        "why_not": why_not_each(request, reader, found),
    }


def current_content(request: ChangeRequest) -> Content:
    """What is reviewed while it is in review; what is written otherwise."""
    frozen = request.revision
    if frozen is not None and frozen.draft_lock == request.draft.lock:
        return read_content(frozen.content)
    return read_content(request.draft.content)


def _draft(draft) -> dict:
    return {
        "lock": draft.lock,
        "content": draft.content,
        "saved_at": draft.saved_at,
        "saved_by": person(draft.saved_by),
        "editors": [person(user) for user in draft.editors.order_by("username")],
    }


def _assessment(assessment: Assessment) -> dict:
    return {
        "change_class": assessment.change_class,
        "reason": assessment.reason,
        "items": [
            {
                "key": item.key,
                "is_new": item.is_new,
                "change_class": item.change_class,
                "reason": item.reason,
                "tier": item.tier,
                "domains": [domain.key for domain in item.domains],
                "differences": [
                    {"place": one.place, "change": one.change, "sentence": one.sentence}
                    for one in item.differences
                ],
            }
            for item in assessment.items
        ],
        "problems": [problem.as_dict() for problem in assessment.problems],
        "affected": [
            {name: getattr(found, name) for name in ("key", "name", "tier", "distance")}
            for found in assessment.affected
        ],
    }


def _readiness(readiness: Readiness) -> dict:
    return {
        "is_ready": readiness.is_ready,
        "why_not": readiness.why_not,
        "lines": [
            {
                "name": line.name,
                "state": line.state,
                "sentence": line.sentence,
                "who": list(line.who),
            }
            for line in readiness.lines
        ],
    }


def _reviews(request: ChangeRequest) -> list[dict]:
    return [
        {
            "revision": review.revision.number,
            "revision_hash": review.revision_hash,
            "reviewer": person(review.reviewer),
            "verdict": review.verdict,
            "comment": review.comment,
            "via": review.via,
            "reviewed_at": review.reviewed_at,
        }
        for review in request.reviews.select_related("revision", "reviewer")
    ]


def _comments(request: ChangeRequest) -> list[dict]:
    return [comment_row(said) for said in request.comments.select_related("author", "resolved_by")]


def comment_row(said) -> dict:
    return {
        "id": said.pk,
        "author": person(said.author),
        "place": said.place,
        "text": said.text,
        "created_at": said.created_at,
        "resolved_at": said.resolved_at,
        "resolved_by": person(said.resolved_by) if said.resolved_by else None,
    }


def preview_body(run: PreviewRun | None) -> dict:
    if run is None:
        return {
            "state": "none",
            "backfill": None,
            "progress": 0.0,
            "elapsed": 0.0,
            "error": "",
            "figures": [],
        }
    return {
        "state": run.state,
        "backfill": run.backfill.pk,
        "progress": run.progress,
        "elapsed": run.elapsed,
        "error": run.error,
        "figures": [_figures(one) for _, one in sorted(run.figures.items())],
    }


def _figures(figures: PreviewFigures) -> dict:
    return {**asdict(figures), "is_unmoved": figures.is_unmoved}
