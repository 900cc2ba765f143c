"""A request made over REST is the same thing as one made in the browser: the services' own."""

import pytest

from catalog.models import Entry, Metric
from core.models import AuditEvent
from governance.models import ChangeRequest
from tests import factories
from tests.api.caller import Caller

EDIT = {
    "key": "net_sales",
    "spec": {"expression": "amount - refund"},
    "treatment": "restate",
}


def _content(*items, **other):
    return factories.make_content(*(items or [EDIT]), **other)


def _opened(caller, *items, **other) -> dict:
    response = caller.post("change-requests", _content(*items, **other))
    assert response.status_code == 201, response.json()
    return response.json()


def _submitted(caller, *items, **other) -> dict:
    opened = _opened(caller, *items, **other)
    response = caller.post(
        f"change-requests/{opened['id']}/submit", {"lock": opened["draft"]["lock"]}
    )
    assert response.status_code == 200, response.json()
    return response.json()


def test_from_a_proposal_to_a_version_in_force(ana, ben):
    opened = _opened(ana)
    at = f"change-requests/{opened['id']}"
    assert opened["draft"]["content"]["items"][0]["base"] == 1
    assert opened["assessment"]["change_class"] == "restating"

    edited = ana.patch(at, {"lock": 1, "title": "Sales without refunds"}).json()
    assert (edited["title"], edited["draft"]["lock"]) == ("Sales without refunds", 2)

    submitted = ana.post(f"{at}/submit", {"lock": 2}).json()
    assert submitted["status"] == "in_review"
    assert submitted["needs"]
    revision = submitted["revision"]["hash"]

    assert ana.get(f"{at}/preview").json()["state"] == "waiting"
    factories.finish_preview(ChangeRequest.objects.get(pk=opened["id"]), "Past values fall.")
    preview = ben.get(f"{at}/preview").json()
    assert (preview["state"], preview["figures"][0]["headline"]) == ("done", "Past values fall.")

    waiting = ben.get("change-requests?waiting=me").json()["results"]
    assert [row["id"] for row in waiting] == [opened["id"]]
    approved = ben.post(f"{at}/review", {"revision": revision, "verdict": "approve"}).json()
    assert approved["reviews"][0]["verdict"] == "approve"

    published = ana.post(f"{at}/publish", {"revision": revision}).json()
    assert published["status"] == "published"
    assert published["items"] == [{"key": "net_sales", "kind": "metric", "version": 2}]
    metric = Metric.objects.get(key="net_sales")
    assert metric.current_version.definition.spec["expression"] == "amount - refund"
    detail = ana.get("metrics/net_sales@2").json()
    assert detail["approved_by"][0]["by"]["username"] == "ben"
    assert detail["approved_by"][0]["via"] == "api"
    assert detail["change_request"] == opened["id"]


def test_it_equals_a_request_made_by_the_services(company, ana):
    over_rest = ChangeRequest.objects.get(pk=_submitted(ana)["id"])
    by_service = company.restating()

    assert over_rest.revision.hash == by_service.revision.hash
    assert over_rest.revision.requirements == by_service.revision.requirements
    assert over_rest.status == by_service.status
    told = AuditEvent.objects.filter(subject_type__contains="change").order_by("sequence")
    pairs = [
        [(event.action, event.actor_label) for event in told.filter(subject_id=str(one.pk))]
        for one in (over_rest, by_service)
    ]
    assert pairs[0] == pairs[1]
    via = told.filter(subject_id=str(over_rest.pk)).values_list("via", flat=True)
    assert set(via) == {"api"}


def test_a_stale_edit_keeps_both_texts(ana, ben):
    opened = _opened(ana)
    at = f"change-requests/{opened['id']}"
    ben.patch(at, {"lock": 1, "title": "Hers"})

    response = ana.patch(at, {"lock": 1, "title": "Mine"})

    assert (response.status_code, response.json()["code"]) == (409, "stale_revision")
    assert response.json()["details"]["lock"] == 2
    assert response.json()["details"]["content"]["title"] == "Hers"


def test_an_edit_without_a_lock_is_refused_with_its_place(ana):
    opened = _opened(ana)

    response = ana.patch(f"change-requests/{opened['id']}", {"title": "Mine"})

    assert response.status_code == 422
    assert response.json()["details"]["problems"][0]["place"] == "lock"


@pytest.mark.parametrize("verb", ["review", "publish"])
def test_a_decision_on_another_revision_is_refused(ana, ben, verb):
    at = f"change-requests/{_submitted(ana)['id']}"
    body = {"revision": "0" * 64} | ({"verdict": "approve"} if verb == "review" else {})

    response = ben.post(f"{at}/{verb}", body)

    assert (response.status_code, response.json()["code"]) == (409, "stale_revision")
    assert response.json()["details"]["revision"] == 1


def test_a_decision_needs_the_revision_that_was_read(ana, ben):
    at = f"change-requests/{_submitted(ana)['id']}"

    response = ben.post(f"{at}/review", {"verdict": "maybe", "mood": "good"})

    assert response.status_code == 422
    problems = {row["place"]: row["code"] for row in response.json()["details"]["problems"]}
    assert problems == {
        "mood": "unknown_field",
        "revision": "required",
        "verdict": "invalid_choice",
    }


def test_nobody_approves_their_own(ana):
    submitted = _submitted(ana)

    response = ana.post(
        f"change-requests/{submitted['id']}/review",
        {"revision": submitted["revision"]["hash"], "verdict": "approve"},
    )

    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
    assert submitted["why_not"]["approve"] == "Authors cannot review their own change."


def test_publishing_too_early_says_all_that_is_missing(ana):
    submitted = _submitted(ana)

    response = ana.post(
        f"change-requests/{submitted['id']}/publish", {"revision": submitted["revision"]["hash"]}
    )

    assert (response.status_code, response.json()["code"]) == (409, "not_ready")
    assert len(response.json()["details"]["unmet"]) >= 2


def test_a_definition_that_cannot_be_computed_is_refused_with_all_places(ana):
    opened = _opened(ana, {"key": "net_sales", "spec": {"expression": "amont", "filters": ["x y"]}})

    response = ana.post(f"change-requests/{opened['id']}/submit", {"lock": 1})

    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    places = [row["place"] for row in response.json()["details"]["problems"]]
    assert {"items.net_sales.spec.expression", "items.net_sales.spec.filters.0"} <= set(places)


def test_unknown_fields_of_a_proposal_are_refused_with_their_places(ana):
    content = {**_content(), "titel": "x", "items": [{**EDIT, "sepc": {}}]}

    response = ana.post("change-requests", content)

    assert response.status_code == 422
    places = [row["place"] for row in response.json()["details"]["problems"]]
    assert places == ["items.net_sales.sepc", "titel"]
    assert ChangeRequest.objects.count() == 1  # the company's own


def test_withdrawn_rejected_and_commented(ana, cem, ben):
    first, second = _submitted(ana), _opened(ana)
    said = ben.post(f"change-requests/{first['id']}/comment", {"text": "Why?", "place": "items"})
    assert said.status_code == 201
    refused = cem.post(f"change-requests/{first['id']}/reject", {"reason": ""})
    assert refused.status_code == 422
    rejected = cem.post(f"change-requests/{first['id']}/reject", {"reason": "Not now."}).json()
    withdrawn = ana.post(f"change-requests/{second['id']}/withdraw", {}).json()

    assert (rejected["status"], rejected["closing_reason"]) == ("rejected", "Not now.")
    assert rejected["comments"][0]["text"] == "Why?"
    assert (withdrawn["status"], withdrawn["assessment"]) == ("withdrawn", None)
    again = ana.post(f"change-requests/{second['id']}/withdraw", {})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")


def test_a_request_that_was_overtaken_is_brought_up_to_date(ana, ben, company):
    slow = _opened(ana, {"key": "net_sales", "words": {"notes": "Mine."}})
    change = factories.make_change("net_sales", words={"caveats": "Theirs."})
    factories.published(change, author=company.ana, by=[company.ben])
    at = f"change-requests/{slow['id']}"
    stale = ana.post(f"{at}/submit", {"lock": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "out_of_date")

    rebased = ana.post(f"{at}/rebase", {}).json()

    words = rebased["request"]["draft"]["content"]["items"][0]["words"]
    assert rebased["clashes"] == []
    assert (words["notes"], words["caveats"]) == ("Mine.", "Theirs.")


def test_a_preview_is_started_and_read(ana):
    at = f"change-requests/{_opened(ana)['id']}/preview"
    assert ana.get(at).json()["state"] == "none"

    started = ana.post(at, {"dimension": "store"})

    assert (started.status_code, started.json()["state"]) == (202, "waiting")
    assert ana.get(f"{at}?dimension=store").json()["backfill"] == started.json()["backfill"]
    unknown = ana.post(at, {"dimension": "weather"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "invalid")


def test_requests_are_found_by_what_they_are_about(ana, company):
    mine = _submitted(ana)
    _opened(Caller(company.dia), {"key": "orders", "words": {"notes": "x"}})

    def found(query):
        return [row["id"] for row in ana.get(f"change-requests?{query}").json()["results"]]

    assert found("metric=net_sales&status=in_review") == [mine["id"]]
    assert found("author=dia") == [mine["id"] + 1]
    assert found("status=open,published") == [mine["id"] + 1, mine["id"], company.start.pk]
    assert found("metric=nothing") == []


def test_a_request_that_is_not_there(ana):
    for pk in (999, 10**30):
        response = ana.get(f"change-requests/{pk}")
        assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_something_new_is_proposed_whole(ana):
    opened = _opened(ana, factories.make_item("orders_count", {**factories.NET_SALES}))

    assert opened["assessment"]["items"][0]["is_new"]
    assert not Entry.objects.filter(key="orders_count").exists()


# --- taken back, split, settled ------------------------------------------------------------------


def test_an_editorial_publication_is_undone_with_one_call(ana):
    done = _submitted(ana, {"key": "net_sales", "words": {"notes": "A typo."}})
    assert (done["status"], done["why_not"]["undo"]) == ("published", None)

    answer = ana.post(f"change-requests/{done['id']}/undo", key="undo-it")
    again = ana.post(f"change-requests/{done['id']}/undo", key="undo-it")

    undone = answer.json()
    assert (answer.status_code, undone["status"]) == (201, "published")
    assert answer["Location"] == f"/api/v1/change-requests/{undone['id']}"
    assert undone["items"] == [{"key": "net_sales", "kind": "metric", "version": 3}]
    assert ana.get("metrics/net_sales@3").json()["words"]["notes"] == ""
    assert again.json() == undone


def test_what_moved_on_since_is_not_undone(ana):
    first = _submitted(ana, {"key": "net_sales", "words": {"notes": "First."}})
    _submitted(ana, {"key": "net_sales", "words": {"notes": "Second."}})

    answer = ana.post(f"change-requests/{first['id']}/undo")

    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_state")
    assert "changed since" in answer.json()["message"]
    assert "changed since" in ana.get(f"change-requests/{first['id']}").json()["why_not"]["undo"]


def test_back_to_an_earlier_version_opens_its_request(ana):
    _submitted(ana, {"key": "net_sales", "words": {"notes": "Second."}})

    answer = ana.post("metrics/net_sales/back", {"version": 1, "reason": "It read better."})

    opened = answer.json()
    assert (answer.status_code, opened["status"]) == (201, "draft")
    assert opened["draft"]["content"]["reason"] == "It read better."
    assert opened["draft"]["content"]["items"][0]["words"]["notes"] == ""
    current = ana.post("metrics/net_sales/back", {"version": 2})
    assert (current.status_code, current.json()["code"]) == (422, "invalid")
    assert ana.post("metrics/net_sales/back", {"version": 9}).status_code == 404
    assert ana.post("segments/net_sales/back", {"version": 1}).status_code == 404
    assert ana.post("datasets/orders/back", {"version": 1}).status_code == 422


def test_some_items_are_split_off(ana):
    harmless = {"key": "orders", "words": {"notes": "Harmless."}}
    opened = _opened(ana, EDIT, harmless)
    at = f"change-requests/{opened['id']}"

    answer = ana.post(f"{at}/split", {"keys": ["orders"]})

    assert answer.status_code == 201
    assert [item["key"] for item in answer.json()["items"]] == ["orders"]
    assert [item["key"] for item in ana.get(at).json()["items"]] == ["net_sales"]
    assert ana.post(f"{at}/split", {"keys": ["net_sales"]}).status_code == 422
    assert ana.post(f"{at}/split", {"keys": []}).status_code == 422


def test_a_comment_is_settled_and_opened_again(ana, ben, company):
    at = f"change-requests/{_submitted(ana)['id']}"
    said = ben.post(f"{at}/comment", {"text": "Why?"}).json()
    assert (said["resolved_at"], said["resolved_by"]) == (None, None)

    settled = ana.post(f"{at}/comments/{said['id']}/resolve").json()
    assert settled["resolved_by"]["username"] == "ana"
    assert ana.get(at).json()["comments"] == [settled]
    assert ben.post(f"{at}/comments/{said['id']}/reopen").json()["resolved_at"] is None
    assert ana.post(f"{at}/comments/0/resolve").status_code == 404
    assert (
        ana.post(f"change-requests/{company.start.pk}/comments/{said['id']}/resolve").status_code
        == 404
    )


def test_a_preview_under_way_is_cancelled_by_who_asked_for_it(ana, ben):
    at = f"change-requests/{_submitted(ana)['id']}/preview"
    by_store = ana.post(at, {"dimension": "store"}).json()

    refused = ben.post(f"{at}/cancel", {"dimension": "store"})
    assert (refused.status_code, refused.json()["code"]) == (403, "not_allowed")
    cancelled = ana.post(f"{at}/cancel", {"dimension": "store"}).json()
    assert (cancelled["state"], cancelled["backfill"]) == ("cancelled", by_store["backfill"])
    again = ana.post(f"{at}/cancel", {"dimension": "store"})
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert ana.get(at).json()["state"] == "waiting"  # The one in total goes on.
