"""What the page of a request says to whom, and the lists that lead to it."""

import pytest

from governance.request_page import request_page
from governance.selectors.requests import (
    changes_of,
    open_requests_about,
    request_by_number,
    requests_page,
    waiting_for,
)
from governance.services.publishing import settle
from governance.services.requests import save_draft
from tests.factories import approve, finish_preview, make_change, make_content, submitted


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
