from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema

from api import bodies, changes, paging, parameters
from api.conditional import answer
from api.idempotency import idempotent
from api.schemas.changes import ChangeRequestDetail, ChangeRequestPage
from api.schemas.content import EditBody, ProposalBody
from api.schemas.shared import IDEMPOTENCY_KEY, PAGING, asks, reads, writes
from api.views.base import EtalonView
from core.errors import Invalid
from governance.choices import OPEN, Status
from governance.models import Change, ChangeRequest
from governance.selectors.requests import waiting_for
from governance.services import requests

_FILTERS = ("status", "author", "metric", "waiting")


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
        responses=writes(ChangeRequestDetail, 201),
    )
    @idempotent
    def post(self, request):
        opened = requests.open_request(
            content=bodies.object_in(request), actor=request.user, via="api"
        )
        return changes.answer_request(opened.pk, request.user, 201)


def _filtered(request) -> QuerySet:
    found = changes.whole_requests()
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
        found = changes.find_request(pk)
        return answer(request, lambda: changes.request_detail(found, request.user))

    @extend_schema(
        operation_id="edit_change_request",
        summary="Edit the draft",
        request=EditBody,
        parameters=[IDEMPOTENCY_KEY],
        responses=writes(ChangeRequestDetail),
    )
    @idempotent
    def patch(self, request, pk: int):
        found = changes.find_request(pk)
        edited = bodies.object_in(request)
        lock = _lock(edited.pop("lock", None))
        content = {**found.draft.content, **edited}
        requests.save_draft(found, content=content, lock=lock, actor=request.user, via="api")
        return changes.answer_request(pk, request.user)


def _lock(given) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    message = "Send the lock of the draft that you edited, so that nobody's text is lost."
    problem = {"place": "lock", "code": "required", "message": message}
    raise Invalid(message, problems=[problem])
