"""Beginning something new on the page *Propose*: a metric, a dataset from a table, a segment."""

import pytest

from governance.models import ChangeRequest
from governance.services.submitting import submit
from measurement.models import TableLook
from measurement.services import looks
from tests import factories
from tests.web.conftest import signed_in, text_of
from web.starts import key_of

COLUMNS = {"id": "INTEGER", "seen_on": "DATE", "page": "VARCHAR", "two words": "INTEGER"}


@pytest.fixture
def ana(company):
    return signed_in(company.ana)


@pytest.fixture
def answered(monkeypatch):
    """A worker whose answer is there as soon as its doorbell rings."""

    def ring(task, pk):
        if task != "measurement.tasks.look_at_table":
            return
        look = TableLook.objects.get(pk=pk)
        columns = list(COLUMNS.items()) if look.table == "shop.visits" else []
        look.found = {"columns": columns, "tables": [] if columns else ["shop.visits"]}
        look.save()

    monkeypatch.setattr(looks.jobs, "ring", ring)


def latest() -> ChangeRequest:
    return ChangeRequest.objects.latest("pk")


def new(kind, **fields):
    return {"new": kind, "name": "Page visits", "domain": "sales", "tier": "reviewed", **fields}


def test_a_dataset_begins_with_what_its_table_says(ana, company, answered):
    answer = ana.post("/changes/new", new("dataset", source="shop", table="shop.visits"))

    change = latest()
    assert answer["Location"] == f"/changes/{change.pk}/edit"
    (item,) = change.draft.content["items"]
    assert (item["kind"], item["key"]) == ("dataset", "page_visits")
    assert item["spec"]["relation"] == {"kind": "table", "name": "shop.visits"}
    assert [column["name"] for column in item["spec"]["columns"]] == ["id", "seen_on", "page"]
    assert item["spec"]["time_dimension"] == "seen_on"
    page = text_of(ana.get(answer["Location"]))
    assert "- {name: seen_on, type: date}\n" in page
    assert "cannot name them as they are written: two words." in page
    assert submit(change, lock=1, actor=company.ana)


def test_a_segment_begins_with_its_rows(ana, company):
    form = new("segment", name="Northern", dataset="orders", filter=" store = 'north' ")

    answer = ana.post("/changes/new", form)

    change = latest()
    (item,) = change.draft.content["items"]
    assert (item["kind"], item["key"]) == ("segment", "northern")
    assert item["spec"] == {"type": "segment", "dataset": "orders", "filter": "store = 'north'"}
    page = text_of(ana.get(answer["Location"]))
    assert "store = 'north'</textarea>" in page
    typed = {"item": "northern", "lock": 1, "dataset": "orders", "filter": "store = 'south'"}
    ana.post(f"/changes/{change.pk}/draft", typed)
    change.draft.refresh_from_db()
    assert change.draft.content["items"][0]["spec"]["filter"] == "store = 'south'"
    assert submit(change, lock=2, actor=company.ana)


def test_a_metric_begins_with_its_type(ana):
    ana.post("/changes/new", new("metric", type="cumulative", tier="local"))

    (item,) = latest().draft.content["items"]
    assert (item["kind"], item["spec"]["type"]) == ("metric", "cumulative")
    assert item["stewardship"]["tier"] == 9


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (new("metric", key="Net Sales"), "“Net Sales” is no key. Write small letters"),
        (new("metric", name="数"), "“” is no key."),
        (
            new("segment", key="net_sales"),
            "“net_sales” exists already: Net sales. Choose another key",
        ),
        (new("dataset", source="nowhere", table="t"), "Which source is read? Choose one."),
        (
            new("dataset", source="shop", table="shop.visit"),
            "The source `shop` has no table `shop.visit`. Did you mean `shop.visits`?",
        ),
        (
            new("dataset", source="shop", table="x; drop"),
            "“x; drop” is no name of a table. Write it like shop.orders.",
        ),
        (new("segment", filter="store = 'n'"), "Of which rows is it a part? Choose a dataset."),
        (
            new("segment", dataset="orders", filter="stroe = 'n'"),
            "There is no dimension `stroe`. Did you mean `store`?",
        ),
        (new("segment", dataset="orders", filter=""), "Which rows are in it?"),
    ],
)
def test_what_cannot_be_begun_says_why_and_keeps_what_was_typed(ana, answered, form, message):
    before = ChangeRequest.objects.count()

    answer = ana.post("/changes/new", form)

    assert answer.status_code == 422
    page = text_of(answer)
    assert message in page.replace("<code>", "`").replace("</code>", "`")
    assert f'value="{form["name"]}"' in page
    for field in ("table", "filter", "key"):
        assert form.get(field, "") in page
    assert ChangeRequest.objects.count() == before


def test_a_source_that_does_not_answer_loses_nothing(ana, settings):
    settings.LIVE_SECONDS = 0.1

    answer = ana.post("/changes/new", new("dataset", source="shop", table="shop.visits"))

    assert answer.status_code == 503
    assert "Try again in a while." in text_of(answer)
    assert 'value="shop.visits"' in text_of(answer)


@pytest.mark.parametrize("kind", ["metric", "dataset", "segment", "nonsense"])
def test_each_kind_has_its_form(ana, kind):
    page = text_of(ana.get(f"/changes/new?new={kind}"))

    shown = kind if kind != "nonsense" else "metric"
    assert f'name="new" value="{shown}"' in page
    assert ('id="n-table"' in page) == (shown == "dataset")
    assert ('id="n-filter"' in page) == (shown == "segment")


def test_a_key_is_made_from_a_name():
    assert key_of("Café sales (net), 28 d") == "cafe_sales_net_28_d"
    assert key_of("x" * 90) == "x" * 63


def test_what_can_be_changed_is_listed_by_name_and_says_when_there_is_more(company, ana):
    items = [
        factories.make_item(
            f"late_{n:02}",
            {**factories.NET_SALES, "expression": f"amount + {n}"},
            words={"name": f"{'ZA'[n % 2]} late {n:02}"},
        )
        for n in range(30)
    ]
    factories.published(*items, author=company.ana, by=[company.cem])

    page = ana.get("/changes/new")
    shown = [entry.name for entry in page.context["entries"]]

    assert len(shown) == 30
    assert shown == sorted(shown)
    assert "There are more: type a part of the name above." in page.content.decode()
    found = ana.get("/changes/new", {"q": "late_29"})
    assert [entry.key for entry in found.context["entries"]] == ["late_29"]
    assert "There are more" not in found.content.decode()
