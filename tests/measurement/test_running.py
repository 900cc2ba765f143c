"""Runs that are disturbed: leases, tokens, faults of the source, and what people press."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models.functions import Now

from accounts.choices import Role
from accounts.models import User
from accounts.services import grant_role
from catalog.models import Metric, Ownership
from core.errors import Invalid, NotAllowed, WrongState
from core.models import AuditEvent, Notice
from measurement.choices import BACKFILL_MOVES, BackfillStatus, Purpose, WindowState
from measurement.models import Backfill, BackfillWindow, CheckRun, Observation, StagedValue
from measurement.selectors.backfills import difference_so_far, progress_of
from measurement.selectors.values import read_values
from measurement.services import backfills, cutting, sweeping, windows
from measurement.services.turns import take_turn, work_off
from measurement.services.windows import compute_window, lease_window, stage
from measurement.warehouses.base import NeedsMemory
from tests.measurement import company
from tests.measurement.catalog import sales_spec

SLOW_VIEW = (
    "SELECT o.* FROM read_parquet('{folder}/orders.parquet') o WHERE "
    "(SELECT sum(hash(range)) FROM range(100000000000)) >= 0"
)


@pytest.fixture
def run(shop, settings):
    """A run of forty days in about five windows, not begun."""
    settings.WINDOW_SOURCE_ROWS = 20
    shop.publish("sales", sales_spec())
    return shop.plan("sales", actor=shop.author)


@pytest.fixture
def admin(shop):
    person = User.objects.create_user("cem")
    grant_role(person, role=Role.ADMIN, domain=None, actor=None)
    return person


@pytest.fixture
def steward(shop):
    person = User.objects.create_user("dia")
    grant_role(person, role=Role.STEWARD, domain=shop.domain, actor=None)
    return person


# --- leases and tokens ---------------------------------------------------------------------


def test_two_workers_never_hold_the_same_window(run):
    take_turn(run.pk, seconds=0)

    first, second = lease_window(run.pk), lease_window(run.pk)

    assert first.pk != second.pk
    assert first.state == second.state == WindowState.LEASED


def test_many_workers_share_a_run_and_compute_each_window_once(run):
    cutting.cut_windows(run)
    ends = [threading.Thread(target=_work, args=(run,)) for _ in range(4)]
    for end in ends:
        end.start()
    for end in ends:
        end.join()

    run.refresh_from_db()
    assert run.status == BackfillStatus.DONE
    assert set(run.windows.values_list("attempts", flat=True)) == {1}
    metric = Metric.objects.get(key="sales")
    assert len(read_values(metric, grain="day").points) == 40


def test_a_late_writer_is_refused_by_its_token(run):
    take_turn(run.pk, seconds=0)
    slow = lease_window(run.pk)
    _expire(slow)
    quick = lease_window(run.pk)
    assert (quick.pk, quick.token) == (slow.pk, slow.token + 1)
    compute_window(quick)
    staged = StagedValue.objects.filter(window_id=quick.pk).count()

    assert stage(slow, []) is False
    compute_window(slow)

    assert StagedValue.objects.filter(window_id=quick.pk).count() == staged
    quick.refresh_from_db()
    assert quick.state == WindowState.DONE


def test_a_dead_workers_window_is_taken_up_again(run):
    take_turn(run.pk, seconds=0)
    dead = lease_window(run.pk)
    work_off(run)
    assert run.status == BackfillStatus.RUNNING
    _expire(dead)

    assert run.pk in sweeping.ring_again()
    work_off(run)

    assert run.status == BackfillStatus.DONE
    dead.refresh_from_db()
    assert dead.attempts == 2


def test_a_window_that_kills_its_workers_is_parked_and_the_others_go_on(run, settings):
    settings.WINDOW_ATTEMPTS = 3
    take_turn(run.pk, seconds=0)
    deadly = lease_window(run.pk)
    for _ in range(2):
        _expire(deadly)
        assert lease_window(run.pk).pk == deadly.pk
    _expire(deadly)

    work_off(run)

    assert run.status == BackfillStatus.FAILED
    assert "The worker that computed it ended each time" in run.error
    states = list(run.windows.values_list("state", flat=True))
    assert states.count(WindowState.PARKED) == 1
    assert states.count(WindowState.DONE) == len(states) - 1
    assert not Observation.objects.exists()


def test_a_run_killed_between_its_last_window_and_its_end_is_ended_by_the_sweep(run):
    take_turn(run.pk, seconds=0)
    while window := lease_window(run.pk):
        compute_window(window)

    assert run.pk in sweeping.ring_again()
    work_off(run)

    assert run.status == BackfillStatus.DONE


def test_a_lease_is_renewed_while_the_query_runs(run, settings):
    settings.WINDOW_LEASE_SECONDS = 0.6
    take_turn(run.pk, seconds=0)
    window = lease_window(run.pk)

    with windows._Watch(window):
        time.sleep(1.5)
        assert lease_window(run.pk).pk != window.pk


# --- faults of the source --------------------------------------------------------------------


def test_a_missing_file_keeps_the_last_good_values_and_says_so(shop, folder, settings):
    settings.WINDOW_RETRY_SECONDS = 0
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    before = _days()
    (folder / "orders.parquet").rename(folder / "away.parquet")

    run = work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))

    assert run.status == BackfillStatus.FAILED
    assert "cannot offer `orders`" in run.error
    assert _days() == before


def test_a_column_that_is_gone_is_named(shop, folder, settings):
    settings.WINDOW_RETRY_SECONDS = 0
    shop.publish("sales", sales_spec())
    work_off(shop.plan("sales"))
    before = _days()
    company.write(folder, company.orders(40), without="amount")

    run = work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))

    assert run.status == BackfillStatus.FAILED
    assert "no longer has `amount`" in run.error
    assert "`orders` declares" in run.error
    assert _days() == before


def test_a_source_that_comes_back_is_read_again(shop, folder, settings):
    settings.WINDOW_RETRY_SECONDS = 0
    shop.publish("sales", sales_spec())
    (folder / "orders.parquet").rename(folder / "away.parquet")
    run = work_off(shop.plan("sales"))
    assert run.status == BackfillStatus.FAILED
    (folder / "away.parquet").rename(folder / "orders.parquet")

    work_off(backfills.retry_backfill(run, actor=None, reason="the file is back"))

    run.refresh_from_db()
    assert (run.status, run.error) == (BackfillStatus.DONE, "")
    assert len(_days()) == 40


def test_a_source_over_its_limit_is_stopped(shop, settings):
    settings.WINDOW_RETRY_SECONDS, settings.WINDOW_ATTEMPTS = 0, 1
    shop.publish("sales", sales_spec())
    shop.slow_down(SLOW_VIEW, seconds=1)
    run = shop.plan("sales")
    started = time.monotonic()

    work_off(run)
    run.refresh_from_db()

    assert run.status == BackfillStatus.FAILED
    assert "longer than 1 seconds, and the query was stopped there" in run.error
    assert time.monotonic() - started < 20


def test_a_window_that_is_too_much_at_once_is_halved(shop, monkeypatch):
    monkeypatch.setattr(cutting, "ROWS_WORTH_HALVING", 10)
    shop.publish("sales", sales_spec())
    whole = work_off(shop.plan("sales"))
    measure = windows._measure

    def needs_memory(backfill, window, *more):
        if (window.until - window.start).days > 12:
            raise NeedsMemory("too much")
        return measure(backfill, window, *more)

    monkeypatch.setattr(windows, "_measure", needs_memory)
    run = work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))

    assert (run.status, run.checksum) == (BackfillStatus.DONE, whole.checksum)
    pieces = sorted(run.windows.values_list("start", "until"))
    assert len(pieces) == 4
    assert [end for _, end in pieces[:-1]] == [start for start, _ in pieces[1:]]


def test_a_cancel_stops_the_query_at_the_source(shop, settings, monkeypatch):
    monkeypatch.setattr(windows, "WATCH_SECONDS", 0.2)
    shop.publish("sales", sales_spec())
    run = shop.plan("sales")
    cutting.cut_windows(run)
    shop.slow_down(SLOW_VIEW, seconds=60)
    worker = threading.Thread(target=_work, args=(run,))
    worker.start()
    _until(lambda: run.windows.filter(state=WindowState.LEASED).exists())

    backfills.cancel_backfill(run, actor=None)
    worker.join(5)

    assert not worker.is_alive()
    assert not StagedValue.objects.exists()


# --- what people press -------------------------------------------------------------------------

YES, NO = True, False
# Which move may start from where; a state or move that is missing here fails the test below.
MOVES = {
    #                          pause  resume  retry  cancel release
    BackfillStatus.PLANNED:   (YES,   NO,     NO,    YES,   NO),
    BackfillStatus.RUNNING:   (YES,   NO,     NO,    YES,   NO),
    BackfillStatus.PAUSED:    (NO,    YES,    NO,    YES,   NO),
    BackfillStatus.HELD:      (NO,    NO,     NO,    YES,   YES),
    BackfillStatus.DONE:      (NO,    NO,     NO,    NO,    NO),
    BackfillStatus.FAILED:    (NO,    NO,     YES,   YES,   NO),
    BackfillStatus.CANCELLED: (NO,    NO,     NO,    NO,    NO),
}  # fmt: skip
SERVICES = [
    ("pause", backfills.pause_backfill),
    ("resume", backfills.resume_backfill),
    ("retry", backfills.retry_backfill),
    ("cancel", backfills.cancel_backfill),
    ("release", backfills.release_backfill),
]


@pytest.mark.parametrize("status", BackfillStatus)
def test_each_button_works_from_its_states_alone(run, status, admin, steward):
    for column, (action, service) in enumerate(SERVICES):
        Backfill.objects.filter(pk=run.pk).update(status=status)
        actor = steward if action == "release" else admin
        if MOVES[status][column]:
            moved = service(run, actor=actor, via="web", reason="because")
            assert moved.status == BACKFILL_MOVES[action][1]
            event = AuditEvent.objects.first()
            assert (event.action, event.via) == (f"backfill.{action}", "web")
            assert event.actor_id == actor.pk
        else:
            with pytest.raises(WrongState):
                service(run, actor=actor, reason="because")
            run.refresh_from_db()
            assert run.status == status


def test_a_stranger_may_press_nothing(run, shop):
    stranger = User.objects.create_user("eve")
    for _, service in SERVICES:
        with pytest.raises(NotAllowed):
            service(run, actor=stranger, reason="because")
    run.refresh_from_db()
    assert run.status == BackfillStatus.PLANNED


def test_a_paused_run_takes_no_window_and_goes_on_where_it_stopped(run, admin):
    take_turn(run.pk, seconds=0)
    backfills.pause_backfill(run, actor=admin)
    done = run.windows.filter(state=WindowState.DONE).count()

    assert take_turn(run.pk) is False
    assert lease_window(run.pk) is None
    assert run.windows.filter(state=WindowState.DONE).count() == done == 1

    work_off(backfills.resume_backfill(run, actor=admin))
    run.refresh_from_db()
    assert run.status == BackfillStatus.DONE
    assert set(run.windows.values_list("attempts", flat=True)) == {1}


def test_a_window_under_way_is_still_stored_after_a_pause(run, admin):
    take_turn(run.pk, seconds=0)
    window = lease_window(run.pk)
    backfills.pause_backfill(run, actor=admin)

    compute_window(window)

    window.refresh_from_db()
    assert window.state == WindowState.DONE


def test_a_cancelled_run_leaves_the_values_and_nothing_staged(shop, run, admin):
    work_off(run)
    before = _days()
    again = shop.plan("sales", purpose=Purpose.MANUAL, actor=admin)
    take_turn(again.pk, seconds=0)
    window = lease_window(again.pk)

    backfills.cancel_backfill(again, actor=admin)
    compute_window(window)

    assert not StagedValue.objects.exists()
    assert _days() == before
    again.refresh_from_db()
    assert again.status == BackfillStatus.CANCELLED


def test_a_run_by_hand_wants_a_reason_and_an_owner(shop, run, admin):
    work_off(run)
    metric = Metric.objects.get(key="sales")
    dates = {"start": company.FIRST, "until": company.FIRST + timedelta(days=3)}

    with pytest.raises(Invalid, match="Say why"):
        backfills.plan_by_hand(metric, **dates, actor=admin, reason=" ")
    with pytest.raises(NotAllowed):
        backfills.plan_by_hand(metric, **dates, actor=shop.author, reason="late rows")

    assert backfills.plan_by_hand(metric, **dates, actor=admin, reason="late rows").pk


def test_progress_and_difference_are_told_while_it_runs(shop, run):
    work_off(run)
    shop.publish("sales", sales_spec(filters=["store = 'north'"]), treatment="restate")
    again = shop.plan("sales")
    take_turn(again.pk, seconds=0)

    progress = progress_of(again)
    so_far = difference_so_far(again)

    assert (progress.done, progress.total, progress.parked) == (1, 4, 0)
    assert progress.eta_seconds > 0
    assert progress.rows_per_second > 0
    assert 0 < so_far.moved <= so_far.compared
    assert so_far.widest_pct < 0


# --- checks hold runs ------------------------------------------------------------------------


def test_a_failed_check_holds_a_run_until_a_steward_releases_it(shop, run, folder, steward):
    company.write(folder, company.orders(30))

    work_off(run)

    assert run.status == BackfillStatus.HELD
    assert "Freshness of Orders: The newest row is from" in run.error
    assert not Observation.objects.exists()
    with pytest.raises(Invalid, match="Say why"):
        backfills.release_backfill(run, actor=steward, reason="")

    work_off(backfills.release_backfill(run, actor=steward, reason="known holiday"))

    run.refresh_from_db()
    assert run.status == BackfillStatus.DONE
    assert len(_days()) == 30


def test_a_held_run_goes_on_by_itself_once_its_check_passes(shop, run, folder, settings):
    company.write(folder, company.orders(30))
    work_off(run)
    settings.CHECK_SECONDS = 0
    company.write(folder, company.orders(40))

    sweeping.release_passed()
    work_off(run)

    assert run.status == BackfillStatus.DONE


def test_a_check_that_could_not_run_holds_too(shop, run, monkeypatch):
    take_turn(run.pk, seconds=0)
    while window := lease_window(run.pk):
        compute_window(window)
    shop.break_source()

    work_off(run)

    assert run.status == BackfillStatus.HELD
    assert CheckRun.objects.first().outcome == "error"


def _work(run: Backfill) -> None:
    try:
        work_off(Backfill.objects.get(pk=run.pk))
    finally:
        windows.connections.close_all()
        connections.close_all()


def _expire(window: BackfillWindow) -> None:
    """What time does to the lease of a worker that is dead or frozen."""
    held = BackfillWindow.objects.filter(pk=window.pk)
    held.update(lease_until=Now() - timedelta(seconds=1))


def _days() -> list:
    metric = Metric.objects.get(key="sales")
    return [(p.period, p.value, p.run) for p in read_values(metric, grain="day").points]


def _until(claim, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not claim():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# --- who is told -------------------------------------------------------------------------------


def test_owners_are_told_how_a_run_ended(shop, run, folder, settings):
    settings.WINDOW_RETRY_SECONDS = 0
    owner = User.objects.create_user("ben")
    metric = Metric.objects.get(key="sales")
    Ownership.objects.create(entry=metric, user=owner, role="owner")
    work_off(run)
    company.write(folder, company.orders(40), without="amount")
    work_off(shop.plan("sales", purpose=Purpose.MANUAL, actor=shop.author))

    texts = list(Notice.objects.filter(recipient=owner).values_list("text", flat=True))

    assert len(texts) == 2
    assert "failed. The values from before stay." in texts[0]
    assert "no longer has `amount`" in texts[0]
    assert "is done; its values are shown now." in texts[1]
    assert Notice.objects.filter(recipient=shop.author).count() == 2
