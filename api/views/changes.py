from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from accounts.choices import Scope
from api import bodies, changes, paging, parameters
from api.conditional import answer
from api.idempotency import idempotent
from api.schemas.changes import (
    ChangeRequestDetail,
    ChangeRequestPage,
    CommentBody,
    CommentRow,
    PreviewAnswer,
    PreviewBody,
    PublishBody,
    RebaseBody,
    RebasedBody,
    RejectBody,
    ReviewBody,
    SubmitBody,
    WithdrawBody,
)
from api.schemas.content import EditBody, ProposalBody
from api.schemas.shared import IDEMPOTENCY_KEY, PAGING, WRITE_REFUSED, asks, reads
from api.views.base import EtalonView
from core.errors import Invalid, NotFound
from governance.assessment import assess
from governance.choices import OPEN, Status
from governance.evidence import evidence_of, preview_items
from governance.models import Change, ChangeRequest
from governance.selectors.requests import waiting_for
from governance.services import publishing, requests, reviews, submitting
from measurement.selectors.previews import preview_run
from measurement.services.previews import request_preview

_FILTERS = ("status", "author", "metric", "waiting")


def _whole() -> QuerySet:
    items = Prefetch("changes", Change.objects.select_related("version"))
    return ChangeRequest.objects.select_related(
        "author", "revision__submitted_by", "draft__saved_by"
    ).prefetch_related(items)


def _find(pk: int) -> ChangeRequest:
    found = _whole().filter(pk=pk).first()
    if found is None:
        raise NotFound(f"There is no change request CR-{pk}.")
    return found


def _answered(view, pk: int, status: int = 200) -> Response:
    """The request as it is after a write."""
    response = Response(changes.request_detail(_find(pk), view.request.user), status=status)
    response["Location"] = reverse("api:change-request", args=[pk])
    return response


def _writes(shape, status: int = 200) -> dict:
    return {status: shape, **WRITE_REFUSED}


class ChangeRequests(EtalonView):
    """Proposals, newest first; and where a new one begins, as a draft."""

    @extend_schema(
        operation_id="list_change_requests",
        summary="Change requests, newest first",
        parameters=[
            asks("status", f"Only in these states: {', '.join(Status.values)}; or `open`."),
            asks("author", "Only by this person, by username."),
            asks("metric", "Only those about this key."),
            asks("waiting", "`me`: only those that wait for what I do next.", enum=["me"]),
            *PAGING,
        ],
        responses=reads(ChangeRequestPage),
    )
    def get(self, request):
        parameters.only(request, [*_FILTERS, "cursor", "limit"])
        limit, before = paging.limit_of(request), paging.cursor_of(request)
        found = _filtered(request)
        if before is not None:
            found = found.filter(pk__lt=before)
        page = list(found.order_by("-pk")[: limit + 1])
        more = page[limit - 1].pk if len(page) > limit else None
        listed = [changes.request_row(one) for one in page[:limit]]
        return answer(request, lambda: paging.page(request, listed, more))

    @extend_schema(
        operation_id="create_change_request",
        summary="Propose a change",
        request=ProposalBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(ChangeRequestDetail, 201),
    )
    @idempotent
    def post(self, request):
        opened = requests.open_request(
            content=bodies.object_in(request), actor=request.user, via="api"
        )
        return _answered(self, opened.pk, status=201)


def _filtered(request) -> QuerySet:
    found = _whole()
    states = parameters.several(request, "status", ["open", *Status.values])
    if "open" in states:
        states = [*states, *OPEN]
    if states:
        found = found.filter(status__in=states)
    if author := request.query_params.get("author"):
        found = found.filter(author__username=author)
    if key := request.query_params.get("metric"):
        found = found.filter(pk__in=Change.objects.filter(key=key).values("request"))
    if parameters.choice(request, "waiting", ["me"]):
        found = found.filter(pk__in=_waiting_for(request.user))
    return found


def _waiting_for(user) -> list[int]:
    """What the caller's approval is missing on; and what was handed back to them."""
    own = ChangeRequest.objects.filter(author=user, status=Status.CHANGES_REQUESTED)
    decisions = [row.request.pk for row in waiting_for(user)]
    return [*decisions, *own.values_list("pk", flat=True)]


class ChangeRequestView(EtalonView):
    """One proposal: its draft, revisions, judgement, what is missing, and what was said."""

    @extend_schema(
        operation_id="get_change_request",
        summary="One change request",
        responses=reads(ChangeRequestDetail),
    )
    def get(self, request, pk: int):
        parameters.only(request, [])
        found = _find(pk)
        return answer(request, lambda: changes.request_detail(found, request.user))

    @extend_schema(
        operation_id="edit_change_request",
        summary="Edit the draft",
        request=EditBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(ChangeRequestDetail),
    )
    @idempotent
    def patch(self, request, pk: int):
        found = _find(pk)
        edited = bodies.object_in(request)
        lock = _lock(edited.pop("lock", None))
        content = {**found.draft.content, **edited}
        requests.save_draft(found, content=content, lock=lock, actor=request.user, via="api")
        return _answered(self, pk)


def _lock(given) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    message = "Send the lock of the draft that you edited, so that nobody's text is lost."
    problem = {"place": "lock", "code": "required", "message": message}
    raise Invalid(message, problems=[problem])


class ChangeRequestPreview(EtalonView):
    """What the proposal does to the past, by the same run that a backfill is."""

    @extend_schema(
        operation_id="get_change_request_preview",
        summary="Figures of the preview",
        parameters=[asks("dimension", "Those of the preview that was asked by it.")],
        responses=reads(PreviewAnswer),
    )
    def get(self, request, pk: int):
        parameters.only(request, ["dimension"])
        assessment = assess(changes.current_content(_find(pk)))
        run = evidence_of(assessment, dimension=request.query_params.get("dimension") or None)
        return answer(request, lambda: changes.preview_body(run))

    @extend_schema(
        operation_id="start_change_request_preview",
        summary="Start a preview",
        request=PreviewBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(PreviewAnswer, 202),
    )
    @idempotent
    def post(self, request, pk: int):
        asked = bodies.read(request, PreviewBody)
        assessment = assess(changes.current_content(_find(pk)))
        items = preview_items(assessment) if assessment.is_computable else []
        if not items:
            problems = [problem.as_dict() for problem in assessment.blocking]
            raise Invalid(
                problems[0]["message"] if problems else "Nothing in this request moves a value.",
                problems=problems,
            )
        backfill = request_preview(
            items, dimension=asked.get("dimension"), actor=request.user, via="api"
        )
        return Response(changes.preview_body(preview_run(backfill)), status=202)


class ChangeRequestSubmit(EtalonView):
    """Freeze the draft into a revision and ask for its approvals."""

    @extend_schema(
        operation_id="submit_change_request",
        summary="Submit for review",
        request=SubmitBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(ChangeRequestDetail),
    )
    @idempotent
    def post(self, request, pk: int):
        lock = bodies.read(request, SubmitBody)["lock"]
        submitting.submit(_find(pk), lock=lock, actor=request.user, via="api")
        return _answered(self, pk)


class ChangeRequestReview(EtalonView):
    """Approve, request changes or comment, on exactly the revision that was read."""

    write_scope = Scope.REVIEW

    @extend_schema(
        operation_id="review_change_request",
        summary="Give a verdict",
        request=ReviewBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(ChangeRequestDetail),
    )
    @idempotent
    def post(self, request, pk: int):
        given = bodies.read(request, ReviewBody)
        reviews.review(
            _find(pk),
            revision_hash=given["revision"],
            verdict=given["verdict"],
            comment=given["comment"],
            actor=request.user,
            via="api",
        )
        return _answered(self, pk)


class ChangeRequestPublish(EtalonView):
    """Put exactly this revision into force, once everything that policy asks for is there."""

    write_scope = Scope.REVIEW

    @extend_schema(
        operation_id="publish_change_request",
        summary="Publish",
        request=PublishBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(ChangeRequestDetail),
    )
    @idempotent
    def post(self, request, pk: int):
        revision = bodies.read(request, PublishBody)["revision"]
        publishing.publish(_find(pk), revision_hash=revision, actor=request.user, via="api")
        return _answered(self, pk)


class ChangeRequestWithdraw(EtalonView):
    """The author takes the proposal back for good."""

    @extend_schema(
        operation_id="withdraw_change_request",
        summary="Withdraw",
        request=WithdrawBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(ChangeRequestDetail),
    )
    @idempotent
    def post(self, request, pk: int):
        reason = bodies.read(request, WithdrawBody)["reason"]
        requests.withdraw(_find(pk), reason=reason, actor=request.user, via="api")
        return _answered(self, pk)


class ChangeRequestReject(EtalonView):
    """A steward closes the proposal for good, and says why."""

    write_scope = Scope.REVIEW

    @extend_schema(
        operation_id="reject_change_request",
        summary="Reject",
        request=RejectBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(ChangeRequestDetail),
    )
    @idempotent
    def post(self, request, pk: int):
        reason = bodies.read(request, RejectBody)["reason"]
        requests.reject(_find(pk), reason=reason, actor=request.user, via="api")
        return _answered(self, pk)


class ChangeRequestRebase(EtalonView):
    """Bring the draft up to the versions in force, field by field."""

    @extend_schema(
        operation_id="rebase_change_request",
        summary="Bring up to date",
        request=RebaseBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(RebasedBody),
    )
    @idempotent
    def post(self, request, pk: int):
        theirs = bodies.read(request, RebaseBody)["theirs"]
        _, clashes = requests.rebase(_find(pk), theirs=theirs, actor=request.user, via="api")
        whole = changes.request_detail(_find(pk), request.user)
        return Response({"clashes": clashes, "request": whole})


class ChangeRequestComment(EtalonView):
    """Say something about the proposal or one place of it. It is no verdict."""

    @extend_schema(
        operation_id="comment_on_change_request",
        summary="Comment",
        request=CommentBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=_writes(CommentRow, 201),
    )
    @idempotent
    def post(self, request, pk: int):
        given = bodies.read(request, CommentBody)
        said = requests.comment(_find(pk), **given, actor=request.user, via="api")
        return Response(changes.comment_row(said), status=201)
