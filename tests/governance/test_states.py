"""The life of a request: which verb may be used from which state. The table is the specification.

A state or a verb that is missing here fails the tests below.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from django.db import transaction

from core.errors import EtalonError, StaleRevision, WrongState
from core.models import AuditEvent
from governance.choices import MOVES, Status
from governance.models import ChangeRequest, Review, Revision
from governance.services.comments import comment
from governance.services.publishing import publish, settle
from governance.services.requests import (
    open_request,
    rebase,
    reject,
    save_draft,
    split_request,
    withdraw,
)
from governance.services.reviews import review
from governance.services.submitting import submit
from tests.factories import Company, approve, finish_preview, make_change, make_content, submitted

S = Status


def _draft(company: Company) -> ChangeRequest:
    return open_request(content=_content(), actor=company.ana, via="test")


def _content(**words) -> dict:
    words = {"definition": "Other words.", **words}
    return make_content(
        make_change(words=words), make_change("orders", words={"notes": words["definition"]})
    )


def _in_review(company: Company) -> ChangeRequest:
    request = _draft(company)
    submit(request, actor=company.ana, via="test")
    request.refresh_from_db()
    return request


def _changes_requested(company: Company) -> ChangeRequest:
    request = _in_review(company)
    return _verdict(company, request, "request_changes")


def _scheduled(company: Company) -> ChangeRequest:
    request = submitted(
        *_content()["items"],
        author=company.ana,
        publish_when="date",
        publish_on="2999-01-01",
    )
    approve(request, company.ben)
    settle(request)
    request.refresh_from_db()
    return request


def _published(company: Company) -> ChangeRequest:
    return _publish(company, approve(_in_review(company), company.ben))


def _rejected(company: Company) -> ChangeRequest:
    return reject(_in_review(company), reason="No.", actor=company.cem, via="test")


def _withdrawn(company: Company) -> ChangeRequest:
    return withdraw(_draft(company), actor=company.ana, via="test")


MAKE: dict[Status, Callable[[Company], ChangeRequest]] = {
    S.DRAFT: _draft,
    S.IN_REVIEW: _in_review,
    S.CHANGES_REQUESTED: _changes_requested,
    S.SCHEDULED: _scheduled,
    S.PUBLISHED: _published,
    S.REJECTED: _rejected,
    S.WITHDRAWN: _withdrawn,
}
# It is entered and left within one transaction, and the database refuses to keep it.
NEVER_SEEN = {S.PUBLISHING}


def _verdict(company: Company, request: ChangeRequest, verdict: str) -> ChangeRequest:
    review(
        request,
        revision_hash=request.revision.hash if request.revision else "",
        verdict=verdict,
        comment="Because.",
        actor=company.ben,
        via="test",
    )
    request.refresh_from_db()
    return request


def _publish(company: Company, request: ChangeRequest) -> ChangeRequest:
    hash_ = request.revision.hash if request.revision else ""
    publish(request, revision_hash=hash_, actor=company.ana, via="test")
    request.refresh_from_db()
    return request


def _edit(company: Company, request: ChangeRequest) -> None:
    content = _content(definition="Edited words.")
    save_draft(request, content=content, lock=request.draft.lock, actor=company.ana, via="test")


def _approve_and_publish(company: Company, request: ChangeRequest) -> None:
    if request.status in (S.IN_REVIEW,):
        approve(request, company.ben)
    _publish(company, request)


VERBS: dict[str, Callable[[Company, ChangeRequest], object]] = {
    "edit": _edit,
    "split": lambda company, request: split_request(
        request, keys=["orders"], actor=company.ana, via="test"
    ),
    "rebase": lambda company, request: rebase(request, actor=company.ana, via="test"),
    "submit": lambda company, request: submit(request, actor=company.ana, via="test"),
    "comment": lambda company, request: comment(request, text="Hm.", actor=company.eve, via="test"),
    "approve": lambda company, request: _verdict(company, request, "approve"),
    "request_changes": lambda company, request: _verdict(company, request, "request_changes"),
    "publish": _approve_and_publish,
    "reject": lambda company, request: reject(request, reason="No.", actor=company.cem, via="test"),
    "withdraw": lambda company, request: withdraw(request, actor=company.ana, via="test"),
}

W, X = WrongState, StaleRevision
# What comes of a verb in each state: the state that it leads to, or the refusal.
TABLE: dict[str, dict[Status, object]] = {
    "edit": {
        S.DRAFT: S.DRAFT,
        S.IN_REVIEW: S.DRAFT,
        S.CHANGES_REQUESTED: S.CHANGES_REQUESTED,
        S.SCHEDULED: S.DRAFT,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: W,
    },
    "split": {
        S.DRAFT: S.DRAFT,
        S.IN_REVIEW: S.DRAFT,
        S.CHANGES_REQUESTED: S.CHANGES_REQUESTED,
        S.SCHEDULED: S.DRAFT,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: W,
    },
    "rebase": {
        S.DRAFT: S.DRAFT,
        S.IN_REVIEW: S.DRAFT,
        S.CHANGES_REQUESTED: S.CHANGES_REQUESTED,
        S.SCHEDULED: S.DRAFT,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: W,
    },
    "submit": {
        S.DRAFT: S.IN_REVIEW,
        S.IN_REVIEW: S.IN_REVIEW,
        S.CHANGES_REQUESTED: W,  # until something is changed
        S.SCHEDULED: S.SCHEDULED,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: W,
    },
    "comment": {
        S.DRAFT: S.DRAFT,
        S.IN_REVIEW: S.IN_REVIEW,
        S.CHANGES_REQUESTED: S.CHANGES_REQUESTED,
        S.SCHEDULED: S.SCHEDULED,
        S.PUBLISHED: S.PUBLISHED,
        S.REJECTED: S.REJECTED,
        S.WITHDRAWN: S.WITHDRAWN,
    },
    "approve": {
        S.DRAFT: X,
        S.IN_REVIEW: S.IN_REVIEW,
        S.CHANGES_REQUESTED: W,
        S.SCHEDULED: W,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: X,
    },
    "request_changes": {
        S.DRAFT: X,
        S.IN_REVIEW: S.CHANGES_REQUESTED,
        S.CHANGES_REQUESTED: W,
        S.SCHEDULED: S.CHANGES_REQUESTED,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: X,
    },
    "publish": {
        S.DRAFT: X,
        S.IN_REVIEW: S.PUBLISHED,
        S.CHANGES_REQUESTED: W,
        S.SCHEDULED: S.PUBLISHED,
        S.PUBLISHED: S.PUBLISHED,  # once
        S.REJECTED: W,
        S.WITHDRAWN: X,
    },
    "reject": {
        S.DRAFT: EtalonError,
        S.IN_REVIEW: S.REJECTED,
        S.CHANGES_REQUESTED: S.REJECTED,
        S.SCHEDULED: S.REJECTED,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: EtalonError,
    },
    "withdraw": {
        S.DRAFT: S.WITHDRAWN,
        S.IN_REVIEW: S.WITHDRAWN,
        S.CHANGES_REQUESTED: S.WITHDRAWN,
        S.SCHEDULED: S.WITHDRAWN,
        S.PUBLISHED: W,
        S.REJECTED: W,
        S.WITHDRAWN: W,
    },
}


def test_the_tables_name_every_state_and_every_verb():
    assert set(MAKE) | NEVER_SEEN == set(Status)
    assert set(TABLE) == set(VERBS)
    assert all(set(row) == set(MAKE) for row in TABLE.values())
    known = set(VERBS) | {"take_back", "schedule", "start_publishing", "finish_publishing"}
    assert set(MOVES) <= known


@dataclass(frozen=True)
class _Rows:
    """What a refused verb must leave as it was."""

    request: dict
    draft: dict
    reviews: int
    revisions: int
    events: int

    @classmethod
    def of(cls, request: ChangeRequest) -> "_Rows":
        return cls(
            ChangeRequest.objects.filter(pk=request.pk).values().get(),
            type(request.draft).objects.filter(request=request).values().get(),
            Review.objects.count(),
            Revision.objects.count(),
            AuditEvent.objects.count(),
        )


@pytest.mark.parametrize("status", MAKE, ids=str)
def test_each_verb_leads_where_the_table_says(company, status):
    request = MAKE[status](company)
    assert request.status == status
    failures = []
    for verb, act in VERBS.items():
        expected = TABLE[verb][status]
        before = _Rows.of(request)
        with transaction.atomic():
            mine = ChangeRequest.objects.get(pk=request.pk)
            try:
                act(company, mine)
                came = ChangeRequest.objects.get(pk=request.pk).status
            except EtalonError as refusal:
                came = type(refusal)
            if isinstance(expected, type):
                ok = issubclass(came, expected) if isinstance(came, type) else False
                ok = ok and _Rows.of(request) == before
            else:
                ok = came == expected
            if not ok:
                failures.append((verb, came, expected))
            transaction.set_rollback(True)
    assert failures == []


def test_a_restating_change_needs_its_preview_in_every_state(company):
    request = company.restating()
    approve(request, company.ben)

    with pytest.raises(EtalonError, match="preview"):
        _publish(company, request)
    finish_preview(request)

    assert _publish(company, request).status == S.PUBLISHED
