"""Values over REST: every point with version and run, and every wrong question named."""

from datetime import date

import pytest

from accounts.choices import Role
from measurement.services.turns import work_off
from tests.api.caller import Caller
from tests.factories import make_user
from tests.measurement import company as shop_of
from tests.measurement.catalog import sales_spec


def test_every_point_says_version_and_run(shop, reader):
    values = reader.get("metrics/sales/values?grain=week&from=2026-01-05&to=2026-01-19").json()

    run = reader.get("backfills?metric=sales&status=done").json()["results"][0]
    assert [point["period"] for point in values["points"]] == ["2026-01-05", "2026-01-12"]
    assert {point["version"] for point in values["points"]} == {1}
    assert {point["run"] for point in values["points"]} == {run["id"]}
    assert (values["line"], values["restated"], values["restatement"]) == ("now", 0, "")
    detail = reader.get(f"backfills/{run['id']}").json()
    assert detail["window_list"][0]["state"] == "done"


def test_numbers_keep_all_their_digits(shop, reader):
    raw = reader.get("metrics/sales/values?grain=day&from=2026-01-05&to=2026-01-06").content

    total = sum(row.amount for row in shop_of.orders(40) if row.day == shop_of.FIRST)
    assert f'"value":{total.normalize():f},'.encode() in raw


def test_by_a_stored_dimension(reader):
    values = reader.get("metrics/sales/values?grain=week&group_by=store").json()

    assert values["group_by"] == ["store"]
    assert {len(point["members"]) for point in values["points"]} == {1}


def test_a_restatement_is_told(shop, reader):
    doubled = sales_spec(expression="amount * 2")
    shop.publish("sales", doubled, treatment="restate", effective_from=date(2026, 2, 9))
    work_off(shop.plan("sales"))

    values = reader.get("metrics/sales/values?grain=week").json()
    first = reader.get("metrics/sales/values?grain=week&version=1").json()

    assert {point["version"] for point in values["points"]} == {2}
    assert {point["version"] for point in first["points"]} == {1}
    assert values["marks"][0]["name"] == "v2"
    assert values["restated"] > 0
    assert values["restatement"].startswith(f"{values['restated']} values were restated")


def test_as_of_before_anything_was_known(reader):
    values = reader.get("metrics/sales/values?grain=week&as_of=2020-01-01").json()

    assert values["points"] == []
    assert values["note"]


@pytest.mark.parametrize(
    ("query", "status", "place", "code"),
    [
        ("grain=fortnight", 422, "grain", "unknown_grain"),
        ("grain=year", 422, "grain", "grain_not_stored"),
        ("from=2026-02-01&to=2026-01-01", 422, "from", "empty_range"),
        ("from=2026-02-01&to=2026-02-01", 422, "from", "empty_range"),
        ("from=February", 400, "from", "invalid"),
        ("group_by=weather", 422, "group_by", "unknown_dimension"),
        ("group_by=sale__customer__city", 422, "group_by", "unknown_dimension"),
        ("group_by=store,weather", 422, "group_by", "unknown_dimension"),
        ("group_by=store,buyer&as_of=2999-01-01", 422, "as_of", "not_stored"),
        ("line=rumour", 422, "line", "unknown_line"),
        ("version=one", 400, "version", "invalid"),
        ("version=0", 400, "version", "invalid"),
        ("grane=week", 400, "grane", "invalid"),
    ],
)
def test_a_wrong_question_is_named(reader, query, status, place, code):
    response = reader.get(f"metrics/sales/values?{query}")

    assert response.status_code == status, response.json()
    problem = response.json()["details"]["problems"][0]
    assert (problem["place"], problem["code"]) == (place, code)


def test_a_version_that_is_not_there(reader):
    response = reader.get("metrics/sales/values?version=9")

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_live_question_that_nobody_answers_in_time(reader, settings):
    settings.LIVE_SECONDS = 0.2

    response = reader.get("metrics/sales/values?grain=week&group_by=store,buyer")

    assert (response.status_code, response.json()["code"]) == (503, "source_too_slow")


def test_the_dimensions_and_which_are_stored(reader):
    body = reader.get("metrics/sales/dimensions").json()

    assert {"name": "store", "is_stored": True} in body["dimensions"]
    assert {"name": "buyer", "is_stored": False} in body["dimensions"]


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_the_sql_for_a_dialect(reader, dialect):
    query = f"dialect={dialect}&grain=week&group_by=store&from=2026-01-05&to=2026-02-02"
    body = reader.get(f"metrics/sales/sql?{query}").json()

    assert body["dialect"] == dialect
    assert "shop.orders" in body["sql"].replace('"', "")
    assert (body["from"], body["version"]) == ("2026-01-05", 1)


@pytest.mark.parametrize(
    ("query", "status", "place"),
    [
        ("dialect=cobol", 400, "dialect"),
        ("group_by=weather", 422, "group_by"),
        ("grain=week&from=2026-01-06&to=2026-01-08", 422, "from"),
        ("grain=fortnight", 422, "grain"),
    ],
)
def test_sql_that_cannot_be_written(reader, query, status, place):
    response = reader.get(f"metrics/sales/sql?{query}")

    assert response.status_code == status
    assert response.json()["details"]["problems"][0]["place"] == place


def test_a_backfill_is_paused_resumed_and_cancelled(shop):
    shop.publish("sales", sales_spec(expression="amount * 3"), treatment="restate")
    run = shop.plan("sales")
    boss = _admin()
    at = f"backfills/{run.pk}"

    assert boss.post(f"{at}/pause").json()["status"] == "paused"
    assert boss.post(f"{at}/resume").json()["status"] in ("planned", "running")
    assert boss.post(f"{at}/cancel").json()["status"] == "cancelled"
    again = boss.post(f"{at}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "wrong_state")
    assert boss.post("backfills/0/pause").status_code == 404


def _admin() -> Caller:
    return Caller(make_user("root", everywhere=[Role.ADMIN, Role.STEWARD]))


def test_who_may_not_operate_is_told_why(reader):
    stranger = Caller(make_user("eve"))
    number = reader.get("backfills").json()["results"][0]["id"]

    response = stranger.post(f"backfills/{number}/pause")

    assert (response.status_code, response.json()["code"]) == (403, "not_allowed")
