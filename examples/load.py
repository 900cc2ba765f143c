"""Loading the example company, from people to values, and going on where a load was cut short."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from django.db import transaction

from accounts.models import User
from catalog.models import Dataset, Entry, Metric, Resolution
from catalog.services.cards import follow
from core import audit, clock
from core.models import AuditEvent
from core.notices import mark_read
from core.row_history import sign
from examples.company import Company
from examples.history import WRITING, History, work_off_all
from examples.people import VIA, add_people
from examples.replay import ZONE, Shift
from examples.source import KEY, add_source, move_source, shift_of
from governance.services.approval_policies import seed_default_policies
from measurement.choices import UNFINISHED, CheckKind, Purpose
from measurement.closures import days_that_may_move
from measurement.models import Backfill, Check, Series, Source
from measurement.plans import TargetPlan, target_of_resolution
from measurement.services.backfills import plan_backfill
from measurement.services.checks import run_due_checks

Say = Callable[[str], None]
LOADED = "example.load"


def load(company: Company, *, say: Say, weeks: int | None = None) -> bool:
    """Load all of it. Returns whether there was something to do.

    Every part looks for what is there already, so that it may be called again at any time.
    """
    if AuditEvent.objects.filter(action=LOADED).exists():
        return False
    shift = _shift(weeks)
    with clock.simulated(_beginning(company, shift)):
        with _told(say, "People, roles and approval policies"):
            people = add_people(company)
            seed_default_policies(via=VIA)
        with _told(say, f"The shop's tills, moved by {shift.weeks} weeks"):
            source = add_source(shift, actor=people["finn"])
    History(company, shift, people, say).play(after=lambda: set_checks(company))
    with _told(say, "Values up to now"):
        _settle_in(company, people, shift)
        extend_to_now(say)
    with transaction.atomic():
        audit.record(LOADED, source, actor=None, via=VIA, weeks=shift.weeks)
    return True


def _shift(weeks: int | None) -> Shift:
    source = Source.objects.filter(key=KEY).first()
    if source is not None:
        return shift_of(source)
    return Shift(weeks) if weeks is not None else Shift.for_today(clock.today(ZONE))


def _beginning(company: Company, shift: Shift) -> datetime:
    """A little before the first request was begun."""
    return company.requests[0].steps[0].instant(shift) - 2 * WRITING


@contextmanager
def _told(say: Say, what: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    say(f"{what} ({time.monotonic() - started:.1f} s)")


def set_checks(company: Company) -> None:
    """Tell the checks of datasets whose rows do not come every day what is usual for them."""
    datasets = {one.key: one for one in Dataset.objects.live()}
    for wanted in company.checks:
        parameters = {
            CheckKind.FRESHNESS: {"max_age_hours": wanted["max_age_hours"]},
            CheckKind.ROW_COUNT: {"band": wanted["band"]},
        }
        for kind, values in parameters.items():
            dataset = datasets.get(wanted["dataset"])
            if dataset is None or Check.objects.filter(dataset=dataset, kind=kind).exists():
                continue
            check = Check(dataset=dataset, kind=kind, parameters=values)
            sign(check, actor=None, reason=wanted["because"])
            check.save()


def _settle_in(company: Company, people: dict[str, User], shift: Shift) -> None:
    """Let people follow what they care for; what they were told before this fortnight they know."""
    last = company.requests[-1].steps[-1].instant(shift)
    entries = Entry.objects.in_bulk(field_name="key")
    with clock.simulated(last):
        for person in company.people:
            user = people[person["username"]]
            for key in person.get("follows", ()):
                follow(entries[key], actor=user)
            mark_read(user, before=last - timedelta(days=14))


def extend_to_now(say: Say) -> None:
    """Compute what has come since each publication: all that is served or kept, and the versions
    before it, so that they can be compared over the whole year. Metrics that were computed until
    the same day are asked together."""
    until = clock.today(ZONE) + timedelta(days=1)
    for since, targets in _behind(until).items():
        with transaction.atomic():
            plan_backfill(
                targets,
                purpose=Purpose.DAILY,
                actor=None,
                start=since,
                until=until,
                via=VIA,
                reason="The replay catches up with today",
            )
    runs = list(Backfill.objects.filter(status__in=UNFINISHED).order_by("pk"))
    for number, run in enumerate(runs, start=1):
        keys = sorted({target.key for target in run.targets.all()})
        more = f" and {len(keys) - 2} more" if len(keys) > 2 else ""
        with _told(say, f"  {', '.join(keys[:2])}{more}, run {number} of {len(runs)}"):
            work_off_all([run])
    run_due_checks()


def _behind(until: date) -> dict[date, list[TargetPlan]]:
    """What does not reach up to a day, by the day from which it has to be computed."""
    first_day = Source.objects.get(key=KEY).first_day
    found: dict[date, list[TargetPlan]] = {}
    for resolution in _resolutions():
        target = target_of_resolution(resolution)
        days = list(
            Series.objects.filter(resolution_hash=target.resolution_hash).values_list(
                "until", flat=True
            )
        )
        covered = min(days) if days and None not in days else None
        if covered is None or covered < until:
            back = timedelta(days=1 + days_that_may_move(target.key, target.specs))
            since = max(first_day, covered - back) if covered else first_day
            found.setdefault(since, []).append(target)
    return found


def _resolutions() -> list[Resolution]:
    """What each metric stands on now and, of each earlier version, what it stood on last."""
    found: dict[str, Resolution] = {}
    for metric in Metric.objects.live().exclude(current_resolution=None).order_by("pk"):
        newest_of_version = {one.version_id: one for one in metric.resolutions.order_by("number")}
        for resolution in newest_of_version.values():
            found.setdefault(resolution.hash, resolution)
    return list(found.values())


def move_again(*, via: str) -> tuple[Source, Backfill]:
    """Move the year to where today lies in its last fifth again, and compute everything anew.

    The history of definitions keeps its days; every day has other rows. Workers do the computing.
    """
    source = Source.objects.get(key=KEY)
    shift = Shift.for_today(clock.today(ZONE))
    since = source.first_day
    with transaction.atomic():
        source = move_source(source, shift, actor=None, via=via)
        backfill = plan_backfill(
            [target_of_resolution(resolution) for resolution in _resolutions()],
            purpose=Purpose.MANUAL,
            actor=None,
            start=since,
            via=via,
            reason=f"The example's year was moved to {shift.first_day} – {shift.last_day}",
        )
    return source, backfill
