"""The loaded example: made by the services of the product, and true to what is in its data."""

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.models import RoleGrant, User
from catalog.choices import EdgeKind
from catalog.models import Entry, HierarchyEdge, Metric, Version
from catalog.selectors.history import entry_as_of
from catalog.stewardship import stewardship_of
from core.errors import NotFound
from core.models import AuditEvent
from examples.company import Company
from examples.load import load
from examples.replay import FIRST_MONDAY
from examples.source import KEY
from governance.choices import Status, Verdict
from governance.models import ChangeRequest, Comment, Review, Revision
from governance.services.verification import verify
from measurement.choices import UNFINISHED
from measurement.models import Backfill, Check, Observation, Source
from measurement.plans import target_of_resolution
from measurement.previews import PreviewItem
from measurement.selectors.previews import preview_run
from measurement.selectors.values import read_values
from measurement.services.previews import request_preview
from measurement.services.turns import work_off
from semantics.definition import Grain, read_spec
from tests.examples.conftest import WHOLE_YEAR

COMPANY = Company()
WEEK_OF_24_JULY = WHOLE_YEAR.moved(date(2017, 7, 24))
WEEK_OF_22_MAY = WHOLE_YEAR.moved(date(2017, 5, 22))
WEEK_OF_18_DECEMBER = WHOLE_YEAR.moved(date(2017, 12, 18))

# One process loads the example for all of them.
pytestmark = pytest.mark.usefixtures("loaded")


def request_named(title: str) -> ChangeRequest:
    return ChangeRequest.objects.get(title=title)


def closure_of_version(number: int) -> dict:
    """The definitions of one version of net sales and of all that it stands on."""
    version = Version.objects.get(entry__key="net_sales", number=number)
    return dict(target_of_resolution(version.resolutions.order_by("number").last()).specs)


def test_net_sales_has_three_published_versions():
    versions = Version.objects.filter(entry__key="net_sales").order_by("number")

    told = [
        (
            version.number,
            version.change_class,
            version.treatment,
            version.definition.spec["expression"],
        )
        for version in versions
    ]
    assert told == [
        (1, "additive", "", "sales_value"),
        (2, "restating", "restate", "sales_value"),
        (3, "restating", "keep_both", "sales_value - coupon_disc"),
    ]
    assert [len(version.definition.spec["filters"]) for version in versions] == [0, 1, 1]


def test_each_instant_of_the_loaded_year_gives_what_was_known_by_its_own_clock():
    metric = Metric.objects.get(key="net_sales")
    versions = list(Version.objects.filter(entry=metric).order_by("number"))
    for version, following in zip(versions, [*versions[1:], None], strict=True):
        until = following.published_at if following else version.published_at + timedelta(days=20)
        for instant in (version.published_at, until - timedelta(seconds=1)):
            then = entry_as_of("net_sales", instant)
            assert then.version == version
            assert then.words.definition == version.words["definition"]
            assert then.owners == ["Ana Ruiz"]
        values = read_values(metric, grain=Grain.WEEK, as_of=until - timedelta(seconds=1))
        official = max(v.number for v in versions if v.effective_from < until.date())
        assert values.points[-1].version == min(official, version.number)
        assert values.points[-1].period_until <= until.date()
        assert len(values.points) > 2
        assert "loaded later" in values.note

    with pytest.raises(NotFound):
        entry_as_of("net_sales", versions[0].published_at - timedelta(seconds=1))


def test_gasoline_left_net_sales_and_baskets_in_one_request():
    request = request_named("Net sales and baskets without gasoline")

    assert [(change.key, str(change.version)) for change in request.changes.order_by("key")] == [
        ("baskets", "baskets@2"),
        ("net_sales", "net_sales@2"),
    ]
    assert request.revisions.count() == 2


def test_requests_ended_as_they_should():
    ends = dict(ChangeRequest.objects.values_list("title", "status"))

    assert ends.pop("Active households without gasoline") == Status.REJECTED
    assert ends.pop("Net sales without gift cards") == Status.IN_REVIEW
    assert set(ends.values()) == {Status.PUBLISHED}
    assert len(ends) == 8


def test_every_verdict_was_given_by_somebody_who_may_and_none_by_an_author():
    reviews = Review.objects.select_related("reviewer", "request__author")

    assert {review.reviewer.username for review in reviews} == {"ben", "cem", "hana"}
    assert all(review.reviewer != review.request.author for review in reviews)
    assert [
        (review.reviewer.username, review.verdict)
        for review in reviews.filter(
            request=request_named("Net sales and baskets without gasoline")
        )
    ] == [("ben", Verdict.REQUEST_CHANGES), ("ben", Verdict.APPROVE), ("cem", Verdict.APPROVE)]


def test_the_open_request_waits_for_the_steward():
    request = request_named("Net sales without gift cards")

    assert [review.reviewer.username for review in request.reviews.all()] == ["ben"]
    assert RoleGrant.objects.filter(
        user__username="cem", role="steward", domain__key="sales"
    ).exists()


def test_at_least_five_people_have_different_roles_and_can_sign_in():
    out = StringIO()
    call_command("example_people", stdout=out)
    people = json.loads(out.getvalue())

    roles = {
        person["username"]: frozenset(
            RoleGrant.objects.filter(user__username=person["username"]).values_list(
                "role", "domain__key"
            )
        )
        for person in people
    }
    assert len(set(roles.values())) >= 5
    for person in people:
        assert authenticate(username=person["username"], password=person["password"])


def test_passwords_are_not_printed_where_others_can_reach_them(settings):
    settings.ALLOWED_HOSTS = ["metrics.shop.example"]

    with pytest.raises(CommandError, match=r"metrics\.shop\.example.*--force"):
        call_command("example_people", stdout=StringIO())


def test_what_was_done_under_the_simulated_clock_is_marked():
    history = AuditEvent.objects.filter(action__startswith="change.")

    assert history.count() > 30
    assert set(history.values_list("is_simulated", flat=True)) == {True}
    assert all(event.happened_at < event.recorded_at for event in history)
    assert not AuditEvent.objects.get(action="example.load").is_simulated


def test_the_history_lies_in_the_replayed_year_and_in_order():
    events = AuditEvent.objects.filter(action__startswith="change.").order_by("sequence")
    times = [event.happened_at for event in events]

    assert times == sorted(times)
    assert WHOLE_YEAR.first_day < times[0].date() < times[-1].date() < WHOLE_YEAR.last_day


def test_verify_finds_nothing():
    assert [str(finding) for finding in verify()] == []


@pytest.mark.parametrize("key", COMPANY.entries)
def test_the_catalog_says_what_the_files_say(key):
    wanted = COMPANY.entries[key]
    entry = Entry.objects.select_related("current_version__definition").get(key=key)
    version = entry.current_version

    assert read_spec(version.definition.spec).type == wanted.spec["type"]
    assert {name: version.words[name] for name in ("name", "definition")} == {
        name: wanted.words[name] for name in ("name", "definition")
    }
    assert stewardship_of(entry).owners == wanted.stewardship["owners"]
    assert entry.tier == wanted.stewardship["tier"]


def test_the_tree_stands_as_it_was_drawn():
    edges = HierarchyEdge.objects.values_list("parent__key", "child__key", "kind")

    assert set(edges) == {(edge["parent"], edge["child"], edge["kind"]) for edge in COMPANY.tree}
    exact = HierarchyEdge.objects.filter(kind=EdgeKind.FORMULA, parent__key="sales_28d")
    assert exact.count() == 4


@pytest.mark.parametrize(
    ("old", "new", "mean", "widest", "week"),
    [
        (1, 2, -8.44, -11.52, WEEK_OF_24_JULY),
        (2, 3, -0.63, -1.29, WEEK_OF_22_MAY),
    ],
)
def test_the_preview_says_what_the_versions_do_to_the_past(old, new, mean, widest, week):
    item = PreviewItem("net_sales", closure_of_version(old), closure_of_version(new))

    figures = figures_of(item)

    assert figures.compared == 51
    assert float(figures.mean_pct) == pytest.approx(mean, abs=0.005)
    assert float(figures.widest.difference_pct) == pytest.approx(widest, abs=0.005)
    assert figures.widest.period == week


def test_the_preview_of_the_gift_cards_says_what_the_open_request_would_do():
    request = request_named("Net sales without gift cards")
    old = closure_of_version(2)
    proposed = next(i for i in request.revision.content["items"] if i["key"] == "net_sales")
    new = {**old, "net_sales": read_spec({**proposed["spec"], "expression": "sales_value"})}

    figures = figures_of(PreviewItem("net_sales", old, new))

    assert float(figures.mean_pct) == pytest.approx(-0.28, abs=0.005)
    assert float(figures.widest.difference_pct) == pytest.approx(-2.32, abs=0.005)
    assert figures.widest.period == WEEK_OF_18_DECEMBER


def figures_of(item: PreviewItem):
    ana = User.objects.get(username="ana")
    run = preview_run(work_off(request_preview([item], actor=ana, grain=Grain.WEEK)))
    assert run.state == "done", run.error
    return run.figures[item.key]


def test_stored_values_of_the_versions_differ_as_the_previews_said():
    metric = Metric.objects.get(key="net_sales")
    by_week = {
        version: {
            point.period: float(point.value)
            for point in read_values(metric, grain="week", version=version).points
        }
        for version in (1, 2, 3)
    }

    first = WHOLE_YEAR.moved(FIRST_MONDAY)
    weeks = [first + timedelta(weeks=number) for number in range(51)]

    def changes(old, new):
        return {week: by_week[new][week] / by_week[old][week] - 1 for week in weeks}

    gasoline, coupons = changes(1, 2), changes(2, 3)
    assert sum(gasoline.values()) / 51 == pytest.approx(-0.0844, abs=5e-5)
    assert min(gasoline, key=gasoline.get) == WEEK_OF_24_JULY
    assert sum(coupons.values()) / 51 == pytest.approx(-0.0063, abs=5e-5)
    assert min(coupons, key=coupons.get) == WEEK_OF_22_MAY


def test_every_metric_has_values_by_every_grain_and_dimension():
    empty = [
        (key, grain, dimension)
        for key, entry in COMPANY.metrics.items()
        for grain in entry.spec["grains"]
        for dimension in (None, *entry.spec.get("dimensions", ()))
        if not read_values(Metric.objects.get(key=key), grain=grain, group_by=dimension).points
    ]

    assert empty == []
    assert not Backfill.objects.filter(status__in=UNFINISHED).exists()


def test_no_metric_is_in_doubt():
    doubts = {
        metric.key: read_values(
            metric, grain=metric.current_version.definition.spec["grains"][-1]
        ).doubt
        for metric in Metric.objects.select_related("current_version__definition")
    }

    assert {key: doubt for key, doubt in doubts.items() if doubt} == {}
    assert Check.objects.count() == 2 * 8


def test_the_source_says_where_its_rows_come_from_and_when_they_run_out():
    source = Source.objects.get(key=KEY)

    assert "469 weeks" in source.description
    assert "27 December 2026" in source.description
    assert "example_shift" in source.description
    assert "84.51°" in source.attribution
    assert "research and educational purposes" in source.attribution


def test_a_load_that_was_cut_short_did_nothing_twice(loaded):
    told = [line.split(":")[0] for line in loaded if line.startswith("CR-")]

    assert len(told) == len(set(told)) == len(COMPANY.requests)
    assert ChangeRequest.objects.count() == len(COMPANY.requests)
    steps = sum(len(request.steps) for request in COMPANY.requests)
    submits = sum(step.does == "submit" for r in COMPANY.requests for step in r.steps)
    edits = sum(step.does == "edit" for r in COMPANY.requests for step in r.steps)
    assert Revision.objects.count() == submits
    rejects = ChangeRequest.objects.filter(status=Status.REJECTED).count()
    said = Review.objects.count() + Comment.objects.count() + rejects
    assert said == steps - submits - edits


def test_loading_again_changes_nothing(loaded):
    said = list(loaded)
    before = (AuditEvent.objects.count(), Observation.objects.count(), Backfill.objects.count())

    assert load(COMPANY, say=loaded.append) is False

    assert said == loaded
    assert before == (
        AuditEvent.objects.count(),
        Observation.objects.count(),
        Backfill.objects.count(),
    )


def test_while_there_are_rows_left_the_year_is_not_moved():
    out = StringIO()
    call_command("example_shift", stdout=out)

    assert "Nothing was moved" in out.getvalue()


def test_when_the_rows_have_run_out_the_year_is_moved_and_everything_computed_anew(settings):
    settings.ETALON_NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
    before = Source.objects.get(key=KEY)
    out = StringIO()

    call_command("example_shift", stdout=out)

    source, run = Source.objects.get(key=KEY), Backfill.objects.latest("pk")
    moved = source.first_day - before.first_day
    assert moved > timedelta(weeks=1)
    assert moved.days % 7 == 0
    assert source.config["views"] != before.config["views"]
    assert f"{469 + moved.days // 7} weeks" in source.description
    assert (run.purpose, run.start) == ("manual", before.first_day)
    assert set(run.targets.values_list("key", flat=True)) == set(COMPANY.metrics)
    assert AuditEvent.objects.filter(action="source.move").count() == 1
    assert f"Backfill {run.pk}" in out.getvalue()
