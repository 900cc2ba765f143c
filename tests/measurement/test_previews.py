"""Previews: shared by what they compare, equal to what is published, and said in one sentence."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.choices import Role
from accounts.models import User
from accounts.services import grant_role
from catalog.models import Metric
from core.errors import Invalid, NotAllowed, SourceUnavailable
from measurement.choices import BackfillStatus, WindowState
from measurement.headlines import headline
from measurement.models import Backfill, Observation, StagedValue
from measurement.previews import PreviewItem, PreviewPoint
from measurement.selectors.previews import preview_of, preview_run
from measurement.selectors.values import read_values
from measurement.services import turns, windows
from measurement.services.backfills import cancel_backfill, retry_backfill
from measurement.services.cutting import cut_windows
from measurement.services.previews import request_preview
from measurement.services.switching import finish_backfill
from measurement.services.turns import take_turn, work_off
from measurement.services.windows import lease_window
from semantics.definition import Grain
from tests.measurement import company
from tests.measurement.catalog import buyers_spec, sales_spec


@pytest.fixture
def person(shop):
    grant_role(shop.author, role=Role.CONTRIBUTOR, domain=shop.domain, actor=None)
    return shop.author


@pytest.fixture
def item(shop, person):
    """Sales, and a proposal to count the north and the unknown store alone."""
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    return _item(shop, sales_spec(filters=["coalesce(store, '') <> 'south'"]))


def _item(shop, spec) -> PreviewItem:
    old = shop.closure("sales")
    return PreviewItem("sales", old, {**old, "sales": spec})


def test_old_and_new_are_compared_week_by_week(item, person):
    run = work_off(request_preview([item], actor=person, dimension="store"))

    figures = preview_run(run).figures["sales"]
    rows = company.orders(40)
    first = figures.points[0]
    assert first.period == company.FIRST
    assert first.old == _sum(rows, company.FIRST)
    assert first.new == _sum([r for r in rows if r.store != "south"], company.FIRST)
    assert figures.compared == figures.moved == 5
    assert figures.headline.startswith("Past values fall by ")
    assert figures.headline.endswith(".")
    assert figures.widest.difference_pct == min(p.difference_pct for p in figures.points[:5])
    assert not figures.points[-1].is_complete


def test_members_are_compared_too(item, person):
    run = work_off(request_preview([item], actor=person, dimension="store"))

    members = {member.member: member for member in preview_run(run).figures["sales"].members}
    assert members["north"].mean_pct == 0
    assert (members["south"].new_mean, members["south"].mean_pct) == (None, None)
    assert members["south"].beyond_percent == "loses its values"
    assert members["north"].beyond_percent == ""
    assert members[None].old_mean == members[None].new_mean
    assert members["north"].periods == 5


def test_a_change_of_many_magnitudes_has_figures_too(shop, person):
    """Its percentages have more digits than decimals are given by default."""
    shop.publish("sales", sales_spec(expression="amount / 100000000000"))
    item = _item(shop, sales_spec(expression="amount * 100000000000000"))

    figures = preview_run(work_off(request_preview([item], actor=person))).figures["sales"]

    assert figures.mean_pct > 10**26


def test_published_values_are_those_of_the_preview(shop, item, person):
    run = work_off(request_preview([item], actor=person, dimension="store"))
    figures = preview_run(run).figures["sales"]
    staged = _staged(run, "new")

    shop.publish("sales", item.new_specs["sales"], treatment="restate")
    published = work_off(shop.plan("sales"))

    values = read_values(Metric.objects.get(key="sales"), grain="week")
    assert [(p.period, p.new) for p in figures.points] == [
        (p.period, p.value) for p in values.points
    ]
    assert _stored(published, "week") == staged


def test_nothing_of_a_preview_reaches_readers(item, person):
    before = Observation.objects.count()
    work_off(request_preview([item], actor=person))
    assert Observation.objects.count() == before


def test_equal_requests_share_one_run(item, person, shop):
    first = request_preview([item], actor=person, dimension="store")
    other = User.objects.create_user("ben")
    grant_role(other, role=Role.VIEWER, domain=shop.domain, actor=None)

    assert request_preview([item], actor=other, dimension="store") == first
    assert request_preview([item], actor=person) != first
    work_off(first)
    assert request_preview([item], actor=person, dimension="store") == first


def test_a_new_day_asks_again_and_the_old_answer_is_still_found(item, person, settings):
    first = work_off(request_preview([item], actor=person))
    settings.ETALON_NOW += timedelta(days=1)

    assert preview_of([item]).backfill == first
    assert request_preview([item], actor=person) != first


def test_a_failed_preview_is_asked_again_and_says_why(item, person, folder):
    company.write(folder, company.orders(40), without="amount")
    run = work_off(request_preview([item], actor=person))

    failed = preview_run(run)
    assert failed.state == "failed"
    assert "no longer has `amount`" in failed.error

    company.write(folder, company.orders(40))
    again = work_off(request_preview([item], actor=person))
    assert again != run
    assert preview_of([item]).state == "done"


def test_after_one_window_was_given_up_no_other_is_computed_in_vain(shop, item, person, settings):
    settings.WINDOW_SOURCE_ROWS = 20
    run = request_preview([item], actor=person)
    cut_windows(run)
    shop.break_source()

    work_off(run)

    assert (run.status, run.windows.count() > 3) == (BackfillStatus.FAILED, True)
    assert "more windows" not in run.error
    begun = run.windows.filter(attempts__gt=0)
    assert [window.state for window in begun] == [WindowState.PARKED]


def test_a_retry_begins_at_once_whatever_a_worker_of_the_failed_run_still_holds(
    shop, item, person, settings
):
    settings.WINDOW_SOURCE_ROWS = 20
    run = request_preview([item], actor=person)
    take_turn(run.pk, seconds=0)
    for _ in range(settings.WINDOW_ATTEMPTS + 1):
        first, held = lease_window(run.pk), lease_window(run.pk)
        windows._put_off(first, run, SourceUnavailable("It is away."))
        finish_backfill(run.pk)
        retry_backfill(run, actor=person)
        turns._begin(run.pk)
        windows._put_off(held, run, SourceUnavailable("It is away, said of old."))

    work_off(run)

    assert (run.status, run.error) == (BackfillStatus.DONE, "")


def test_who_asked_for_a_preview_may_cancel_it(item, person):
    run = request_preview([item], actor=person)
    with pytest.raises(NotAllowed):
        cancel_backfill(run, actor=User.objects.create_user("eve"))

    assert cancel_backfill(run, actor=person).status == BackfillStatus.CANCELLED
    assert preview_run(run).state == "waiting"
    run.refresh_from_db()
    assert preview_run(run).state == "cancelled"
    assert request_preview([item], actor=person) != run


def test_a_stranger_gets_no_preview(item):
    with pytest.raises(NotAllowed):
        request_preview([item], actor=User.objects.create_user("eve"))


def test_progress_is_told_window_by_window(item, person, settings):
    settings.WINDOW_SOURCE_ROWS = 20
    run = request_preview([item], actor=person)
    assert preview_run(run).progress == 0
    take_turn(run.pk, seconds=0)
    run.refresh_from_db()
    assert preview_run(run).state == "running"
    assert 0 < preview_run(run).progress < 1


def test_a_new_metric_has_values_and_nothing_to_compare_with(shop, person):
    specs = {**shop.closure("orders"), "buyers": buyers_spec()}
    run = work_off(request_preview([PreviewItem("buyers", None, specs)], actor=person))

    figures = preview_run(run).figures["buyers"]
    assert figures.is_new
    assert figures.headline == ""
    assert figures.points[0].new is not None
    assert figures.points[0].old is None


def test_an_equal_definition_moves_nothing(shop, item, person):
    run = work_off(request_preview([_item(shop, sales_spec(dimensions=[]))], actor=person))

    figures = preview_run(run).figures["sales"]
    assert figures.is_unmoved
    assert figures.headline == "No past value moves in total."


def test_several_metrics_are_previewed_in_one_run(shop, item, person):
    shop.publish("buyers", buyers_spec())
    old = shop.closure("buyers")
    new = {**old, "buyers": buyers_spec(filters=["store = 'north'"])}

    run = work_off(request_preview([item, PreviewItem("buyers", old, new)], actor=person))

    assert set(preview_run(run).figures) == {"sales", "buyers"}


def test_an_empty_preview_is_refused(person):
    with pytest.raises(Invalid):
        request_preview([], actor=person)


# --- the sentence ----------------------------------------------------------------------------

FELL = [(100, 92), (100, 94), (100, 88.5), (100, 92)]


@pytest.mark.parametrize(
    ("pairs", "grain", "sentence"),
    [
        (
            FELL,
            Grain.WEEK,
            "Past values fall by 8.4 % on average, at most 11.5 % in the week of 20 July.",
        ),
        (
            [(100, 103), (100, 104)],
            Grain.WEEK,
            "Past values rise by 3.5 % on average, at most 4.0 % in the week of 13 July.",
        ),
        (
            [(100, 110), (100, 98), (100, 100)],
            Grain.WEEK,
            "Past values move by 4.0 % on average, between −2.0 % in the week of 13 July "
            "and +10.0 % in the week of 6 July. 2 of 3 weeks move.",
        ),
        ([(5, 5), (6, 6)], Grain.WEEK, "No past value moves in total."),
        ([], Grain.WEEK, "There is no complete period to compare."),
        (
            [(None, 5), (6, 6)],
            Grain.WEEK,
            "1 week gets a value and had none. No other past value moves.",
        ),
        (
            [(5, None), (6, None), (100, 90)],
            Grain.WEEK,
            "Past values fall by 10.0 % on average, at most 10.0 % in the week of 20 July. "
            "2 weeks lose their value.",
        ),
        (
            [(0, 4), (0, 2)],
            Grain.WEEK,
            "Past values rise by 3 on average, at most 4 in the week of 6 July.",
        ),
        (
            [(100000, 99999)],
            Grain.DAY,
            "Past values fall by less than 0.1 % on average, at most less than 0.1 % on 6 July.",
        ),
        (
            [(10000000000, 9999999999)],
            Grain.DAY,
            "Past values fall by less than 0.1 % on average, at most less than 0.1 % on 6 July.",
        ),
        (
            [(10000, 9995)],
            Grain.DAY,
            "Past values fall by less than 0.1 % on average, at most less than 0.1 % on 6 July.",
        ),
        (
            [(0, "0.004")],
            Grain.DAY,
            "Past values rise by less than 0.01 on average, at most less than 0.01 on 6 July.",
        ),
        (
            [(-10, -11)],
            Grain.MONTH,
            "Past values fall by 10.0 % on average, at most 10.0 % in July.",
        ),
    ],
)
def test_the_headline_says_how_the_past_moves(pairs, grain, sentence):
    points = [
        _point(date(2026, 7, 6) + timedelta(weeks=week), old, new)
        for week, (old, new) in enumerate(pairs)
    ]
    assert headline(points, grain, is_new=False) == sentence


def test_the_year_is_said_when_more_than_one_is_compared():
    points = [_point(date(2025, 1, 6), 100, 90), _point(date(2026, 7, 20), 100, 95)]
    assert "in the week of 6 January 2025." in headline(points, Grain.WEEK, is_new=False)


def _point(period: date, old, new) -> PreviewPoint:
    old, new = (None if v is None else Decimal(str(v)) for v in (old, new))
    difference = None if old is None or new is None else new - old
    pct = difference * 100 / abs(old) if difference is not None and old else None
    # Rounded, as those of a preview are.
    pct = None if pct is None else pct.quantize(Decimal("0.0001"))
    return PreviewPoint(period, "", old, new, difference, pct, True)


def _staged(run: Backfill, label: str) -> list:
    target = run.targets.get(label=label)
    rows = StagedValue.objects.filter(backfill_id=run.pk, target_id=target.pk)
    return sorted(rows.values_list("dimension", "member", "period", "value"), key=str)


def _stored(run: Backfill, grain: str) -> list:
    hash_ = run.targets.get().resolution_hash
    rows = Observation.objects.filter(
        series__resolution_hash=hash_, series__grain=grain, known_until=None
    )
    names = ("series__dimension", "slice__member", "period", "value")
    return sorted(rows.values_list(*names), key=str)


def _sum(rows, start: date) -> Decimal:
    return sum(row.amount for row in rows if 0 <= (row.day - start).days < 7)


def test_a_dimension_that_nothing_can_be_asked_by_is_refused(item, person):
    with pytest.raises(Invalid, match="sales cannot be asked by `colour`. It can be by buyer"):
        request_preview([item], actor=person, dimension="colour")
