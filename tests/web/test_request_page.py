"""What a request's page offers beside the verdicts: the past by a dimension, settled comments, a
request split in two, and a published one taken back."""

import json
import re
from datetime import date

import pytest
from django.test import Client

from core.models import AuditEvent
from governance.assessment import assess
from governance.content import read_content
from governance.models import ChangeRequest
from governance.services.comments import comment, resolve_comment
from governance.services.publishing import publish
from governance.services.requests import open_request, save_draft
from governance.services.submitting import submit
from measurement.choices import BackfillStatus
from measurement.models import Backfill
from measurement.previews import fingerprint_of
from tests import factories
from tests.web.conftest import line_of, signed_in
from web.charts import swing

DIMENSION = "store"


def _ended(request: ChangeRequest, dimension: str) -> None:
    """Let the run by a dimension have found that one store loses, one stays, and one is gone."""
    items = assess(read_content(request.revision.content)).preview_items
    run = Backfill.objects.get(fingerprint=fingerprint_of(items, dimension, None))
    total = factories.finish_preview(request)
    figures = total.result["figures"]["net_sales"]
    run.start, run.until, run.status = date(2026, 1, 1), date(2026, 2, 1), BackfillStatus.DONE
    run.finished_at = run.created_at
    member = {"periods": 4, "old_mean": "200", "widest_pct": "0"}
    run.result = {
        "figures": {
            "net_sales": {
                **figures,
                "dimension": dimension,
                "members": [
                    {**member, "member": "north", "new_mean": "200", "mean_pct": "0"},
                    {**member, "member": "south", "new_mean": "150", "mean_pct": "-25"},
                    {**member, "member": None, "new_mean": "210", "mean_pct": "5"},
                    {**member, "member": "west", "new_mean": None, "mean_pct": None},
                ],
            }
        }
    }
    run.save()


def test_the_past_is_computed_by_a_dimension_and_shown_member_by_member(company):
    request, ana = company.restating(), signed_in(company.ana)
    page = f"/changes/{request.pk}"
    factories.finish_preview(request)
    assert f'<option value="{DIMENSION}"' in line_of(ana.get(page))

    before = Backfill.objects.count()
    answer = ana.post(f"{page}/compare", {"by": DIMENSION})

    assert (answer.status_code, answer["Location"]) == (302, f"{page}?by={DIMENSION}")
    assert Backfill.objects.count() == before + 1  # the total is there, and is not run again
    assert "The preview waits for a worker." in line_of(ana.get(answer["Location"]))
    _ended(request, DIMENSION)
    shown = line_of(ana.get(answer["Location"]))
    rows = re.findall(r'<th scope="row">(\w+)</th> <td class="number">', shown)
    rows = [row for row in rows if row in ("north", "south", "None", "west")]
    assert rows == ["west", "south", "None", "north"]
    assert "loses its values" in shown
    assert "−25.0 %" in shown.replace("\xa0", " ").replace("\u202f", " ")
    assert shown.count('class="swing"') == 4
    assert f'<option value="{DIMENSION}" selected' in shown


def test_a_dimension_that_there_is_not_is_refused_in_words(company):
    request = company.restating()

    answer = signed_in(company.ana).post(f"/changes/{request.pk}/compare", {"by": "colour"})

    assert answer.status_code == 422
    assert "cannot be asked by <code>colour</code>" in line_of(answer)
    assert not Backfill.objects.filter(purpose="preview", targets__dimensions=["colour"]).exists()


def test_in_the_editor_a_draft_is_previewed_by_a_dimension(company):
    change = factories.make_change("net_sales", spec={"expression": "amount - refund"})
    draft = open_request(content=factories.make_content(change), actor=company.ana)

    answer = signed_in(company.ana).post(
        f"/changes/{draft.pk}/preview", {"by": DIMENSION}, headers={"HX-Request": "true"}
    )

    shown = line_of(answer)
    assert answer.status_code == 200
    assert "The preview waits for a worker." in shown
    assert f"/changes/{draft.pk}/live?by={DIMENSION}" in shown


def test_a_comment_is_settled_and_opened_again(company):
    request, cem = company.restating(), signed_in(company.cem)
    said = comment(request, text="Why?", actor=company.eve)
    page = f"/changes/{request.pk}"
    assert "1 open" in line_of(cem.get(page))

    cem.post(f"{page}/comments/{said.pk}/resolve")

    shown = line_of(cem.get(page))
    assert f"settled by {company.cem}" in shown
    assert "1 open" not in shown
    cem.post(f"{page}/comments/{said.pk}/reopen")
    assert "1 open" in line_of(cem.get(page))
    deeds = AuditEvent.objects.filter(action__startswith="change.comment_")
    assert sorted(deeds.values_list("action", "via")) == [
        ("change.comment_reopened", "web"),
        ("change.comment_resolved", "web"),
    ]


def test_a_comment_of_another_request_is_not_there(company):
    said = comment(company.restating(), text="Why?", actor=company.eve)
    other = open_request(
        content=factories.make_content(factories.make_change("orders", words={"notes": "So."})),
        actor=company.ana,
    )

    answer = signed_in(company.cem).post(f"/changes/{other.pk}/comments/{said.pk}/resolve")

    assert answer.status_code == 404
    said.refresh_from_db()
    assert said.resolved_at is None


def test_a_request_is_split_in_two(company):
    request = factories.submitted(
        factories.make_change(
            "net_sales", spec={"expression": "amount - refund"}, treatment="restate"
        ),
        factories.make_change("orders", words={"notes": "One row an order."}),
        author=company.ana,
    )
    ana = signed_in(company.ana)
    shown = line_of(ana.get(f"/changes/{request.pk}"))
    ticked = re.findall(r'name="key" value="(\w+)" checked', shown)
    assert ticked == ["orders"]  # its words alone, beside what moves the past

    answer = ana.post(f"/changes/{request.pk}/split", {"key": "orders"})

    part = ChangeRequest.objects.latest("pk")
    assert answer["Location"] == f"/changes/{part.pk}"
    request.refresh_from_db()
    assert [one["key"] for one in part.draft.content["items"]] == ["orders"]
    assert [one["key"] for one in request.draft.content["items"]] == ["net_sales"]
    assert f"moved orders to CR-{part.pk}" in line_of(ana.get(f"/changes/{request.pk}"))


@pytest.mark.parametrize("keys", [[], ["net_sales", "orders"], ["unknown"]])
def test_a_split_that_leaves_nothing_is_refused_on_the_page(company, keys):
    request = factories.submitted(
        factories.make_change(
            "net_sales", spec={"expression": "amount - refund"}, treatment="restate"
        ),
        factories.make_change("orders", words={"notes": "So."}),
        author=company.ana,
    )

    answer = signed_in(company.ana).post(f"/changes/{request.pk}/split", {"key": keys})

    assert answer.status_code == 422
    assert 'role="alert"' in line_of(answer)
    assert ChangeRequest.objects.count() == 2  # the company's first, and this one


def test_what_was_published_is_taken_back_by_one_press(company):
    published = factories.published(
        factories.make_change(
            "net_sales", spec={"expression": "amount - refund"}, treatment="restate"
        ),
        author=company.ana,
        by=[company.ben],
    )
    ana = signed_in(company.ana)
    assert "Undo" in line_of(ana.get(f"/changes/{published.pk}"))

    answer = ana.post(f"/changes/{published.pk}/undo")

    opened = ChangeRequest.objects.latest("pk")
    assert answer["Location"] == f"/changes/{opened.pk}"
    assert opened.draft.content["items"][0]["spec"]["expression"] == "amount"
    assert f"CR-{opened.pk}" in line_of(ana.get(f"/changes/{published.pk}"))


def test_what_is_not_published_is_not_taken_back(company):
    request = company.restating()
    ana = signed_in(company.ana)
    assert "Undo" not in line_of(ana.get(f"/changes/{request.pk}"))

    answer = ana.post(f"/changes/{request.pk}/undo")

    assert answer.status_code == 409
    assert "Only what was published can be undone." in line_of(answer)


@pytest.mark.parametrize(
    ("share", "bar"),
    [
        (0.0, 'class="rise" x="50.00" y="2" width="0.00"'),
        (1.0, 'class="rise" x="50.00" y="2" width="50.00"'),
        (-0.5, 'class="fall" x="25.00" y="2" width="25.00"'),
        (-3.0, 'class="fall" x="0.00" y="2" width="50.00"'),
    ],
)
def test_a_bar_swings_from_the_middle(share, bar):
    assert bar in swing(share)


def test_who_has_decided_reads_what_they_said_and_sees_it_published(company):
    request = company.restating()
    factories.finish_preview(request)
    page, hx = f"/changes/{request.pk}", {"HTTP_HX_REQUEST": "true"}
    cem, ana = signed_in(company.cem), signed_in(company.ana)
    assert "You decide on" in line_of(cem.get(page))
    assert "You approved" not in line_of(cem.get(page))
    verdict = {"revision": request.revision.hash, "verdict": "approve"}

    said = line_of(cem.post(f"{page}/review", verdict, **hx))

    assert "You approved <strong>r1</strong>" in said
    assert "Decide again" in said
    assert said.count("data-focus") == 1
    assert "data-focus" not in line_of(cem.get(page))
    assert "You approved" not in line_of(ana.get(page))

    factories.approve(request, company.ben)
    assert "It is published within seconds" in line_of(ana.get(page))
    seen = {"seen": _moment(line_of(ana.get(page))), "is_due": "yes"}
    assert ana.get(page, seen, **hx).status_code == 204
    publish(request, revision_hash=request.revision.hash, actor=company.ben, via="test")
    assert ana.get(page, seen, **hx)["HX-Refresh"] == "true"
    assert "It is published within seconds" not in line_of(ana.get(page))


def _moment(page: str) -> str:
    return re.search(r'"seen": "([^"]+)"', page)[1]


def test_who_reads_a_request_is_told_that_it_has_moved_on_and_keeps_what_is_typed(company):
    request = company.restating()
    factories.finish_preview(request)
    page, hx = f"/changes/{request.pk}", {"HTTP_HX_REQUEST": "true"}
    ana = signed_in(company.ana)
    seen = {"seen": _moment(line_of(ana.get(page)))}
    assert ana.get(page, seen, **hx).status_code == 204

    factories.approve(request, company.ben)

    told = ana.get(page, seen, **hx)
    assert told.status_code == 286  # So that htmx asks no more.
    said = json.loads(told["HX-Trigger"])["toast"]["text"]
    assert said.startswith(f"CR-{request.pk} has moved on")
    assert "HX-Refresh" not in told
    assert ana.get(page, {"seen": _moment(line_of(ana.get(page)))}, **hx).status_code == 204
    assert ana.get("/changes/999999", seen, **hx).status_code == 404


def _said(request, company):
    comment(request, text="Why?", actor=company.ben, via="test")


def _settled(request, company):
    resolve_comment(request.comments.get(), actor=company.ben, via="test")


def _taken_back(request, company):
    content = {**request.draft.content, "reason": "Better said."}
    save_draft(request, content=content, lock=request.draft.lock, actor=company.ana, via="test")


def _overtaken(request, company):
    factories.published(
        factories.make_change("net_sales", words={"notes": "Meanwhile."}),
        author=company.cem,
        by=[company.ben],
    )


@pytest.mark.parametrize("deed", [_said, _settled, _taken_back, _overtaken])
def test_a_request_moves_on_by_what_is_said_settled_edited_or_published(company, deed):
    request = company.restating()
    comment(request, text="First.", actor=company.ben, via="test")
    page, hx = f"/changes/{request.pk}", {"HTTP_HX_REQUEST": "true"}
    eve = signed_in(company.eve)
    seen = {"seen": _moment(line_of(eve.get(page)))}
    assert eve.get(page, seen, **hx).status_code == 204

    deed(request, company)

    assert eve.get(page, seen, **hx).status_code == 286


def test_a_page_asks_for_news_while_it_is_open_and_only_in_one_way(company):
    request = company.restating()
    factories.finish_preview(request)
    page = f"/changes/{request.pk}"
    ben = signed_in(company.ben)
    assert re.findall(r'id="(poll-\w+)"[^>]+hx-trigger="([^"]+)"', line_of(ben.get(page))) == [
        ("poll-news", "every 10s")
    ]

    factories.approve(request, company.ben, company.cem)
    due = line_of(ben.get(page))
    assert re.findall(r'id="(poll-\w+)"[^>]+hx-trigger="([^"]+)"', due) == [
        ("poll-due", "every 2s")
    ]
    seen = {"seen": _moment(due), "is_due": "yes"}
    comment(request, text="Well done.", actor=company.cem, via="test")
    # A word is no publication: what the reader types stays.
    told = ben.get(page, seen, HTTP_HX_REQUEST="true")
    assert (told.status_code, "HX-Refresh" in told) == (204, False)
    assert "has moved on" in told["HX-Trigger"]

    publish(request, revision_hash=request.revision.hash, actor=company.ben, via="test")
    assert ben.get(page, seen, HTTP_HX_REQUEST="true")["HX-Refresh"] == "true"
    assert "poll-" not in line_of(ben.get(page))


def test_a_page_whose_session_has_ended_says_so_and_stays(company):
    request = company.restating()
    page = f"/changes/{request.pk}"
    for poll in ("poll-news", "poll-past"):
        headers = {"HX-Request": "true", "HX-Trigger": poll}
        answer = Client().get(page, headers=headers, follow=True)

        assert answer.status_code == 286
        assert answer["HX-Reswap"] == "none"
        assert "Your session has ended." in answer["HX-Trigger"]


def test_only_who_may_cancel_a_preview_is_offered_it(company):
    request = company.restating()
    pages = [
        line_of(signed_in(who).get(f"/changes/{request.pk}")) for who in (company.ana, company.eve)
    ]

    assert ["The preview waits for a worker." in page for page in pages] == [True, True]
    assert ["/cancel" in page for page in pages] == [True, False]


def test_what_several_items_need_alike_is_said_once(company):
    request = factories.submitted(
        factories.make_item("refunds", {**factories.NET_SALES, "expression": "refund"}),
        factories.make_item("amounts", {**factories.NET_SALES, "expression": "amount"}),
        author=company.ana,
    )

    assert (
        line_of(signed_in(company.ben).get(f"/changes/{request.pk}")).count("Needs 1 approval") == 1
    )
    editor = line_of(signed_in(company.ana).get(f"/changes/{request.pk}/live"))
    assert editor.count("1 approval, because") == 1


def _of_many(company) -> ChangeRequest:
    """A request over 46 entries, in which the one that moves a past value was put last."""
    harmless = [
        factories.make_item(
            f"more_{number}", {**factories.NET_SALES, "expression": f"amount * {number + 2}"}
        )
        for number in range(45)
    ]
    restating = factories.make_change(
        "net_sales", spec={"expression": "amount - refund"}, treatment="restate"
    )
    return factories.submitted(*harmless, restating, author=company.ana)


def test_nobody_hides_a_change_behind_many_harmless_ones(company):
    """A verdict is on all of a request, so that all of it can be read where verdicts are given."""
    request, ben = _of_many(company), signed_in(company.ben)
    page = f"/changes/{request.pk}"

    first, second = line_of(ben.get(page)), line_of(ben.get(f"{page}?items=2"))
    admin = f"/admin/governance/changerequest/{request.pk}/change/"
    company.ben.is_staff = True
    company.ben.save()
    decided = line_of(ben.get(admin))

    shown = [re.findall(r'aria-labelledby="item-(\w+)"', text) for text in (first, second)]
    assert shown[0][0] == "net_sales"
    assert (len(shown[0]), len(shown[1])) == (40, 6)
    assert {*shown[0], *shown[1]} == {item["key"] for item in request.revision.content["items"]}
    assert 'href="' + page + '?items=2"' in first
    assert '<h3 id="item-1">Net sales</h3>' in decided
    assert f"{page}?items=2" in decided


def test_a_page_of_many_items_is_not_without_end(company):
    request = _of_many(company)

    page = line_of(signed_in(company.ben).get(f"/changes/{request.pk}"))
    editor = line_of(signed_in(company.ana).get(f"/changes/{request.pk}/live"))

    assert page.count("because Additive + Tier 2") == 1
    assert "more conditions" in page
    assert editor.count("because Additive + Tier 2") == 1
    assert "And 6 more items" in editor


def test_a_preview_that_is_waited_for_comes_back_to_the_part_that_is_read(company):
    keys = [f"m{n:02}" for n in range(45)]
    request = factories.submitted(
        factories.make_change(
            "net_sales", spec={"expression": "amount - refund"}, treatment="restate"
        ),
        *(factories.make_item(key) for key in keys),
        author=company.ana,
    )

    shown = line_of(signed_in(company.ana).get(f"/changes/{request.pk}?items=2"))

    assert "Part 2 of 2" in shown
    assert f'hx-get="/changes/{request.pk}?items=2&by="' in shown


def test_an_undo_that_has_retired_what_was_new_is_not_offered_again(company):
    published = factories.published(
        factories.make_item("returns"), author=company.ana, by=[company.cem]
    )
    ana = signed_in(company.ana)
    page = f"/changes/{published.pk}"
    ana.post(f"{page}/undo")
    opened = ChangeRequest.objects.latest("pk")
    submit(opened, lock=opened.draft.lock, actor=company.ana)
    opened.refresh_from_db()
    factories.approve(opened, company.cem)
    publish(opened, revision_hash=opened.revision.hash, actor=company.ana)

    assert "No undo: " in line_of(ana.get(page))
    assert "is retired already" in line_of(ana.get(page))
    assert ana.post(f"{page}/undo").status_code == 409


def test_who_could_approve_is_told_what_an_edit_costs(company):
    request = company.restating()
    told = "and then your approval does not count"

    assert told in line_of(signed_in(company.ben).get(f"/changes/{request.pk}/edit"))
    assert told not in line_of(signed_in(company.ana).get(f"/changes/{request.pk}/edit"))


def test_what_was_approved_on_is_read_where_it_was_approved_for_ever(company):
    request = company.restating()
    run = factories.finish_preview(request)
    point = {"difference": "-41", "difference_pct": "-3.3", "is_complete": True}
    run.result["figures"]["net_sales"]["points"] = [
        {**point, "period": f"2026-01-{day}", "label": day, "old": "1234", "new": "1193"}
        for day in ("05", "12")
    ]
    run.save()
    company.ben.is_staff = True
    company.ben.save()
    pages = [
        (signed_in(company.eve), f"/changes/{request.pk}"),
        (signed_in(company.ben), f"/admin/governance/changerequest/{request.pk}/change/"),
    ]
    before = [line_of(client.get(page)) for client, page in pages]

    factories.approve(request, company.ben)
    publish(request, revision_hash=request.revision.hash, actor=company.ana, via="test")

    request.refresh_from_db()
    after = [line_of(client.get(page)) for client, page in pages]
    assert request.status == "published"
    assert ["Past values fall." in page for page in after] == [True, True]
    assert [page.count('<svg class="chart') for page in after] == [
        page.count('<svg class="chart') for page in before
    ]
    assert [page.count("Week of") for page in after] == [page.count("Week of") for page in before]
    assert after[0].count("Week of") > 1
