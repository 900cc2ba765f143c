"""Validation of datasets: is the newest row new enough, and did about as many rows come as usual.

A check that failed, or that did not run, holds back every run that reads its dataset.
"""

from datetime import date, datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from catalog.models import Dataset
from core import audit, clock
from core.errors import EtalonError, Invalid, NotAllowed
from core.jobs import ring
from core.row_history import keep_quiet, sign
from measurement import policies
from measurement.choices import PASSING, CheckKind, Outcome
from measurement.closures import closure_of, datasets, dated_datasets
from measurement.models import Backfill, Check, CheckRun, Source
from measurement.warehouses import open_source
from measurement.warehouses.base import Limits
from measurement.warehouses.datasets import newest_row, rows_by_day
from semantics.definition import DatasetSpec

DEFAULTS = {
    CheckKind.FRESHNESS: {"max_age_hours": 36},
    # `band`: how far below its own past a day may lie, as a share of the median.
    CheckKind.ROW_COUNT: {"band": 0.5},
}
WEEKS_BACK = 8
ENOUGH_PAST = 3
# A normal deviation in units of the median deviation, and how many of them are still usual.
_DEVIATION, _USUAL = 1.4826, 4
_TASK = "measurement.tasks.run_checks"


def ensure_checks() -> None:
    """Give every dataset whose rows have a day its two checks. Kept ones stay as they are."""
    for dataset in Dataset.objects.live().select_related("current_version"):
        if spec_of(dataset).time_dimension is None:
            continue
        for kind, parameters in DEFAULTS.items():
            # Two workers may come here together; the constraint makes them agree.
            Check.objects.get_or_create(
                dataset=dataset, kind=kind, defaults={"parameters": parameters}
            )


# What of each kind can be set, and within which bounds.
LIMITS = {
    CheckKind.FRESHNESS: ("max_age_hours", 1.0, 24.0 * 366),
    CheckKind.ROW_COUNT: ("band", 0.05, 1.0),
}


@transaction.atomic
def change_check(
    check: Check, *, limit: float, is_blocking: bool, actor, reason: str, via: str = "service"
) -> Check:
    """Change what a check allows, and whether it holds runs back, with the reason.

    `limit` is the one figure of its kind; see LIMITS. Without a difference nothing is written.
    """
    check = Check.objects.select_for_update(of=("self",)).get(pk=check.pk)
    if why := policies.why_not_configure(actor):
        raise NotAllowed(why)
    name, least, most = LIMITS[CheckKind(check.kind)]
    if not least <= limit <= most:  # NaN is neither
        _refuse("limit", "bad_value", f"`{name}` lies between {least:g} and {most:g}.")
    if not reason.strip():
        _refuse("reason", "required", "Say why the check is changed.")
    parameters = {**check.parameters, name: limit}
    if (parameters, is_blocking) == (check.parameters, check.is_blocking):
        return check
    before = {"parameters": check.parameters, "is_blocking": check.is_blocking}
    check.parameters, check.is_blocking = parameters, is_blocking
    # What it found by the rule from before says nothing about the new one.
    check.asked_at = clock.now()
    sign(check, actor=actor, reason=reason.strip())
    check.save(update_fields=["parameters", "is_blocking", "asked_at"])
    audit.record(
        "check.change",
        check,
        actor=actor,
        via=via,
        reason=reason,
        parameters=parameters,
        is_blocking=is_blocking,
        before=before,
    )
    ring(_TASK)
    return check


@transaction.atomic
def ask_check(check: Check, *, actor, via: str = "service") -> Check:
    """Have a check run now by a worker. Asked again before it ran, nothing more is written."""
    check = Check.objects.select_for_update(of=("self",)).get(pk=check.pk)
    if why := policies.why_not_ask(actor, check):
        raise NotAllowed(why)
    if check.asked_at is not None:
        return check
    check.asked_at = clock.now()
    keep_quiet(check)
    check.save(update_fields=["asked_at"])
    audit.record("check.ask", check, actor=actor, via=via)
    ring(_TASK)
    return check


def _refuse(place: str, code: str, message: str) -> None:
    raise Invalid(message, problems=[{"place": place, "code": code, "message": message}])


def run_due_checks() -> list[CheckRun]:
    """Run every check that has not run within its interval, those first that somebody asked for."""
    ensure_checks()
    checks = Check.objects.filter(dataset__in=Dataset.objects.live())
    due = [check for check in checks if check.asked_at or not _is_recent(latest_run(check))]
    return [run_check(check) for check in sorted(due, key=lambda check: check.asked_at is None)]


def run_check(check: Check) -> CheckRun:
    """Run a check now. A source that cannot be asked gives the outcome *could not run*."""
    now = clock.now()
    dataset = spec_of(check.dataset)
    today = now.astimezone(ZoneInfo(dataset.time_zone)).date()
    try:
        measure = _freshness if check.kind == CheckKind.FRESHNESS else _row_count
        result = measure(check, dataset, today, now)
    except EtalonError as error:
        result = {"outcome": Outcome.ERROR, "message": error.message[:400], "day": today}
    # Whoever asked before it began is answered. The history does not hold what is asked.
    Check.objects.filter(pk=check.pk, asked_at__lte=now).update(asked_at=None)
    return CheckRun.objects.create(check_rule=check, ran_at=now, **result)


def note_away(dataset_key: str, error: EtalonError) -> None:
    """Note that a dataset's source could not be asked, so that its metrics say so at once and not
    when the check is due. Said once as long as nothing else is found."""
    ensure_checks()
    check = Check.objects.filter(dataset__key=dataset_key, kind=CheckKind.FRESHNESS).first()
    if check is None:
        return
    last, message = latest_run(check), error.message[:400]
    if last is not None and (last.outcome, last.message) == (Outcome.ERROR, message):
        return
    now = clock.now()
    CheckRun.objects.create(
        check_rule=check,
        ran_at=now,
        day=now.astimezone(ZoneInfo(spec_of(check.dataset).time_zone)).date(),
        outcome=Outcome.ERROR,
        message=message,
    )


def latest_run(check: Check) -> CheckRun | None:
    return check.runs.order_by("-ran_at", "-pk").first()


def why_hold(backfill: Backfill) -> str:
    """The sentence that says which check holds a run back, or an empty text.

    Asks the sources when a check has not run lately, so call it outside of transactions.
    """
    if backfill.purpose in PASSING or backfill.checks_waived:
        return ""
    keys = {
        key
        for target in backfill.targets.all()
        for key in dated_datasets(closure_of(target.definitions))
    }
    if Dataset.objects.live().filter(key__in=keys).exclude(checks__isnull=False).exists():
        ensure_checks()
    blocking = Check.objects.filter(dataset__key__in=keys, is_blocking=True)
    for check in blocking.select_related("dataset"):
        last = latest_run(check)
        run = last if last and _is_recent(last) and not check.asked_at else run_check(check)
        if run.outcome != Outcome.PASSED:
            return f"{check}: {run.message}"
    return ""


def _is_recent(run: CheckRun | None) -> bool:
    """Whether a result still holds. What failed is looked at again sooner, and what could not
    run at once: the source may be back."""
    if run is None or run.outcome == Outcome.ERROR:
        return False
    patience = settings.CHECK_SECONDS / (1 if run.outcome == Outcome.PASSED else 12)
    return clock.now() - run.ran_at < timedelta(seconds=patience)


def spec_of(dataset: Dataset) -> DatasetSpec:
    hash_ = dataset.shown.definition_id
    return datasets(closure_of({dataset.key: hash_}))[dataset.key]


def _freshness(check: Check, dataset: DatasetSpec, today: date, now: datetime) -> dict:
    source = Source.objects.get(key=dataset.source)
    limit = float(check.parameters.get("max_age_hours", 36))
    newest = newest_row(open_source(source), dataset, Limits(source.time_limit_seconds), now=now)
    if newest is None:
        return {"outcome": Outcome.FAILED, "message": "There are no rows at all.", "day": today}
    age = max(0.0, (now - newest).total_seconds() / 3600)
    passed = age <= limit
    # The end of a day that is all that is known of a row is said as that day.
    seen = (newest - timedelta(microseconds=1)).astimezone(ZoneInfo(dataset.time_zone))
    return {
        "outcome": Outcome.PASSED if passed else Outcome.FAILED,
        "day": today,
        "measured": round(age, 2),
        "low": 0.0,
        "high": limit,
        "message": (
            f"The newest row is from {seen.day} {seen:%B %Y}, {_hours(age)} old"
            + ("." if passed else f"; at most {_hours(limit)} are allowed.")
        ),
    }


def _hours(hours: float) -> str:
    if hours < 1:
        return "less than an hour"
    return f"{hours:.0f} hours" if hours < 72 else f"{hours / 24:.0f} days"


def _row_count(check: Check, dataset: DatasetSpec, today: date, now: datetime) -> dict:
    """Compare yesterday with the same weekday of the weeks before."""
    source = Source.objects.get(key=dataset.source)
    day = today - timedelta(days=1)
    counts = rows_by_day(
        open_source(source),
        dataset,
        day - timedelta(weeks=WEEKS_BACK),
        today,
        Limits(source.time_limit_seconds),
        now=now,
    )
    rows = counts.get(day, 0)
    before = [day - timedelta(weeks=week) for week in range(1, WEEKS_BACK + 1)]
    past = [counts[earlier] for earlier in before if earlier in counts]
    found = f"{rows:,} {'row' if rows == 1 else 'rows'} on {day.day} {day:%B}"
    if len(past) < ENOUGH_PAST:
        return {
            "outcome": Outcome.PASSED,
            "day": day,
            "measured": rows,
            "message": f"{found}; too few weeks before it to compare with.",
        }
    low, high = _band(past, float(check.parameters.get("band", 0.5)))
    passed = low <= rows <= high
    return {
        "outcome": Outcome.PASSED if passed else Outcome.FAILED,
        "day": day,
        "measured": rows,
        "low": low,
        "high": high,
        "message": f"{found}; between {low:,.0f} and {high:,.0f} are usual for a {day:%A}.",
    }


def _band(past: list[int], share: float) -> tuple[float, float]:
    """What is usual: around the median, as wide as the past varied and at least `share`."""
    middle = median(past)
    spread = _USUAL * _DEVIATION * median(abs(rows - middle) for rows in past)
    low = min(middle * (1 - share), middle - spread)
    high = max(middle / max(1 - share, 0.05), middle + spread)
    return max(0.0, round(low, 1)), round(high, 1)
