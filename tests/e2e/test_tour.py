"""The tour of the README, by two people in a browser, with real workers on real files.

Ana proposes to count only one store, sees what that does to the past and submits; Ben approves
exactly that revision in the admin; a worker publishes and computes it; everybody reads it.
"""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from django.conf import settings as django_settings

from accounts.choices import Role
from accounts.models import RoleGrant, User
from accounts.services import create_token
from catalog.models import Metric
from governance.models import ChangeRequest
from governance.services.approval_policies import seed_default_policies
from measurement.models import Backfill
from measurement.services.turns import work_off
from tests import factories
from tests.measurement import company
from tests.measurement.catalog import orders_spec, sales_spec
from tests.web.conftest import PASSWORD, violations

pytestmark = [pytest.mark.browser, pytest.mark.slow]
NOON = datetime(2026, 2, 14, 12, tzinfo=UTC)
SHOTS = Path(django_settings.BASE_DIR) / "test-results" / "tour"


@pytest.fixture
def world(committed_db, tmp_path, settings):
    """The small shop, with net sales of tier 3 published and computed."""
    settings.ETALON_NOW = NOON
    folder = tmp_path / "shop"
    company.write(folder, company.orders(40))
    company.make_source(folder)
    domain = factories.make_domain("sales")
    people = {}
    for name, role in (("ana", Role.CONTRIBUTOR), ("ben", Role.REVIEWER), ("cem", Role.STEWARD)):
        person = User.objects.create_user(
            name, password=PASSWORD, full_name=name.title(), is_staff=role != Role.CONTRIBUTOR
        )
        RoleGrant.objects.create(user=person, role=role, domain=domain)
        people[name] = person
    seed_default_policies()
    factories.published(
        factories.make_item("orders", orders_spec().model_dump(mode="json")),
        factories.make_item(
            "net_sales", sales_spec().model_dump(mode="json"), stewardship={"tier": 3}
        ),
        author=people["ana"],
        by=[people["cem"]],
    )
    for run in Backfill.objects.filter(purpose="publish"):
        work_off(run)
    return people


class Person:
    """Somebody in a browser of their own."""

    def __init__(self, chrome, base_url: str, name: str):
        self.context = chrome.new_context(
            base_url=base_url, viewport={"width": 1440, "height": 950}
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda said: self.complaints.append(said.text) if said.type == "error" else None,
        )
        self.page.goto("/sign-in")
        self.page.fill("[name=username]", name)
        self.page.fill("[name=password]", PASSWORD)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url("**/")

    def look(self, name: str) -> None:
        """Check the page against WCAG and take its picture in light, dark and at phone width."""
        assert violations(self.page) == [], name
        SHOTS.mkdir(parents=True, exist_ok=True)
        for look, scheme, width in (("light", "light", 1440), ("dark", "dark", 1440)):
            self.page.emulate_media(color_scheme=scheme)
            self.page.set_viewport_size({"width": width, "height": 950})
            self.page.screenshot(path=SHOTS / f"{name}-{look}.png", full_page=True)
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 360, "height": 800})
        overflow = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} is wider than a phone by {overflow} px"
        self.page.screenshot(path=SHOTS / f"{name}-phone.png", full_page=True)
        self.page.set_viewport_size({"width": 1440, "height": 950})


def test_two_people_change_what_a_number_means(rig, world, chrome):
    rig.start("web", "worker:default", "worker:backfill", env={"ETALON_NOW": NOON.isoformat()})
    before = {point["period"]: point["value"] for point in _values(rig, world["ana"])}

    # Ana proposes, from the metric's page.
    ana = Person(chrome, rig.base_url, "ana")
    ana.page.goto("/metrics/net_sales")
    ana.look("metric")
    ana.page.get_by_role("button", name="Propose a change").click()
    ana.page.wait_for_url(re.compile(r"/changes/\d+/edit"))
    ana.page.locator(".field:has(#filters) .cm-content").click()
    ana.page.keyboard.type("store = 'north'")

    # The draft saves itself, and the page says what it amounts to.
    live = ana.page.locator("#live")
    live.get_by_text("Filter added: store is north").wait_for(timeout=60_000)
    foot = ana.page.get_by_role("region", name="Draft", exact=True)
    foot.get_by_text("1 approval, because Restating + Tier 3").wait_for()

    # She sees what it does to the past, computed by a worker, before she says why and how.
    live.get_by_role("button", name="Run preview").click()
    live.get_by_text(re.compile("Past values fall by .* on average")).wait_for(timeout=60_000)
    headline = live.get_by_text(re.compile("Past values fall by")).first.inner_text()
    # Its chart was swapped in, and is walked by keys like one that came with the page.
    live.locator(".chart-plot").first.press("ArrowRight")
    live.locator(".chart-tip dd").first.wait_for()
    ana.page.fill("#reason", "Only the northern store is ours since January.")
    ana.page.check("input[name=treatment][value=restate]")
    ana.look("editor")
    ana.page.get_by_role("button", name="Submit for review").click()
    ana.page.wait_for_url(re.compile(r"/changes/\d+$"))
    ana.page.get_by_text("Authors cannot review their own change.").wait_for()
    ana.look("request")
    change = ChangeRequest.objects.latest("pk")

    # Ben approves exactly that revision, in the admin.
    ben = Person(chrome, rig.base_url, "ben")
    ben.page.goto(f"/admin/governance/changerequest/{change.pk}/change/")
    assert headline.split("net_sales")[0].strip() in ben.page.inner_text("body")
    ben.look("decide")
    ben.page.get_by_role("button", name="Approve r1").click()

    # A worker publishes it, another computes it; readers then see all of it.
    rig.wait(lambda: _status(change) == "published", 180, what="the request was published")
    rig.wait(lambda: _serves_newest("net_sales"), 180, what="the new values were switched in")
    after = {point["period"]: point for point in _values(rig, world["ana"])}
    north = {
        day.isoformat(): value for day, value in _north_by_day().items() if day.isoformat() in after
    }
    assert {day: after[day]["value"] for day in north} == north
    assert {point["version"] for point in after.values()} == {2}
    assert {day: value for day, value in before.items() if day in north} != north

    # The page of the metric says so, old and new can be compared, and nothing complained.
    ana.page.goto("/metrics/net_sales/compare?a=1&b=2")
    ana.page.get_by_text("Filter added: store is north").wait_for()
    ana.page.get_by_text(re.compile("Past values fall by")).first.wait_for()
    ana.look("compare")
    assert ana.complaints == []
    assert ben.complaints == []


def _status(change: ChangeRequest) -> str:
    return ChangeRequest.objects.values_list("status", flat=True).get(pk=change.pk)


def _serves_newest(key: str) -> bool:
    metric = Metric.objects.get(key=key)
    return (
        metric.current_version.number == 2
        and metric.served_resolution_id == metric.current_resolution_id
    )


def _values(rig, person) -> list[dict]:
    _, secret = create_token(person, name="tour", scopes=["read"], days=1, actor=person, via="test")
    answer = requests.get(
        f"{rig.base_url}/api/v1/metrics/net_sales/values?grain=day",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=30,
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["points"]


def _north_by_day() -> dict:
    """Sums of the northern store by day, worked out from the rows that the files were made of."""
    found: dict = {}
    for order in company.orders(40):
        if order.store == "north":
            found[order.day] = found.get(order.day, 0) + float(order.amount)
    return found
