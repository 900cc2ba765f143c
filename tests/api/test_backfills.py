"""Runs over REST: a range computed again by hand, planned first, started once."""

import pytest

from accounts.choices import Role
from accounts.models import RoleGrant
from measurement.models import Backfill
from measurement.services.turns import work_off
from tests.api.caller import Caller
from tests.factories import make_user
from tests.measurement.catalog import sales_spec

RANGE = {"metric": "sales", "from": "2026-01-12", "to": "2026-01-15"}
ASKED = {**RANGE, "reason": "The till was wrong."}


@pytest.fixture
def cem(shop):
    """A steward of the shop's metrics, with a token that may operate."""
    steward = make_user("cem")
    RoleGrant.objects.create(user=steward, role=Role.STEWARD, domain=shop.domain)
    return Caller(steward, ("read", "operate"))


def test_a_range_is_computed_again(cem):
    answer = cem.post("backfills", ASKED)

    run = answer.json()
    assert answer.status_code == 201
    assert (run["purpose"], run["status"], run["metrics"]) == ("manual", "planned", ["sales"])
    assert (run["from"], run["to"], run["reason"]) == (
        "2026-01-12",
        "2026-01-15",
        "The till was wrong.",
    )
    work_off(Backfill.objects.get(pk=run["id"]))
    assert cem.get(f"backfills/{run['id']}").json()["status"] == "done"


def test_a_dry_run_says_what_would_be_computed_and_starts_nothing(cem):
    runs = Backfill.objects.count()

    answer = cem.post("backfills", {**ASKED, "dry_run": True, "dimensions": []})

    plan = answer.json()
    assert answer.status_code == 200
    assert (plan["versions"], plan["dimensions"], plan["windows"]) == ([1], [], 1)
    assert plan["source_rows"] > 0
    assert Backfill.objects.count() == runs


def test_the_plan_that_was_looked_at_is_the_one_that_starts(cem, shop):
    plan = cem.post("backfills", {**ASKED, "dry_run": True}).json()
    shop.publish("sales", sales_spec(expression="amount * 3"), treatment="restate")
    work_off(shop.plan("sales"))

    answer = cem.post("backfills", {**ASKED, "pin": plan["pin"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "out_of_date")
    now = answer.json()["details"]["pin"]
    assert cem.post("backfills", {**ASKED, "pin": now}).status_code == 201


def test_the_same_key_starts_one_run(cem):
    first = cem.post("backfills", ASKED, key="k-1")
    again = cem.post("backfills", ASKED, key="k-1")

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert Backfill.objects.filter(purpose="manual").count() == 1
    assert cem.post("backfills", ASKED).json()["code"] == "wrong_state"


def test_everything_that_is_wrong_has_its_place(cem):
    answer = cem.post("backfills", {**ASKED, "from": "2020-01-01", "to": "2030-01-01"})

    places = [problem["place"] for problem in answer.json()["details"]["problems"]]
    assert (answer.status_code, places) == (422, ["from", "to"])
    answer = cem.post("backfills", {**ASKED, "dimensions": ["buyer"], "size": 3})
    assert [one["place"] for one in answer.json()["details"]["problems"]] == ["size"]
    assert cem.post("backfills", RANGE).json()["details"]["problems"][0]["place"] == "reason"
    assert cem.post("backfills", {**ASKED, "reason": " "}).status_code == 422


def test_who_may_not_and_what_is_not_there(shop, cem):
    assert Caller(shop.author).post("backfills", ASKED).json()["code"] == "not_allowed"
    dry = {**ASKED, "dry_run": True}
    assert Caller(shop.author).post("backfills", dry).json()["code"] == "not_allowed"
    assert cem.post("backfills", {**ASKED, "metric": "orders"}).status_code == 404
    assert Caller(cem.user, ("read",)).post("backfills", ASKED).json()["code"] == "wrong_scope"
    assert not Backfill.objects.filter(purpose="manual").exists()
