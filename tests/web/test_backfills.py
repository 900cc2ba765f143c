"""The list of runs by pages and filters; what is done to one on its page, and how it renews."""

import re

import pytest
from django.test import Client

from accounts.choices import Role
from accounts.models import RoleGrant
from catalog.models import Metric, Ownership
from core.models import AuditEvent
from measurement.choices import BackfillStatus, Purpose
from measurement.models import Backfill, StagedValue
from measurement.services.backfills import cancel_backfill
from measurement.services.turns import take_turn, work_off
from tests.measurement import company as shop_of
from tests.measurement.catalog import buyers_spec
from tests.web.conftest import make_person, violations
from web.views import backfills as views


def _shown(client, asked: str = "") -> list[int]:
    """The runs of a page of the list, in order."""
    page = client.get(f"/backfills{asked}").content.decode()
    return [int(pk) for pk in re.findall(r'href="/backfills/(\d+)"', page)]


def _link(client, asked: str, rel: str) -> str:
    page = client.get(f"/backfills{asked}").content.decode()
    found = re.search(rf'rel="{rel}"\s+href="/?(\?[^"]*)"', page)
    return found.group(1).replace("&amp;", "&") if found else ""


@pytest.fixture
def held(shop, tmp_path, settings):
    """A run that a check holds back: the newest row is ten days older than it may be."""
    settings.CHECK_SECONDS = 0
    shop_of.write(tmp_path / "shop", shop_of.orders(30))
    run = work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.steward))
    assert run.status == BackfillStatus.HELD
    return run


# --- the list ----------------------------------------------------------------------------------


def test_older_runs_are_on_further_pages_and_none_is_lost(cem, shop, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 3)
    for _ in range(6):
        cancel_backfill(shop.plan("sales", purpose=Purpose.DAILY), actor=None)
    every = list(Backfill.objects.order_by("-pk").values_list("pk", flat=True))

    seen, asked = [], ""
    while True:
        seen += _shown(cem, asked)
        asked = _link(cem, asked, "next")
        if not asked:
            break
        # What is planned meanwhile moves no page.
        cancel_backfill(shop.plan("sales", purpose=Purpose.DAILY), actor=None)

    assert seen == every
    assert not _link(cem, "", "first")


def test_a_page_goes_back_to_the_newest(cem, shop, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 1)
    shop.plan("sales", purpose=Purpose.DAILY)

    older = _link(cem, "?show=", "next")

    assert "cursor" not in _link(cem, older, "first")


def test_a_cursor_of_another_list_begins_anew(cem, shop, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 1)
    shop.plan("sales", purpose=Purpose.DAILY)
    cursor = _link(cem, "", "next")

    answer = cem.get(f"/backfills{cursor}&purpose=daily")

    assert (answer.status_code, answer["Location"]) == (302, "/backfills?purpose=daily")


def test_previews_are_shown_when_they_are_asked_for(cem, shop):
    preview = shop.plan("sales", purpose=Purpose.PREVIEW)

    assert preview.pk not in _shown(cem)
    assert _shown(cem, "?purpose=preview") == [preview.pk]
    assert preview.pk in _shown(cem, "?purpose=all")
    assert _shown(cem, "?purpose=rubbish") == _shown(cem)


def test_runs_of_a_metric_by_key_or_words(cem, shop):
    shop.publish("buyers", buyers_spec())
    buyers = shop.plan("buyers")

    assert _shown(cem, "?metric=buyers") == [buyers.pk]
    assert _shown(cem, "?metric=Buy") == [buyers.pk]
    assert buyers.pk not in _shown(cem, "?metric=sales")
    assert _shown(cem, "?metric=nothing") == []
    assert "No run is like that" in cem.get("/backfills?metric=nothing").content.decode()


def test_who_answers_for_the_metric_is_led_to_computing_a_range(cem, shop):
    link = 'href="/metrics/sales/compute"'
    reader = Client()
    reader.force_login(shop.author)

    assert link in cem.get("/backfills?metric=sales").content.decode()
    assert link not in cem.get("/backfills").content.decode()
    assert link not in reader.get("/backfills?metric=sales").content.decode()


def test_what_is_stuck_says_why_in_the_list(cem, held):
    assert _shown(cem, "?show=stuck") == [held.pk]
    page = cem.get("/backfills?show=stuck").content.decode()
    assert "Freshness of Orders: The newest row is from" in page


def test_the_list_costs_the_same_however_many_runs_there_are(
    cem, shop, django_assert_max_num_queries
):
    for _ in range(20):
        shop.plan("sales", purpose=Purpose.DAILY)

    with django_assert_max_num_queries(12):
        cem.get("/backfills?metric=sales")


# --- one run -------------------------------------------------------------------------------------


def test_a_held_run_says_why_and_a_steward_releases_it_with_a_reason(cem, held):
    page = cem.get(f"/backfills/{held.pk}").content.decode()
    assert "Held back by a check" in page
    assert "Freshness of Orders: The newest row is from" in page

    answer = cem.post(f"/backfills/{held.pk}/release", {"reason": "The shop was closed."})

    assert answer["Location"] == f"/backfills/{held.pk}"
    work_off(held)
    assert held.status == BackfillStatus.DONE
    event = AuditEvent.objects.get(action="backfill.release")
    assert (event.actor_label, event.via, event.reason) == ("Cem", "web", "The shop was closed.")


def test_a_release_without_a_reason_asks_for_it_again(cem, held):
    answer = cem.post(f"/backfills/{held.pk}/release", {"reason": " "})

    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Say why the values may be shown although a check failed." in page
    assert 'id="ask"' in page
    held.refresh_from_db()
    assert (held.status, held.checks_waived) == (BackfillStatus.HELD, False)


@pytest.mark.parametrize("who", ["viewer", "owner"])
def test_a_release_is_for_stewards(shop, held, who):
    person = make_person("ben")
    RoleGrant.objects.create(user=person, role=Role.VIEWER)
    if who == "owner":
        metric = Metric.objects.get(key="sales")
        Ownership.objects.create(entry=metric, user=person, role="owner")
    client = Client()
    client.force_login(person)

    page = client.get(f"/backfills/{held.pk}").content.decode()

    assert "Only a steward may let a run go on that a check holds back." in page
    assert 'data-dialog="ask-release"' not in page
    assert ('data-dialog="ask-cancel"' in page) == (who == "owner")
    refused = client.post(f"/backfills/{held.pk}/release", {"reason": "Please."})
    assert refused.status_code == 403
    held.refresh_from_db()
    assert held.status == BackfillStatus.HELD


def test_without_script_a_cancel_is_asked_on_the_page(cem, held):
    page = cem.get(f"/backfills/{held.pk}?ask=cancel").content.decode()
    assert page.index('id="ask"') < page.index('id="run"')
    assert "Cancel this run for good?" in page

    cem.post(f"/backfills/{held.pk}/cancel")

    held.refresh_from_db()
    assert held.status == BackfillStatus.CANCELLED
    assert not StagedValue.objects.exists()
    page = cem.get(f"/backfills/{held.pk}?ask=cancel").content.decode()
    assert "Cancel this run for good?" not in page


def test_a_run_that_was_cancelled_before_it_began_does_not_say_that_all_was_there(cem, shop):
    run = cancel_backfill(shop.plan("sales", purpose=Purpose.DAILY), actor=None)

    page = cem.get(f"/backfills/{run.pk}").content.decode()

    assert "There was nothing to compute" not in page
    assert "0 values computed" in page


# --- in a browser ---------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_page_that_renews_itself_takes_nothing_from_its_reader(shop, open_page, settings):
    settings.WINDOW_SOURCE_ROWS = 4
    run = shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.steward)
    take_turn(run.pk, seconds=0)
    page = open_page(f"/backfills/{run.pk}", user=shop.steward)
    page.locator("#move-pause").focus()
    page.evaluate("document.querySelector('#window-box').scrollTop = 200")
    kept = page.evaluate("document.querySelector('#window-box').scrollTop")
    assert kept > 0

    take_turn(run.pk, seconds=0)
    page.locator(".progress-line", has_text="2 of ").wait_for()

    assert page.evaluate("document.activeElement.id") == "move-pause"
    assert page.evaluate("document.querySelector('#window-box').scrollTop") == kept

    page.locator("[data-dialog=ask-cancel]").click()
    take_turn(run.pk, seconds=0)
    page.locator(".progress-line", has_text="3 of ").wait_for(state="attached")
    assert page.locator("#ask-cancel").is_visible()
    assert violations(page) == []
    page.locator("#ask-cancel [type=submit]").click()
    page.locator(".badge", has_text="Cancelled").first.wait_for()
    run.refresh_from_db()
    assert run.status == BackfillStatus.CANCELLED


@pytest.mark.browser
def test_a_reason_can_be_written_while_the_run_is_looked_at(held, shop, open_page):
    page = open_page(f"/backfills/{held.pk}", user=shop.steward)
    page.locator("[data-dialog=ask-release]").click()
    page.locator("#ask-release textarea").press_sequentially("The shop was closed.", delay=150)

    page.locator("#ask-release [type=submit]").click()

    page.locator(".badge", has_text="Planned").first.wait_for()
    assert AuditEvent.objects.get(action="backfill.release").reason == "The shop was closed."
