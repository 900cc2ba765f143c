"""Each verb: the good case, each refusal, twice, and what it tells."""

from datetime import UTC, datetime, timedelta

import pytest

from accounts.models import RoleGrant
from catalog.choices import OwnershipRole
from catalog.models import Entry, Metric, Ownership, Version
from catalog.services.cards import follow
from core import clock
from core.errors import Invalid, NotAllowed, NotReady, OutOfDate, StaleRevision, WrongState
from core.models import AuditEvent, Notice
from governance import assessment, policies, tasks
from governance.assessment import assess
from governance.choices import Status
from governance.content import read_content
from governance.models import ApprovalPolicy, ChangeRequest, Revision
from governance.services.approval_policies import set_policy
from governance.services.comments import comment, reopen_comment, resolve_comment
from governance.services.publishing import publish, settle
from governance.services.requests import (
    back_to,
    open_request,
    rebase,
    save_draft,
    split_request,
    withdraw,
)
from governance.services.returning import undo
from governance.services.reviews import review
from governance.services.submitting import submit
from measurement.models import Backfill
from tests.factories import (
    NET_SALES,
    ORDERS,
    approve,
    finish_preview,
    make_change,
    make_content,
    make_item,
    make_user,
    published,
    submitted,
)

WORDS = {"definition": "What the shop received."}


def edited(request, actor, **words):
    request.draft.refresh_from_db()
    return save_draft(
        request,
        content=make_content(make_change(words=words or WORDS)),
        lock=request.draft.lock,
        actor=actor,
        via="web",
    )


# --- drafts -----------------------------------------------------------------------------------


def test_an_item_may_say_only_what_it_changes(company):
    item = {"key": "net_sales", "words": {"notes": "Short."}}
    request = open_request(content={"title": "Notes", "items": [item]}, actor=company.ana)

    item = read_content(request.draft.content).items[0]
    assert (item.base, item.kind, item.words.name) == (1, "metric", "Net sales")
    assert item.spec == Entry.objects.get(key="net_sales").current_version.definition.spec
    assert [str(change) for change in request.changes.all()] == [f"{request} net_sales"]


def test_the_second_of_two_savers_is_told_who_was_first(company):
    request = open_request(content=make_content(make_change(words=WORDS)), actor=company.ana)
    edited(request, company.ben, definition="By Ben.")

    with pytest.raises(StaleRevision, match="Ben saved this draft") as refused:
        save_draft(
            request,
            content=make_content(make_change(words={"definition": "By Ana."})),
            lock=1,
            actor=company.ana,
        )

    assert refused.value.details["lock"] == 2
    request.draft.refresh_from_db()
    assert read_content(request.draft.content).items[0].words.definition == "By Ben."


def test_saving_what_is_there_changes_nothing(company):
    request = company.restating()
    content = request.draft.content

    save_draft(request, content=content, lock=99, actor=company.ben)

    request.refresh_from_db()
    assert (request.status, request.draft.lock) == (Status.IN_REVIEW, 1)
    assert list(request.draft.editors.all()) == [company.ana]


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ({}, "title"),
        ({"title": "T", "items": []}, "items"),
        ({"title": "T", "items": [{"key": "Net Sales"}]}, "items.Net Sales.key"),
        ({"title": "T", "items": [{"key": "a1", "colour": 1}]}, "items.a1.colour"),
        ({"title": "T", "items": ["x"]}, "items.0"),
        ({"title": "T", "items": [{"key": "a1"}, {"key": "a1"}]}, "items.a1"),
    ],
)
def test_a_content_without_a_shape_is_refused_with_its_places(company, content, place):
    with pytest.raises(Invalid) as refused:
        open_request(content=content, actor=company.ana)

    assert place in {problem["place"] for problem in refused.value.details["problems"]}
    assert ChangeRequest.objects.count() == 1


def test_harmless_items_can_be_split_off(company):
    request = submitted(
        make_change(spec={"expression": "amount - refund"}, treatment="restate"),
        make_change("orders", words={"notes": "Short."}),
        author=company.ana,
    )
    assert assess(read_content(request.revision.content)).harmless == ["orders"]

    split = split_request(request, keys=["orders"], actor=company.ben, via="web")

    request.refresh_from_db()
    assert (request.status, split.status) == (Status.DRAFT, Status.DRAFT)
    assert [c.key for c in request.changes.all()] == ["net_sales"]
    assert [c.key for c in split.changes.all()] == ["orders"]
    assert split.author == company.ana
    assert set(split.draft.editors.all()) == {company.ana, company.ben}


def test_who_wrote_in_a_request_is_co_editor_of_what_is_split_off(company):
    """Else they could approve there what they wrote here."""
    request = company.restating()
    edited(request, company.cem, definition="As Cem says.")
    request.draft.refresh_from_db()
    content = request.draft.content
    content["items"].append(make_change("orders", words={"notes": "Short."}))
    save_draft(request, content=content, lock=request.draft.lock, actor=company.ana)

    split = split_request(request, keys=["net_sales"], actor=company.ben)

    assert set(split.draft.editors.all()) == {company.ana, company.ben, company.cem}
    submit(split, actor=company.ana)
    split.refresh_from_db()
    assert policies.why_not_review(company.cem, split) is not None


@pytest.mark.parametrize("keys", [[], ["net_sales"], ["unknown"]])
def test_a_split_leaves_something_on_both_sides(company, keys):
    request = company.restating()

    with pytest.raises(Invalid):
        split_request(request, keys=keys, actor=company.ana)


# --- submit -----------------------------------------------------------------------------------


def test_submitting_twice_makes_one_revision(company):
    request = company.restating()
    again = submit(request, lock=1, actor=company.ana)

    assert again.number == 1
    assert Revision.objects.filter(request=request).count() == 1


def test_the_same_text_again_is_another_revision_and_needs_approval_again(company):
    request = submitted(make_change(words=WORDS), author=company.ana)
    first = request.revision
    approve(request, company.ben)
    edited(request, company.ana, definition="Other.")
    edited(request, company.ana, **WORDS)
    submit(request, actor=company.ana)

    request.refresh_from_db()
    assert (request.revision.number, request.revision.hash) == (2, first.hash)
    with pytest.raises(NotReady, match="0 of 1 approvals"):
        publish(request, revision_hash=first.hash, actor=company.ana)


def test_editing_voids_an_approval_at_once(company):
    request = approve(submitted(make_change(words=WORDS), author=company.ana), company.ben)
    edited(request, company.ana, definition="Other.")

    settle(request)
    with pytest.raises(StaleRevision, match="taken back"):
        publish(request, revision_hash=request.revision.hash, actor=company.ana)

    assert Version.objects.filter(entry__key="net_sales").count() == 1


def test_nothing_different_is_refused(company):
    request = open_request(content=make_content(make_change()), actor=company.ana)

    with pytest.raises(Invalid, match="Nothing differs"):
        submit(request, actor=company.ana)


def test_a_missing_policy_is_never_zero_approvals(company):
    ApprovalPolicy.objects.filter(change_class="meaning").delete()
    request = open_request(content=make_content(make_change(words=WORDS)), actor=company.ana)

    with pytest.raises(Invalid, match="No approval policy covers meaning changes of tier 2"):
        submit(request, actor=company.ana)

    assert Revision.objects.filter(request=request).count() == 0


REFUSED = {
    "unknown column": (lambda: make_change(spec={"expression": "amuont"}), "spec.expression"),
    "unknown dataset": (lambda: make_change(spec={"dataset": "oders"}), "spec.dataset"),
    "no treatment": (lambda: make_change(spec={"expression": "refund"}), "treatment"),
    "key of another": (lambda: make_item("net_sales"), "key"),
    "no name": (lambda: make_change(words={"name": " "}), "words.name"),
    "no owner": (lambda: make_item("a1", stewardship={"owners": []}), "stewardship.owners"),
    "unknown person": (
        lambda: make_item("a1", stewardship={"owners": ["zoe"]}),
        "stewardship.owners",
    ),
    "unknown domain": (
        lambda: make_item("a1", stewardship={"domain": "sails"}),
        "stewardship.domain",
    ),
    "unknown parent": (
        lambda: make_item("a1", stewardship={"tree": [{"parent": "b2", "kind": "driver"}]}),
        "stewardship.tree",
    ),
    "unknown source": (lambda: make_item("a1", {**ORDERS, "source": "shap"}), "spec.source"),
    "wrong kind": (lambda: {**make_item("a1"), "kind": "dataset"}, "kind"),
    "unknown base": (lambda: {**make_item("a1"), "base": 3}, "base"),
    "retired below": (
        lambda: make_change("orders", lifecycle="retired"),
        "lifecycle",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_refused_with_its_place_and_nothing_is_written(company, case):
    make, place = REFUSED[case]
    item = make()
    request = open_request(content=make_content(item), actor=company.ana)

    with pytest.raises((Invalid, OutOfDate)) as refused:
        submit(request, actor=company.ana)

    if isinstance(refused.value, Invalid):
        places = {problem["place"] for problem in refused.value.details["problems"]}
        assert f"items.{item['key']}.{place}" in places
    else:
        assert case == "unknown base"
    request.refresh_from_db()
    assert (request.status, request.revision) == (Status.DRAFT, None)


def test_items_of_one_request_see_each_other(company):
    ratio = {
        "type": "ratio",
        "numerator": {"metric": "net_sales"},
        "denominator": {"metric": "baskets"},
    }
    request = submitted(
        make_item("basket_value", ratio),
        make_item("baskets", {**NET_SALES, "aggregation": "count", "expression": "id"}),
        author=company.ana,
    )

    assert request.status == Status.IN_REVIEW


def test_a_change_that_breaks_what_stands_on_it_is_refused(company):
    columns = [column for column in ORDERS["columns"] if column["name"] != "amount"]
    request = open_request(
        content=make_content(make_change("orders", spec={"columns": columns})), actor=company.ana
    )

    with pytest.raises(Invalid, match="Net sales would no longer work"):
        submit(request, actor=company.ana)


# --- who is asked ------------------------------------------------------------------------------


def needs(request):
    return [
        (need["key"], need["change_class"], need["tier"], need["approvals"], need["stewards"])
        for need in request.revision.requirements
    ]


def test_a_change_of_a_dataset_is_decided_as_strictly_as_what_stands_on_it(company):
    published(
        make_change(stewardship={"domain": "sales", "tier": 1, "owners": ["ana"]}),
        author=company.ana,
        by=[company.cem],
    )
    request = submitted(
        make_change("orders", spec={"time_zone": "America/New_York"}), author=company.ana
    )

    assert needs(request) == [("orders", "restating", 1, 2, 1)]
    found = assess(read_content(request.revision.content))
    assert [one.key for one in found.affected] == ["net_sales"]
    assert "Net sales stands on it" in found.items[0].reason


def test_a_stewardship_change_cannot_hide_behind_another(company):
    stewardship = {"domain": "sales", "tier": 3, "owners": ["ana"]}
    request = submitted(make_change(words=WORDS, stewardship=stewardship), author=company.ana)

    assert needs(request) == [
        ("net_sales", "meaning", 2, 1, 0),
        ("net_sales", "stewardship", 2, 1, 1),
    ]
    approve(request, company.ben)
    with pytest.raises(NotReady, match="an approval by a steward is missing"):
        publish(request, revision_hash=request.revision.hash, actor=company.ana)


def test_lowering_a_tier_is_decided_on_the_old_one(company_of_tier_1):
    company = company_of_tier_1
    stewardship = {"domain": "sales", "tier": 3, "owners": ["ana"]}
    request = submitted(
        make_change(spec={"expression": "refund"}, treatment="restate", stewardship=stewardship),
        author=company.ana,
    )

    assert ("net_sales", "restating", 1, 2, 1) in needs(request)


def test_a_move_to_another_domain_is_decided_in_both(company):
    request = submitted(
        make_change(stewardship={"domain": "growth", "tier": 2, "owners": ["ana"]}),
        author=company.ana,
    )
    approve(request, company.cem)
    with pytest.raises(NotReady):
        publish(request, revision_hash=request.revision.hash, actor=company.ana)

    hana = make_user("hana", growth="steward")
    approve(request, hana)
    publish(request, revision_hash=request.revision.hash, actor=company.ana)

    assert Metric.objects.get(key="net_sales").domain == company.growth
    assert Version.objects.filter(entry__key="net_sales").count() == 1


@pytest.mark.parametrize("loses", ["role", "account"])
def test_an_approval_counts_while_its_giver_may_give_it(company, loses):
    request = approve(submitted(make_change(words=WORDS), author=company.ana), company.ben)
    if loses == "role":
        RoleGrant.objects.filter(user=company.ben).delete()
    else:
        company.ben.is_active = False
        company.ben.save()

    settle(request)
    with pytest.raises(NotReady, match="0 of 1 approvals"):
        publish(request, revision_hash=request.revision.hash, actor=company.ana)


def test_a_policy_changed_since_does_not_let_an_old_request_pass(company):
    request = approve(submitted(make_change(words=WORDS), author=company.ana), company.ben)
    before = request.revision.requirements
    set_policy(
        change_class="meaning",
        tier=2,
        is_new=False,
        domain=company.sales,
        numbers=(0, 0, False),
        actor=company.cem,
    )

    request.refresh_from_db()
    assert request.revision.requirements == before


def test_a_co_editor_does_not_approve(company):
    RoleGrant.objects.create(user=company.ben, role="contributor", domain=company.sales)
    request = open_request(content=make_content(make_change(words=WORDS)), actor=company.ana)
    edited(request, company.ben, definition="By Ben.")
    edited(request, company.ana, definition="By Ana again.")
    submit(request, actor=company.ana)
    request.refresh_from_db()

    with pytest.raises(NotAllowed, match="written a part"):
        approve(request, company.ben)


def test_an_owner_nods_to_new_words(company):
    Ownership.objects.create(
        entry=Entry.objects.get(key="net_sales"), user=company.dia, role=OwnershipRole.OWNER
    )
    request = submitted(make_change(words=WORDS), author=company.ana)

    approve(request, company.dia)
    settle(request)

    request.refresh_from_db()
    assert request.status == Status.PUBLISHED


# --- reviews ----------------------------------------------------------------------------------


def test_a_verdict_is_on_the_revision_that_was_read(company):
    request = submitted(make_change(words=WORDS), author=company.ana)
    read = request.revision
    edited(request, company.ana, definition="Other.")
    submit(request, actor=company.ana)

    with pytest.raises(StaleRevision, match="r2 was submitted while you read"):
        review(request, revision_hash=read.hash, verdict="approve", actor=company.ben)

    assert not request.reviews.exists()


def test_the_number_of_a_revision_is_compared_too(company):
    request = submitted(make_change(words=WORDS), author=company.ana)

    with pytest.raises(StaleRevision):
        review(
            request,
            revision_hash=request.revision.hash,
            revision_number=7,
            verdict="approve",
            actor=company.ben,
        )


def test_pressing_approve_twice_is_one_approval(company):
    request = submitted(make_change(words=WORDS), author=company.ana)
    approve(request, company.ben)
    approve(request, company.ben)

    assert request.reviews.count() == 1


@pytest.mark.parametrize(
    ("verdict", "text"), [("request_changes", " "), ("comment", ""), ("yes", "")]
)
def test_a_refusal_says_why_and_a_verdict_is_one(company, verdict, text):
    request = submitted(make_change(words=WORDS), author=company.ana)

    with pytest.raises(Invalid):
        review(
            request,
            revision_hash=request.revision.hash,
            verdict=verdict,
            comment=text,
            actor=company.ben,
        )


def test_threads_are_settled_by_those_whose_they_are(company):
    request = submitted(make_change(words=WORDS), author=company.ana)
    said = comment(request, text="Why?", place="words.definition", actor=company.eve)

    with pytest.raises(NotAllowed):
        resolve_comment(said, actor=company.dia)
    resolved = resolve_comment(said, actor=company.ana)
    again = resolve_comment(said, actor=company.cem)

    assert again.resolved_by == resolved.resolved_by == company.ana


def test_what_was_settled_can_be_opened_again(company):
    request = submitted(make_change(words=WORDS), author=company.ana)
    said = resolve_comment(comment(request, text="Why?", actor=company.eve), actor=company.eve)

    with pytest.raises(NotAllowed):
        reopen_comment(said, actor=company.dia)
    for _ in range(2):
        said = reopen_comment(said, actor=company.cem)

    assert (said.resolved_at, said.resolved_by) == (None, None)
    assert AuditEvent.objects.filter(action="change.comment_reopened").count() == 1


# --- publication --------------------------------------------------------------------------------


def test_an_editorial_change_on_a_lower_tier_is_published_at_once(company):
    request = submitted(make_change(words={"notes": "Short."}), author=company.ana)

    assert (request.status, request.change_class) == (Status.PUBLISHED, "editorial")
    metric = Metric.objects.get(key="net_sales")
    assert metric.current_version.number == 2
    # It reuses the series of the version before.
    first, second = metric.resolutions.order_by("number")
    assert first.hash == second.hash


def test_an_editorial_change_on_tier_1_needs_a_nod(company_of_tier_1):
    company = company_of_tier_1
    request = submitted(make_change(words={"notes": "Short."}), author=company.ana)

    assert request.status == Status.IN_REVIEW


def test_an_editorial_publication_can_be_undone_with_one_click(company):
    request = submitted(make_change(words={"notes": "Short."}), author=company.ana)

    back = undo(request, actor=company.ana, via="web")

    assert back.status == Status.PUBLISHED
    metric = Metric.objects.get(key="net_sales")
    assert (metric.current_version.number, metric.current_version.words["notes"]) == (3, "")


def test_an_undo_of_more_is_a_request_for_others_to_agree_to(company):
    finish = published(
        make_change(spec={"expression": "refund"}, treatment="restate"),
        make_change("orders", words={"definition": "Rows."}),
        author=company.ana,
        by=[company.ben],
    )

    back = undo(finish, actor=company.dia, via="web")
    submit(back, actor=company.dia)

    back.refresh_from_db()
    assert (back.status, back.change_class) == (Status.IN_REVIEW, "restating")
    assert {item.key for item in read_content(back.revision.content).items} == {
        "net_sales",
        "orders",
    }


def test_an_undo_restores_who_answers(company):
    done = published(
        make_change(stewardship={"domain": "sales", "tier": 3, "owners": ["ben"], "target": "10"}),
        author=company.ana,
        by=[company.cem],
    )

    back = undo(done, actor=company.ana)
    submit(back, actor=company.ana)
    approve(back, company.cem)
    settle(back)

    metric = Metric.objects.get(key="net_sales")
    assert (metric.tier, metric.target) == (2, None)
    assert [o.user for o in metric.ownerships.all()] == [company.ana]


def test_after_seven_days_or_a_later_change_there_is_no_undo(company):
    request = submitted(make_change(words={"notes": "Short."}), author=company.ana)

    later = clock.simulated(clock.now() + timedelta(days=8))
    with later, pytest.raises(WrongState, match="seven days"):
        undo(request, actor=company.ana)
    submitted(make_change(words={"notes": "Shorter."}), author=company.ana)
    with pytest.raises(WrongState, match="changed since"):
        undo(request, actor=company.ana)


def test_back_to_an_earlier_version_reuses_its_series(company):
    first = Metric.objects.get(key="net_sales").current_version
    published(
        make_change(spec={"expression": "refund"}, treatment="restate"),
        author=company.ana,
        by=[company.ben],
    )

    request = back_to(first, actor=company.ana)
    submit(request, actor=company.ana)
    finish_preview(request)
    approve(request, company.ben)
    settle(request)

    metric = Metric.objects.get(key="net_sales")
    hashes = list(metric.resolutions.order_by("number").values_list("hash", flat=True))
    assert metric.current_version.number == 3
    assert hashes[0] == hashes[2] != hashes[1]
    with pytest.raises(Invalid, match="in force already"):
        back_to(metric.current_version, actor=company.ana)


def test_what_somebody_published_since_makes_a_request_out_of_date(company):
    slow = submitted(make_change(words=WORDS), author=company.ana)
    approve(slow, company.ben)
    submitted(make_change(words={"notes": "Quick."}), author=company.ana)

    with pytest.raises(OutOfDate, match="started from net_sales@1, and now there is net_sales@2"):
        publish(slow, revision_hash=slow.revision.hash, actor=company.ana)
    settle(slow)

    slow.refresh_from_db()
    assert slow.status == Status.IN_REVIEW


def test_what_it_stands_on_makes_it_out_of_date_too(company):
    slow = company.restating()
    finish_preview(slow)
    approve(slow, company.ben)
    columns = [*ORDERS["columns"], {"name": "tax", "type": "decimal"}]
    published(
        make_change("orders", spec={"columns": columns}), author=company.ana, by=[company.cem]
    )

    with pytest.raises(OutOfDate, match="stands on orders, which has become orders@2"):
        publish(slow, revision_hash=slow.revision.hash, actor=company.ana)


def test_an_out_of_date_request_is_brought_up_to_date_field_by_field(company):
    slow = submitted(
        make_change(words={"definition": "Mine.", "is_not": "Mine."}), author=company.ana
    )
    published(
        make_change(words={"definition": "Theirs.", "caveats": "Theirs."}),
        author=company.ana,
        by=[company.ben],
    )

    draft, clashes = rebase(slow, actor=company.ana)

    words = read_content(draft.content).items[0].words
    assert clashes == ["items.net_sales.words.definition"]
    assert (words.definition, words.is_not, words.caveats) == ("Mine.", "Mine.", "Theirs.")
    draft, _ = rebase(slow, theirs=clashes, actor=company.ana)
    submit(slow, actor=company.ana)
    slow.refresh_from_db()
    assert (slow.status, slow.revision.number) == (Status.IN_REVIEW, 2)


def test_publishing_twice_publishes_once(company):
    request = approve(submitted(make_change(words=WORDS), author=company.ana), company.ben)
    hash_ = request.revision.hash

    publish(request, revision_hash=hash_, actor=company.ana)
    publish(request, revision_hash=hash_, actor=company.ben)
    settle(request)

    assert Version.objects.filter(entry__key="net_sales").count() == 2


def test_a_request_for_a_day_waits_for_it(company):
    day = clock.today() + timedelta(days=3)
    request = submitted(
        make_change(words=WORDS),
        author=company.ana,
        publish_when="date",
        publish_on=day.isoformat(),
    )
    approve(request, company.ben)
    tasks.sweep_requests()
    request.refresh_from_db()
    assert request.status == Status.SCHEDULED

    with clock.simulated(clock.now() + timedelta(days=3)):
        tasks.sweep_requests()

    request.refresh_from_db()
    assert request.status == Status.PUBLISHED


def test_a_request_with_a_button_waits_for_a_person(company):
    request = submitted(make_change(words=WORDS), author=company.ana, publish_when="button")
    approve(request, company.ben)
    settle(request)
    request.refresh_from_db()
    assert request.status == Status.IN_REVIEW

    publish(request, revision_hash=request.revision.hash, actor=company.ana)

    assert Version.objects.filter(entry__key="net_sales").count() == 2


def test_several_items_are_published_together_or_not_at_all(company, monkeypatch):
    request = submitted(
        make_change(words=WORDS),
        make_change("orders", words={"definition": "Rows."}),
        author=company.ana,
    )
    approve(request, company.ben)

    def fails(*args, **kwargs):
        raise RuntimeError("the power goes")

    with monkeypatch.context() as patched:
        patched.setattr("governance.services.publishing.draw_lineage", fails)
        with pytest.raises(RuntimeError):
            settle(request)
    assert Version.objects.count() == 2

    settle(request)
    assert Version.objects.count() == 4


def test_a_dataset_gives_new_resolutions_to_what_stands_on_it(company):
    request = submitted(
        make_change("orders", spec={"time_zone": "America/New_York"}), author=company.ana
    )
    finish_preview(request)
    approve(request, company.ben)
    settle(request)

    metric = Metric.objects.get(key="net_sales")
    assert metric.current_version.number == 1
    assert metric.current_resolution.number == 2
    assert {pin["key"]: pin["number"] for pin in metric.current_resolution.pins} == {
        "orders": 2,
        "net_sales": 1,
    }
    assert Backfill.objects.filter(purpose="publish").count() == 2
    row = Metric.history.filter(key="net_sales").first()
    assert (row.history_user, row.history_change_reason) == (None, f"{request}: A change")


def test_people_who_follow_own_or_stand_on_it_are_told(company):
    follow(Entry.objects.get(key="orders"), actor=company.eve)
    request = submitted(make_change("orders", words={"notes": "Short."}), author=company.ana)

    tasks.tell_of_publication(request.pk)
    tasks.tell_of_publication(request.pk)

    told = Notice.objects.filter(kind="published")
    assert {notice.recipient for notice in told} == {company.eve, company.ana}
    assert told.first().url == f"/{request}"


def test_reviewers_are_asked_and_the_author_is_told(company):
    request = submitted(make_change(words=WORDS), author=company.ana)
    tasks.settle(request.pk)
    asked = Notice.objects.filter(kind="review")
    assert {notice.recipient for notice in asked} == {company.ben, company.cem}

    review(
        request,
        revision_hash=request.revision.hash,
        verdict="request_changes",
        comment="No.",
        actor=company.ben,
    )
    tasks.tell_of_changes_requested(request.pk)
    assert Notice.objects.filter(recipient=company.ana, kind="change").exists()


# --- the Local tier -----------------------------------------------------------------------------


def local(key="my_sales", **spec):
    return {
        "key": key,
        "kind": "metric",
        "base": None,
        "spec": {**NET_SALES, **spec},
        "words": {"name": "My sales", "definition": "For me."},
        "stewardship": {"domain": "sales", "tier": 9, "owners": ["ana"]},
    }


def test_a_local_metric_needs_nobody(company):
    request = submitted(local(), author=company.ana)
    assert request.status == Status.PUBLISHED

    changed = submitted(
        make_change("my_sales", spec={"expression": "refund"}, treatment="restate"),
        author=company.ana,
    )
    assert changed.status == Status.PUBLISHED


def test_nothing_reviewed_stands_on_a_local_metric(company):
    submitted(local(), author=company.ana)
    ratio = {
        "type": "ratio",
        "numerator": {"metric": "my_sales"},
        "denominator": {"metric": "net_sales"},
    }
    request = open_request(content=make_content(make_item("share", ratio)), actor=company.ana)

    with pytest.raises(Invalid, match="Local tier and unreviewed"):
        submit(request, actor=company.ana)


def test_a_local_metric_is_promoted_by_a_steward(company):
    submitted(local(), author=company.ana)
    stewardship = {"domain": "sales", "tier": 2, "owners": ["ana"]}
    request = submitted(make_change("my_sales", stewardship=stewardship), author=company.ana)
    assert request.status == Status.IN_REVIEW

    approve(request, company.cem)
    settle(request)

    assert Metric.objects.get(key="my_sales").tier == 2


def test_what_was_reviewed_does_not_become_local(company):
    stewardship = {"domain": "sales", "tier": 9, "owners": ["ana"]}
    request = open_request(
        content=make_content(make_change(stewardship=stewardship)), actor=company.ana
    )

    with pytest.raises(Invalid, match="does not become Local again"):
        submit(request, actor=company.ana)


# --- retiring ------------------------------------------------------------------------------------


def test_a_metric_is_deprecated_with_a_last_day_and_a_successor(company):
    published(
        make_item("sales_2", {**NET_SALES, "expression": "amount + 1"}),
        author=company.ana,
        by=[company.cem],
    )
    request = published(
        make_change(lifecycle="deprecated", last_day="2027-01-31", successor="sales_2"),
        author=company.ana,
        by=[company.cem],
    )

    metric = Metric.objects.get(key="net_sales")
    assert request.change_class == "retiring"
    assert (metric.lifecycle, metric.last_day.isoformat()) == ("deprecated", "2027-01-31")
    assert metric.successor.key == "sales_2"
    assert metric.current_version.number == 1


def test_withdrawing_is_for_the_author_alone(company):
    request = company.restating()

    with pytest.raises(NotAllowed, match="Only its author"):
        withdraw(request, actor=company.cem)
    assert withdraw(request, actor=company.ana).status == Status.WITHDRAWN


def test_without_a_day_a_change_holds_from_the_day_that_it_is_at_the_till(company, settings):
    settings.ETALON_NOW = datetime(2026, 3, 2, 3, tzinfo=UTC)
    tills = {**ORDERS, "time_zone": "America/New_York"}
    published(make_item("tills", tills), author=company.ana, by=[company.cem])

    content = {"title": "A change", "items": [make_change(words=WORDS)]}
    opened = open_request(content=content, actor=company.ana)

    assert opened.draft.content["effective_from"] == "2026-03-01"


def test_figures_can_be_had_before_reason_and_treatment_are_written(company):
    def judged(expression):
        item = make_change(spec={"expression": expression})
        return assess(read_content(make_content(item, reason="")))

    found = judged("amount - refund")
    assert {problem.place for problem in found.blocking} == {"items.net_sales.treatment", "reason"}
    assert found.is_computable
    assert [item.key for item in found.preview_items] == ["net_sales"]
    assert not judged("amount - refunds").is_computable


def test_of_new_metrics_only_so_many_are_compared_and_of_moved_ones_all(company, monkeypatch):
    monkeypatch.setattr(assessment, "MOST_COMPARED", 2)
    new = [
        make_item(f"new_{n}", {**NET_SALES, "expression": f"amount * {n + 2}"}) for n in range(3)
    ]
    moved = make_change(spec={"expression": "amount - refund"}, treatment="restate")

    alone = assess(read_content(make_content(*new)))
    beside = assess(read_content(make_content(*new, moved)))

    assert [item.key for item in alone.preview_items] == ["new_0", "new_1"]
    assert [item.key for item in beside.preview_items] == ["net_sales", "new_0"]
