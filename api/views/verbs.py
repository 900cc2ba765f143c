"""What is done to a change request: each verb is an address, and one call of a service."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers as s
from rest_framework.response import Response

from accounts.choices import Scope
from api import bodies, changes
from api.idempotency import idempotent
from api.schemas.changes import (
    ChangeRequestDetail,
    CommentBody,
    CommentRow,
    FormulaAppliedBody,
    FormulaBody,
    NothingBody,
    PublishBody,
    RebaseBody,
    RebasedBody,
    RejectBody,
    ReviewBody,
    SplitBody,
    SubmitBody,
    WithdrawBody,
)
from api.schemas.shared import IDEMPOTENCY_KEY, writes
from api.views.base import EtalonView
from core.errors import NotFound
from governance.formulas import TypedFormula
from governance.models import ChangeRequest, Comment
from governance.services import (
    comments,
    formulas,
    publishing,
    requests,
    returning,
    reviews,
    submitting,
)

Deed = Callable[..., Any]


def _same(pk: int, made, user) -> Response:
    """The request as it is after the deed."""
    return changes.answer_request(pk, user)


def _opened(pk: int, made: ChangeRequest, user) -> Response:
    """The other request, which the deed opened."""
    return changes.answer_request(made.pk, user, 201)


def _rebased(pk: int, made, user) -> Response:
    detail = changes.request_detail(changes.find_request(pk), user)
    return Response({"clashes": made[1], "request": detail})


def _applied(pk: int, made: TypedFormula, user) -> Response:
    return Response(
        {
            "sentence": made.sentence,
            "dataset": made.dataset,
            "new": [item.key for item in made.new],
            "reused": [key for key, _ in made.reused],
            "dropped": list(made.dropped),
            "request": changes.request_detail(changes.find_request(pk), user),
        }
    )


def _settled(pk: int, made: Comment, user) -> Response:
    return Response(changes.comment_row(made))


def _said(pk: int, made: Comment, user) -> Response:
    return Response(changes.comment_row(made), status=201)


@dataclass(frozen=True)
class Verb:
    """`deed` gets the request, what else stands in the address, the fields of the body, and who
    does it from where; `told` makes the answer of what it returned, with `shape` and `status`."""

    summary: str
    says: str
    body: type[s.Serializer]
    deed: Deed
    operation: str = "{verb}_change_request"
    scope: Scope = Scope.PROPOSE
    told: Callable[[int, Any, Any], Response] = _same
    shape: type[s.Serializer] = ChangeRequestDetail
    status: int = 200


def _on_comment(deed: Deed) -> Deed:
    """The deed is done to one comment of the request."""

    def done(found: ChangeRequest, *, comment: int, **given):
        said = found.comments.filter(pk=comment).first()
        if said is None:
            raise NotFound(f"There is no comment {comment} on {found}.")
        return deed(said, **given)

    return done


VERBS = {
    "submit": Verb(
        "Submit for review",
        "Freeze the draft into a revision and ask for its approvals.",
        SubmitBody,
        submitting.submit,
    ),
    "review": Verb(
        "Give a verdict",
        "Approve, request changes or comment, on exactly the revision that was read.",
        ReviewBody,
        reviews.review,
        scope=Scope.REVIEW,
    ),
    "publish": Verb(
        "Publish",
        "Put exactly this revision into force, once everything that policy asks for is there. "
        "While something is missing the answer is 409 `not_ready`, and `details.unmet` says all "
        "of it.",
        PublishBody,
        publishing.publish,
        scope=Scope.REVIEW,
    ),
    "withdraw": Verb(
        "Withdraw",
        "The author takes the proposal back for good.",
        WithdrawBody,
        requests.withdraw,
    ),
    "reject": Verb(
        "Reject",
        "A steward closes the proposal for good, and says why.",
        RejectBody,
        requests.reject,
        scope=Scope.REVIEW,
    ),
    "rebase": Verb(
        "Bring up to date",
        "Bring the draft up to the versions in force, field by field.",
        RebaseBody,
        requests.rebase,
        told=_rebased,
        shape=RebasedBody,
    ),
    "formula": Verb(
        "Apply a typed formula",
        "Make a typed formula the definition of one item of the draft. Parts that the catalog has "
        "are used by their keys; the others become new items of the same request, with the item's "
        "domain, tier and people. Refused with every reason why it cannot be.",
        FormulaBody,
        formulas.apply_formula,
        operation="apply_formula_to_change_request",
        told=_applied,
        shape=FormulaAppliedBody,
    ),
    "split": Verb(
        "Split",
        "Move some items into a request of their own, which is answered, so that what is harmless "
        "need not wait.",
        SplitBody,
        requests.split_request,
        told=_opened,
        status=201,
    ),
    "undo": Verb(
        "Undo",
        "Open the request that takes a published one back, all of its items together. It is "
        "published at once where policy asks nobody. `why_not.undo` says when it cannot be.",
        NothingBody,
        returning.undo,
        told=_opened,
        status=201,
    ),
    "comment": Verb(
        "Comment",
        "Say something about the proposal or one place of it. It is no verdict.",
        CommentBody,
        comments.comment,
        operation="comment_on_change_request",
        told=_said,
        shape=CommentRow,
        status=201,
    ),
    "comments/<int:comment>/resolve": Verb(
        "Settle a comment",
        "Mark what was said as settled. Doing it twice changes nothing.",
        NothingBody,
        _on_comment(comments.resolve_comment),
        operation="resolve_comment",
        told=_settled,
        shape=CommentRow,
    ),
    "comments/<int:comment>/reopen": Verb(
        "Reopen a comment",
        "What was settled is open again. Doing it twice changes nothing.",
        NothingBody,
        _on_comment(comments.reopen_comment),
        operation="reopen_comment",
        told=_settled,
        shape=CommentRow,
    ),
}


def _view(path: str, verb: Verb) -> type[EtalonView]:
    @extend_schema(
        operation_id=verb.operation.format(verb=path),
        summary=verb.summary,
        description=verb.says,
        request=None if verb.body is NothingBody else verb.body,
        parameters=[IDEMPOTENCY_KEY],
        responses=writes(verb.shape, verb.status),
    )
    @idempotent
    def post(self, request, pk: int, **place):
        given = bodies.read(request, verb.body)
        found = changes.find_request(pk)
        made = verb.deed(found, **place, **given, actor=request.user, via="api")
        return verb.told(pk, made, request.user)

    return type("ChangeRequestVerb", (EtalonView,), {"write_scope": verb.scope, "post": post})


VIEWS = {path: _view(path, verb) for path, verb in VERBS.items()}
