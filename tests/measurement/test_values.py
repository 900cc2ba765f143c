"""What readers get: the official line, what was reported then, and any instant of the past."""

import threading
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, connections

from catalog.models import Metric
from core.errors import Invalid, NotFound
from measurement.choices import Purpose
from measurement.models import Check
from measurement.selectors.health import doubt_of, freshness_of, latest_points, state_of
from measurement.selectors.values import read_values
from measurement.services.checks import run_due_checks
from measurement.services.switching import finish_backfill
from measurement.services.turns import take_turn, work_off
from measurement.services.windows import compute_window, lease_window
from semantics.definition import read_spec
from tests.measurement import company
from tests.measurement.catalog import EVER, buyers_spec, orders_spec, sales_spec

BREAK = date(2026, 1, 26)


@pytest.fixture
def metric(shop):
    """Sales with version 1 computed."""
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    return Metric.objects.get(key="sales")


@pytest.fixture
def north(shop, metric):
    """Publish and compute version 2, of the north alone; returns a function of its treatment."""

    def publish(treatment: str, **more) -> Metric:
        spec = sales_spec(filters=["store = 'north'"])
        shop.publish("sales", spec, treatment=treatment, effective_from=BREAK, **more)
        work_off(shop.plan("sales"))
        metric.refresh_from_db()
        return metric

    return publish


def test_a_restating_version_takes_the_whole_line(north):
    values = read_values(north("restate"), grain="week")

    assert {point.version for point in values.points} == {2}
    assert values.restated == 3
    mark = values.marks[0]
    assert (mark.on, mark.name, mark.previous, mark.treatment) == (BREAK, "v2", 1, "restate")


def test_what_was_reported_then_keeps_each_versions_own_time(north):
    values = read_values(north("restate"), grain="week", line="reported")

    versions = {point.period: point.version for point in values.points}
    assert versions[BREAK - timedelta(days=7)] == 1
    assert versions[BREAK] == 2


def test_a_break_leaves_the_past_as_it_was(north):
    values = read_values(north("break"), grain="week")

    versions = {point.period: point.version for point in values.points}
    assert versions[BREAK - timedelta(days=7)] == 1
    assert versions[BREAK] == 2
    assert (values.restated, values.second) == (0, [])


def test_both_lines_are_there_while_both_are_kept(north, settings):
    metric = north("keep_both", keep_both_until=date(2026, 3, 1))
    values = read_values(metric, grain="week")
    assert {point.version for point in values.second} == {1}
    assert len(values.second) == len(values.points)

    settings.ETALON_NOW = datetime.fromisoformat("2026-03-02T00:00:00+00:00")

    assert read_values(metric, grain="week").second == []


def test_a_changed_dataset_moves_the_metrics_above_it_and_leaves_a_mark(shop, metric, settings):
    """The metric keeps its version; it gets another resolution."""
    settings.ETALON_NOW += timedelta(hours=1)
    shop.publish("orders", orders_spec(relation={"kind": "table", "name": "shop.northern"}))
    shop.offer("northern", "SELECT * FROM shop.orders WHERE store = 'north'")
    metric.current_resolution = shop.resolve(metric, metric.current_version)
    metric.save()

    work_off(shop.plan("sales"))

    metric.refresh_from_db()
    now = read_values(metric, grain="week")
    then = read_values(metric, grain="week", line="reported")
    assert {point.version for point in now.points} == {1}
    assert len({point.resolution for point in now.points}) == 1
    assert then.points[0].value > now.points[0].value
    assert now.restated > 0
    mark = now.marks[0]
    assert (mark.on, mark.version, mark.previous) == (date(2026, 2, 14), 1, 1)
    assert mark.name == "orders v2"
    assert mark.headline == "It is computed from orders v2, which changed."


def test_a_mark_is_on_the_day_that_it_was_where_the_rows_come_from(shop, metric, settings):
    settings.ETALON_NOW = datetime.fromisoformat("2026-02-14T20:00:00+00:00")
    shop.publish("orders", orders_spec(time_zone="Asia/Tokyo"))
    metric.current_resolution = shop.resolve(metric, metric.current_version)
    metric.save()

    work_off(shop.plan("sales"))

    metric.refresh_from_db()
    assert read_values(metric, grain="week").marks[0].on == date(2026, 2, 15)


def test_a_version_counts_once_its_day_has_come(shop, metric, settings):
    shop.publish(
        "sales",
        sales_spec(filters=["store = 'north'"]),
        treatment="restate",
        effective_from=date(2026, 2, 20),
    )
    work_off(shop.plan("sales"))
    metric.refresh_from_db()
    before = read_values(metric, grain="week")
    assert {point.version for point in before.points} == {1}
    assert before.note.startswith("v2 takes effect on 2026-02-20. Until then these are the values")

    settings.ETALON_NOW += timedelta(days=6)

    after = read_values(metric, grain="week")
    assert ({point.version for point in after.points}, after.note) == ({2}, "")


def test_a_later_version_takes_the_line_though_its_day_is_earlier(shop, metric):
    """Two drafts were begun on two days; the older one is published last, on top of the other."""
    for filters, day in ((["store = 'south'"], 9), (["store = 'north'"], 2)):
        spec = sales_spec(filters=filters)
        shop.publish("sales", spec, treatment="restate", effective_from=date(2026, 2, day))
        work_off(shop.plan("sales"))
    metric.refresh_from_db()

    assert {point.version for point in read_values(metric, grain="week").points} == {3}


def test_a_break_dated_before_the_first_version_is_seen(shop, metric):
    spec = sales_spec(filters=["store = 'north'"])
    shop.publish("sales", spec, treatment="break", effective_from=EVER - timedelta(days=1))
    work_off(shop.plan("sales"))
    metric.refresh_from_db()

    assert {point.version for point in read_values(metric, grain="week").points} == {2}


def test_new_words_do_not_bring_a_formula_forward(shop, metric, settings):
    """Version 2 computes otherwise from the 20th on; version 3 puts a typo in its words right."""
    spec = sales_spec(filters=["store = 'north'"])
    of_all = read_values(metric, grain="week").points
    shop.publish("sales", spec, treatment="restate", effective_from=date(2026, 2, 20))
    work_off(shop.plan("sales"))
    shop.publish("sales", spec, effective_from=date(2026, 2, 14))
    work_off(shop.plan("sales"))
    metric.refresh_from_db()

    shown = read_values(metric, grain="week").points
    assert [point.value for point in shown] == [point.value for point in of_all]

    settings.ETALON_NOW += timedelta(days=6)

    shown = read_values(metric, grain="week").points
    assert {point.version for point in shown} == {3}
    assert shown[0].value < of_all[0].value


def test_a_version_can_be_pinned(north):
    metric = north("restate")

    first = read_values(metric, grain="week", version=1)

    assert {point.version for point in first.points} == {1}
    assert first.points[0].value > read_values(metric, grain="week").points[0].value
    with pytest.raises(NotFound, match="no version 7"):
        read_values(metric, grain="week", version=7)


def test_as_of_answers_what_was_shown_at_that_instant(shop, metric, north, folder):
    before_all = _database_time() - timedelta(days=1)
    after_first = _database_time()
    first = _values(metric, as_of=None)
    north("restate")
    after_second = _database_time()
    second = _values(metric, as_of=None)
    company.write(folder, company.orders(40)[10:])
    work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))

    assert _values(metric, as_of=before_all) == []
    assert _values(metric, as_of=after_first) == first
    assert _values(metric, as_of=after_second) == second
    assert _values(metric, as_of=None) != second


def test_values_are_cut_to_a_half_open_range(metric):
    values = read_values(metric, grain="day", start=date(2026, 1, 7), until=date(2026, 1, 9))
    assert [point.period.day for point in values.points] == [7, 8]


def test_the_running_period_is_marked_incomplete(metric):
    days = read_values(metric, grain="day")
    weeks = read_values(metric, grain="week")
    months = read_values(metric, grain="month")

    assert days.complete_until == date(2026, 2, 14)
    assert all(point.is_complete for point in days.points)
    assert [point.is_complete for point in weeks.points] == [True] * 5 + [False]
    # The source begins within January, and February is not over.
    assert [point.is_complete for point in months.points] == [False, False]


def test_a_ratio_says_its_parts_and_has_no_value_over_nothing(shop):
    shop.publish("sales", sales_spec())
    shop.publish("buyers", buyers_spec())
    shop.publish(
        "sales_a_buyer",
        read_spec(
            {
                "type": "ratio",
                "numerator": {"metric": "sales"},
                "denominator": {"metric": "buyers"},
                "dimensions": ["store"],
            }
        ),
    )
    work_off(shop.plan("sales_a_buyer"))

    metric = Metric.objects.get(key="sales_a_buyer")
    point = read_values(metric, grain="day").points[1]
    assert (point.numerator, point.denominator, point.value) == (41, 2, Decimal("20.5"))


@pytest.mark.parametrize(
    ("asked", "message", "place"),
    [
        ({"grain": "fortnight"}, "`fortnight` is no grain", "grain"),
        ({"grain": "year"}, "not computed by year", "grain"),
        (
            {"grain": "day", "group_by": "colour"},
            "not stored by `colour`; it is by store",
            "group_by",
        ),
        (
            {"grain": "day", "start": date(2026, 2, 1), "until": date(2026, 1, 1)},
            "ends on 2026-01-01, before or on its first day",
            "from",
        ),
        ({"grain": "day", "line": "best"}, "`best` is no line", "line"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_place(metric, asked, message, place):
    with pytest.raises(Invalid, match=message) as refused:
        read_values(metric, **asked)
    assert refused.value.details["problems"][0]["place"] == place


def test_a_reader_sees_all_of_a_switch_or_nothing_of_it(shop, metric, folder, settings):
    """A reader polls while a run over the same series switches again and again."""
    settings.WINDOW_SOURCE_ROWS = 20
    rows = company.orders(40)
    doubled = [_twice(row) for row in rows]
    single, double = _sum(rows), _sum(doubled)
    seen, stop = set(), threading.Event()

    def poll():
        try:
            while not stop.is_set():
                days = read_values(Metric.objects.get(key="sales"), grain="day")
                seen.add(sum(point.value for point in days.points))
        finally:
            connections.close_all()

    reader = threading.Thread(target=poll)
    reader.start()
    for number in range(6):
        company.write(folder, rows if number % 2 else doubled)
        work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))
    stop.set()
    reader.join()

    assert seen <= {single, double}
    assert len(seen) == 2


def test_two_who_end_the_same_run_together_switch_once(shop, metric, settings):
    settings.WINDOW_SOURCE_ROWS = 20
    run = shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author)
    take_turn(run.pk, seconds=0)
    while window := lease_window(run.pk):
        compute_window(window)
    ends = [threading.Thread(target=_finish, args=(run.pk,)) for _ in range(3)]
    for end in ends:
        end.start()
    for end in ends:
        end.join()

    run.refresh_from_db()
    assert run.status == "done"
    assert run.history.filter(status="done").count() == 1


# --- health ------------------------------------------------------------------------------------


def test_a_failed_check_puts_the_values_in_doubt(metric, settings):
    assert doubt_of(metric) == ""
    settings.ETALON_NOW += timedelta(days=9)

    run_due_checks()

    said = "Data in doubt. Freshness of Orders: The newest row is from 13 February 2026, 10 days"
    assert said in doubt_of(metric)
    assert read_values(metric, grain="day").doubt == doubt_of(metric)


def test_freshness_says_how_far_the_values_reach(metric):
    fresh = freshness_of(metric)

    assert fresh.complete_until == date(2026, 2, 14)
    assert fresh.sentence == "Complete until 13 February 2026."
    assert not fresh.is_late


def test_every_dataset_with_days_gets_its_two_checks(shop):
    runs = run_due_checks()

    kinds = Check.objects.values_list("dataset__key", "kind")
    assert sorted(kinds) == [("orders", "freshness"), ("orders", "row_count")]
    assert [run.outcome for run in runs] == ["passed", "passed"]
    assert run_due_checks() == []


def test_a_day_with_far_too_few_rows_fails_its_check(shop, folder, settings):
    firsts = {row.day: row for row in reversed(company.orders(40))}
    rows = [row for row in firsts.values() for _ in range(20)]
    company.write(folder, rows)
    assert {run.outcome for run in run_due_checks()} == {"passed"}

    yesterday = (settings.ETALON_NOW - timedelta(days=1)).date()
    company.write(folder, [*(row for row in rows if row.day != yesterday), firsts[yesterday]])
    settings.CHECK_SECONDS = 0

    outcomes = {run.check_rule.kind: run for run in run_due_checks()}
    assert outcomes["freshness"].outcome == "passed"
    failed = outcomes["row_count"]
    assert failed.outcome == "failed"
    assert failed.message.startswith("1 row on ")
    assert "are usual for a" in failed.message
    assert failed.measured < failed.low


def test_the_state_stands_to_the_target(metric):
    assert state_of(metric).name == "no_target"
    last = latest_points([metric])[metric.pk][-1][1]

    metric.direction = "up"
    for target, name in [(last, "green"), (last * Decimal("1.04"), "yellow"), (last * 2, "red")]:
        metric.target = target
        assert state_of(metric).name == name


def _finish(backfill_id: int) -> None:
    try:
        finish_backfill(backfill_id)
    finally:
        connections.close_all()


def _values(metric: Metric, *, as_of) -> list:
    metric.refresh_from_db()
    points = read_values(metric, grain="week", group_by="store", as_of=as_of).points
    return [(p.period, p.members, p.value, p.version, p.run) for p in points]


def _database_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def _twice(row: company.Order) -> company.Order:
    return company.Order(row.number, row.day, row.store, row.customer, row.amount * 2, row.arrived)


def _sum(rows) -> Decimal:
    return sum(row.amount for row in rows)
