"""The page that computes a range again: its plan, its start, and every state that it has."""

from datetime import date, timedelta

from django.test import Client

from catalog.models import Metric
from measurement.choices import Purpose
from measurement.models import Backfill
from measurement.services.turns import work_off
from tests.measurement.catalog import sales_spec

PAGE = "/metrics/sales/compute"


def _form(**other) -> dict:
    days = {"first": "2026-01-12", "last": "2026-01-14", "reason": "The till was wrong."}
    return {**days, "dimensions": ["store"], **other}


def _pin(client) -> str:
    text = client.get(PAGE).content.decode()
    return text.partition('name="pin" value="')[2].partition('"')[0]


def test_the_last_days_are_in_the_form_and_their_plan_below(cem):
    page = cem.get(PAGE).content.decode()

    assert 'value="2026-02-08"' in page
    assert "By v1, which is official there." in page
    assert "The total and by store." in page
    assert "rows of the source in 1 window." in page


def test_another_range_is_planned_in_the_panel_alone(cem):
    asked = {"first": "2026-01-12", "last": "2026-01-14"}

    panel = cem.get(PAGE, asked, headers={"HX-Request": "true"}).content.decode()

    assert "3 days" in panel
    assert "Left out: store." in panel
    assert "<html" not in panel


def test_a_range_that_cannot_be_is_said_in_the_panel(cem):
    asked = {"first": "2026-01-12", "last": "2026-01-11"}

    panel = cem.get(PAGE, asked, headers={"HX-Request": "true"}).content.decode()

    assert "it ends before it begins" in panel
    assert 'name="pin"' not in panel


def test_the_run_starts_with_the_plan_that_was_shown(cem, shop):
    answer = cem.post(PAGE, _form(pin=_pin(cem)))

    run = Backfill.objects.latest("pk")
    assert answer["Location"] == f"/backfills/{run.pk}"
    assert (run.purpose, run.start, run.until) == (
        Purpose.MANUAL,
        date(2026, 1, 12),
        date(2026, 1, 15),
    )
    assert (run.actor_id, run.reason) == (shop.steward.pk, "The till was wrong.")


def test_a_plan_that_is_not_true_any_more_is_shown_anew_with_what_was_written(cem, shop):
    pin = _pin(cem)
    shop.publish("sales", sales_spec(expression="amount * 3"), treatment="restate")
    work_off(shop.plan("sales"))
    runs = Backfill.objects.count()

    answer = cem.post(PAGE, _form(pin=pin))

    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Look at the plan again" in page
    assert "By v2, which is official there." in page
    assert "The till was wrong." in page
    assert Backfill.objects.count() == runs
    assert cem.post(PAGE, _form(pin=_pin(cem))).status_code == 302


def test_a_reason_is_asked_for_and_the_plan_stays(cem):
    runs = Backfill.objects.count()

    answer = cem.post(PAGE, _form(reason=""))

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Say why the range is computed again." in page
    assert "By v1, which is official there." in page
    assert Backfill.objects.count() == runs


def test_without_script_the_plan_is_shown_by_a_button(cem):
    runs = Backfill.objects.count()

    answer = cem.post(PAGE, _form(reason="", only_plan="1", dimensions=[]))

    assert answer.status_code == 200
    assert "Left out: store." in answer.content.decode()
    assert Backfill.objects.count() == runs


def test_days_that_nobody_can_read_are_refused_where_they_stand(cem):
    answer = cem.post(PAGE, _form(first="soon", last=str(date.max)))

    assert answer.status_code == 422
    assert "Write a day like 2026-03-31." in answer.content.decode()


def test_who_may_not_start_it_is_told_who_may(shop):
    client = Client()
    client.force_login(shop.author)

    page = client.get(PAGE)

    assert page.status_code == 200
    assert "Only owners and stewards of Sales, and admins" in page.content.decode()
    assert "Start the run" not in page.content.decode()
    assert client.post(PAGE, _form()).status_code == 403
    assert "Compute a range again" not in client.get("/metrics/sales/checks").content.decode()


def test_the_checks_of_a_metric_lead_there(cem):
    assert f'href="{PAGE}"' in cem.get("/metrics/sales/checks").content.decode()


def test_without_values_there_is_nothing_to_compute_again(cem, shop):
    shop.publish("buyers", sales_spec(aggregation="count_distinct", expression="customer"))

    page = cem.get("/metrics/buyers/compute").content.decode()

    assert "Nothing to compute again" in page
    assert cem.post("/metrics/buyers/compute", _form()).status_code == 422


def test_datasets_are_not_computed(cem):
    assert cem.get("/metrics/orders/compute").status_code == 404


def test_the_range_reaches_the_values(cem, shop):
    metric = Metric.objects.get(key="sales")
    before = metric.revision

    cem.post(PAGE, _form())
    run = work_off(Backfill.objects.latest("pk"))

    assert run.status == "done"
    assert run.until - run.start == timedelta(days=3)
    metric.refresh_from_db()
    # The source holds what it held: no value moved, so nothing changed for readers.
    assert (metric.revision, run.result["closed"]) == (before, 0)
