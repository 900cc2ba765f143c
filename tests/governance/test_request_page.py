"""What the page of a request says to whom, and the lists that lead to it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import Ownership
from core.models import Notice
from governance.content import read_content
from governance.request_page import request_page
from governance.selectors.requests import (
    changes_of,
    open_requests_about,
    request_by_number,
    requests_page,
    waiting_for,
)
from governance.services import returning
from governance.services.approval_policies import set_policy
from governance.services.publishing import settle
from governance.services.requests import save_draft
from governance.services.telling import tell_reviewers
from tests.factories import (
    NET_SALES,
    approve,
    finish_preview,
    make_change,
    make_content,
    make_item,
    submitted,
)


@pytest.fixture
def request_(company):
    return company.restating()


def test_it_says_what_differs_what_is_missing_and_who_can_give_it(company, request_):
    page = request_page(request_, company.ben)

    (item,) = page.items
    assert item.reason == "Restating, because the expression changed"
    assert [one.sentence for one in item.spec_differences] == [
        "Expression: amount → amount - refund"
    ]
    assert page.must_agree == ["1 approval, because Restating + Tier 2"]
    assert [(line.name, line.state) for line in page.lines if not line.is_ok] == [
        ("preview", "missing"),
        ("approvals", "missing"),
    ]
    assert next(line.who for line in page.lines if line.name == "approvals") == ("Ben", "Cem")


def test_each_person_is_told_why_they_cannot(company, request_):
    authors = request_page(request_, company.ana).why_not
    reviewers = request_page(request_, company.ben).why_not
    viewers = request_page(request_, company.eve).why_not

    assert authors["approve"] == "Authors cannot review their own change."
    assert authors["withdraw"] is None
    assert reviewers["approve"] is None
    assert (
        reviewers["withdraw"]
        == "Only its author can withdraw this change. A steward can reject it."
    )
    assert reviewers["publish"] == "The preview is under way (0 %)."
    assert viewers["edit"].startswith("You need the role Contributor")
    assert viewers["comment"] is None


def test_a_closed_request_still_shows_what_it_changed(company, request_):
    finish_preview(request_)
    approve(request_, company.ben)
    settle(request_)
    page = request_page(request_by_number(f"CR-{request_.pk}"), company.eve)

    assert str(page.items[0].version) == "net_sales@2"
    assert page.items[0].spec_differences[0].sentence == "Expression: amount → amount - refund"
    assert page.headlines == ["Past values fall."]
    assert page.why_not["edit"] is not None


def test_the_page_asks_no_more_questions_for_more_items(
    company, request_, django_assert_max_num_queries
):
    with django_assert_max_num_queries(45):
        request_page(request_by_number(request_.pk), company.ben)


def test_a_request_waits_for_those_whose_approval_would_count(company, request_):
    assert [row.request for row in waiting_for(company.ben)] == [request_]
    assert [row.request for row in waiting_for(company.cem)] == [request_]
    for person in (company.ana, company.dia, company.eve):
        assert waiting_for(person) == []

    approve(request_, company.ben)
    assert waiting_for(company.cem) == []


def test_what_is_taken_back_waits_for_nobody(company, request_):
    content = make_content(make_change(spec={"expression": "refund"}, treatment="restate"))
    save_draft(request_, content=content, lock=request_.draft.lock, actor=company.ana, via="web")

    assert waiting_for(company.ben) == []


def test_lists_are_counted_paged_and_searched(company, django_assert_max_num_queries):
    requests = [
        submitted(
            make_change(words={"definition": f"Text {n}"}), author=company.ana, title=f"Words {n}"
        )
        for n in range(3)
    ]

    with django_assert_max_num_queries(14):
        first = requests_page(company.ben, tab="open", limit=2)
    second = requests_page(company.ben, tab="open", limit=2, before=first.next_before)

    assert [row.request for row in first.rows] == requests[:0:-1]
    assert [row.request for row in second.rows] == requests[:1]
    assert second.next_before is None
    assert first.counts == {"open": 3, "review": 3, "mine": 0, "scheduled": 0, "done": 1}
    assert [r.request for r in requests_page(company.ben, text="words 1").rows] == [requests[1]]
    assert len(requests_page(company.ben, text="net sales").rows) == 3
    assert first.rows[0].keys == ["net_sales"]
    assert first.rows[0].approvals == (0, 1)


def test_requests_are_found_by_what_they_are_about(company, request_):
    metric = request_.changes.get().entry

    assert open_requests_about(["net_sales", "orders"]) == {"net_sales": [request_]}
    assert changes_of(metric) == [request_, company.start]


def _of_many(company, count: int):
    """One request over so many new metrics, that nobody has approved yet."""
    items = [
        make_item(f"sales_{count}_{number}", {**NET_SALES, "expression": f"amount * {number + 2}"})
        for number in range(count)
    ]
    return submitted(*items, author=company.ana)


def _queries(deed) -> int:
    with CaptureQueriesContext(connection) as captured:
        deed()
    return len(captured)


def test_a_request_over_many_metrics_asks_no_more_of_the_database(company):
    few, many = _of_many(company, 3), _of_many(company, 30)

    asked = [_queries(lambda one=one: request_page(one, company.ben)) for one in (few, many)]
    told = [_queries(lambda one=one: tell_reviewers(one)) for one in (few, many)]

    assert asked[0] == asked[1]
    assert told[0] == told[1]
    assert Notice.objects.filter(recipient=company.ben, kind="review").count() == 2


def test_an_owner_who_left_is_not_asked_for_an_approval(company):
    """The owner counts as a steward, and their account is closed: nobody else is left to ask."""
    set_policy(
        change_class="meaning",
        tier=2,
        is_new=False,
        domain=None,
        numbers=(1, 1, True),
        actor=None,
    )
    Ownership.objects.filter(entry__key="net_sales").update(user=company.ben)
    company.cem.grants.all().delete()
    request = submitted(make_change(words={"definition": "Other."}), author=company.ana)
    assert [line.who for line in request_page(request, company.eve).lines][0] == ("Ben",)

    company.ben.is_active = False
    company.ben.save()

    line = request_page(request, company.eve).lines[0]
    assert (line.state, line.who) == ("blocked", ())


def test_an_undo_of_many_items_is_no_more_work_an_item(company, monkeypatch):
    """The revision is read once: read again for each item, ten thousand of them took a worker."""
    many = _of_many(company, 12)
    approve(many, company.cem)
    settle(many)
    changed = submitted(
        *(make_change(change.key, words={"notes": "Short."}) for change in many.changes.all()),
        author=company.ana,
    )
    one = submitted(make_change(words={"notes": "Short."}), author=company.ana)
    assert changed.status == one.status == "published"
    read = []
    monkeypatch.setattr(
        returning, "read_content", lambda content: read.append(1) or read_content(content)
    )

    asked = [_queries(lambda it=it: returning.undo(it, actor=company.ana)) for it in (one, changed)]

    assert len(read) == 2
    assert asked[1] - asked[0] < 12
