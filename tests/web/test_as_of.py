"""A metric at any instant of its history: the page, the API, and its values as table and CSV."""

import csv
import html
import re
from datetime import UTC, date
from io import StringIO

import pytest
from django.db import transaction

from accounts.models import User
from catalog.models import Metric
from catalog.services.cards import CardChange, apply_to_cards
from catalog.stewardship import Stewardship
from measurement.services.serving import database_time
from measurement.services.turns import work_off
from measurement.warehouses import close_sources
from tests.measurement import company
from tests.measurement.catalog import Shop, orders_spec, sales_spec
from tests.measurement.conftest import NOON
from tests.web.conftest import line_of, signed_in
from web import formatting

WEEK = date(2026, 1, 5)


@pytest.fixture
def shop(committed_db, tmp_path, settings):
    settings.ETALON_NOW = NOON
    company.write(tmp_path / "shop", company.orders(40))
    company.make_source(tmp_path / "shop")
    yield Shop()
    close_sources()


@pytest.fixture
def reader(shop):
    return signed_in(shop.author)


def steward(target: int, owner: str, **more) -> None:
    kept = Stewardship(domain="sales", owners=[owner], target=target, **more)
    author = User.objects.get(username="ana")
    with transaction.atomic():
        apply_to_cards([CardChange("sales", kept)], actor=author, reason="As the test says.")


@pytest.fixture
def history(shop):
    """Three versions; an instant behind each step, and what was known then: version, expression,
    target, owner, and the version and the factor of the values."""
    User.objects.create_user("ben", full_name="Ben Cole")
    told = {}

    def note(name: str, *known) -> None:
        told[name] = (database_time(), known)

    shop.publish("sales", sales_spec())
    steward(300, "ana")
    work_off(shop.plan("sales"))
    note("first", 1, "amount", 300, "Ana Ruiz", 1, 1)
    shop.publish("sales", sales_spec(expression="amount * 2"), treatment="restate")
    note("before its values", 2, "amount * 2", 300, "Ana Ruiz", 1, 1)
    work_off(shop.plan("sales"))
    note("second", 2, "amount * 2", 300, "Ana Ruiz", 2, 2)
    steward(100, "ben")
    note("another owner", 2, "amount * 2", 100, "Ben Cole", 2, 2)
    shop.publish("sales", sales_spec(expression="amount * 3"), treatment="restate")
    work_off(shop.plan("sales"))
    note("third", 3, "amount * 3", 100, "Ben Cole", 3, 3)
    return told


def written(instant) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"


def weeks_total() -> float:
    rows = [row for row in company.orders(40) if 0 <= (row.day - WEEK).days < 7]
    return float(sum(row.amount for row in rows))


def test_each_instant_has_its_definition_card_and_values(history, reader):
    for name, (instant, known) in history.items():
        number, expression, target, owner, served, factor = known
        as_of = written(instant)

        metric = reader.get(f"/api/v1/metrics/sales?as_of={as_of}").json()
        assert metric["version"] == metric["in_force"]["number"] == number, name
        assert metric["in_force"]["spec"]["expression"] == expression, name
        assert metric["resolution"]["version"] == number, name
        assert metric["served"]["version"] == served, name
        assert metric["owners"] == [owner.split()[0].lower()], name
        assert metric["stewardship"]["owners"] == metric["owners"], name
        assert float(metric["stewardship"]["target"]) == target, name
        assert metric["health"] is metric["state"] is None

        address = f"/api/v1/metrics/sales/values?grain=week&as_of={as_of}"
        points = reader.get(address).json()["points"]
        assert {point["version"] for point in points} == {served}, name
        assert points[0]["value"] == pytest.approx(weeks_total() * factor), name

        page = reader.get(f"/metrics/sales?as_of={as_of}&range=all").content.decode()
        assert re.search(rf"As it was on .*?: v{number}\.", page), name
        assert f"<code>{expression}</code>" in re.sub(r"\s*\n\s*", "", page), name
        assert f"Owned by {owner}" in page, name
        assert 'href="/metrics/sales">Back to now</a>' in page
        assert 'value="sales"' not in page, "nothing is proposed in the past"
        assert_table_is_csv(reader, f"as_of={as_of}&range=all", served)

        tab = reader.get(f"/metrics/sales/history?as_of={as_of}").content.decode()
        assert re.findall(r'<h2 id="v(\d)"', tab) == [str(n) for n in range(number, 0, -1)], name

    now = reader.get("/metrics/sales").content.decode()
    assert "As it was on …" not in now.replace("As it was on…", "")
    assert "Owned by Ben Cole" in now


def assert_table_is_csv(reader, query: str, version: int | None = None) -> None:
    """The table of a page and the CSV that it links to say the same, row by row."""
    page = reader.get(f"/metrics/sales?{query}").content.decode()
    (link,) = re.findall(r'href="([^"]+)"\s+download', page)
    answer = reader.get(html.unescape(link))
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    body = re.search(r"<table[^>]+data-values>.*?<tbody>(.*?)</tbody>", page, re.S)[1]
    shown = []
    for row in re.findall(r"<tr>(.*?)</tr>", body, re.S):
        cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)
        texts = [html.unescape(re.sub(r"<[^>]+>|\s+", " ", cell)).split() for cell in cells]
        shown.append([" ".join(text) for text in texts])
    name = next(iter(set(rows[0]) & {f"sales@{n}" for n in (1, 2, 3)}))
    member = [column for column in ("store",) if column in rows[0]]
    unit = {"kind": "unitless", "code": "", "decimals": 2}
    expected = []
    for row in rows:
        label = formatting.period(date.fromisoformat(row["period"]), "week")
        expected.append(
            [
                label if row["complete"] == "yes" else f"{label} not over",
                *[row[column] or "None" for column in member],
                formatting.with_unit(row[name] or None, unit),
                row["line"],
                f"v{row['version']}",
                row["run"],
            ]
        )
    assert rows
    assert sorted(expected) == sorted(row[:-1] for row in shown)
    assert [row["period"] for row in rows] == sorted(row["period"] for row in rows)
    if version is not None:
        assert {row["version"] for row in rows} == {str(version)}


def test_the_csv_is_the_table(history, reader):
    for query in ("", "by=store", "line=reported", "range=13w&grain=week"):
        assert_table_is_csv(reader, query)

    page = reader.get("/metrics/sales@1").content.decode()
    assert "/metrics/sales.csv?version=1" in page
    answer = reader.get("/metrics/sales.csv?version=1")
    rows = list(csv.DictReader(StringIO(answer.content.decode())))
    assert {row["version"] for row in rows} == {"1"}
    assert float(rows[0]["sales@1"]) == pytest.approx(weeks_total())


def test_people_are_shown_by_their_names(shop, reader):
    User.objects.create_user("ben", full_name="Ben Cole")
    shop.publish("sales", sales_spec())
    steward(300, "ana", backups=["ben"], stewards=["ben"])

    page = re.sub(r"\s+", " ", reader.get("/metrics/sales").content.decode())

    for label, name in (("Owners", "Ana Ruiz"), ("Backups", "Ben Cole"), ("Stewards", "Ben Cole")):
        assert f"<dt>{label}</dt> <dd> {name} </dd>" in page, label


def test_a_run_that_failed_is_said_on_the_page(shop, reader):
    shop.publish("sales", sales_spec())
    run = shop.plan("sales")
    assert Metric.objects.get(key="sales").served_resolution is None
    assert "No values yet" in reader.get("/metrics/sales").content.decode()
    run.status, run.error = "failed", "The warehouse was away."
    run.save()

    page = reader.get("/metrics/sales").content.decode()

    assert "The last computation failed." in page
    assert "The warehouse was away." in page
    assert f'href="/backfills/{run.pk}"' in page


def test_a_version_whose_day_has_not_come_is_announced(shop, reader):
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    assert "takes effect" not in line_of(reader.get("/metrics/sales"))

    later = sales_spec(filters=["store = 'north'"])
    shop.publish("sales", later, treatment="restate", effective_from=date(2026, 2, 20))
    work_off(shop.plan("sales"))

    page = line_of(reader.get("/metrics/sales"))
    assert "v2 takes effect on <time" in page
    assert "20 Feb 2026</time>. Until then the numbers are those of what was in force" in page
    assert page.count("takes effect") == 1


def test_a_mark_leads_to_what_changed_below(shop, reader):
    metric = shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    shop.publish("orders", orders_spec(relation={"kind": "table", "name": "shop.northern"}))
    shop.offer("northern", "SELECT * FROM shop.orders WHERE store = 'north'")
    metric.current_resolution = shop.resolve(metric, metric.current_version)
    metric.save()
    work_off(shop.plan("sales"))

    page = line_of(reader.get("/metrics/sales"))

    assert "orders v2 in effect" in page
    assert 'href="/metrics/orders/history"' in page
    assert reader.get("/metrics/orders/history").status_code == 200
