"""Which version's values are the official line where, as of an instant of record time.

A restating version takes the whole line; one that breaks the series, or keeps both, takes it from
its effective day on; one that moves no value takes its predecessor's place, and not before that
one's day. Each was made on top of the one before it, so that the later one has the say wherever
both reach, whatever their days. A version counts once its day has come and its values are served.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from catalog.choices import Treatment
from catalog.models import Metric, Resolution, Version
from core import clock
from measurement.closures import calendar_of, closure_of
from measurement.models import Served
from measurement.values import Mark


@dataclass(frozen=True)
class Segment:
    """From `start` on (None: from the beginning) the line is that of one resolution."""

    start: date | None
    version: int
    resolution: Resolution


@dataclass(frozen=True)
class Lines:
    """`now` is the official line; `reported` the one without restatements; `second` is what is
    shown beside them while both are kept."""

    now: list[Segment]
    reported: list[Segment]
    second: list[Segment]
    marks: list[Mark]


def lines_of(metric: Metric, *, as_of: datetime | None, today: date) -> Lines:
    """The lines that a metric's versions make up, from what was served as of an instant."""
    served = served_as_of(metric, as_of)
    if served is None:
        return Lines([], [], [], [])
    found = Version.objects.filter(entry=metric, number__lte=served.version.number)
    if as_of is not None:
        found = found.filter(recorded_at__lte=as_of)
    resolutions = Resolution.objects.filter(metric=metric, number__lte=served.number)
    return _lines(found, resolutions.select_related("metric"), today)


def lines_now(metrics: Iterable[Metric], *, today: date) -> dict[int, Lines]:
    """The lines of many metrics as they are served now, by metric, in a constant number of
    queries."""
    served = {metric.pk: metric.served_resolution for metric in metrics if metric.served_resolution}
    found: dict[int, list[Version]] = {pk: [] for pk in served}
    for version in Version.objects.filter(entry__in=served):
        if version.number <= served[version.entry_id].version.number:
            found[version.entry_id].append(version)
    listed: dict[int, list[Resolution]] = {pk: [] for pk in served}
    rows = Resolution.objects.filter(metric__in=served).select_related("version", "metric")
    for resolution in rows:
        if resolution.number <= served[resolution.metric_id].number:
            listed[resolution.metric_id].append(resolution)
    return {pk: _lines(versions, listed[pk], today) for pk, versions in found.items()}


def _lines(found: Iterable[Version], listed: Iterable[Resolution], today: date) -> Lines:
    """The lines of a metric's versions and resolutions up to what is served."""
    days = _effective_days(found)
    versions = _in_force(days, today)
    resolutions = _by_version(versions, listed)
    now: list[Segment] = []
    second: list[Segment] = []
    marks: list[Mark] = []
    for previous, version in zip([None, *versions], versions, strict=False):
        latest = resolutions[version.pk][-1]
        if previous is None:
            now = [Segment(None, version.number, latest)]
        elif version.treatment in (Treatment.BREAK, Treatment.KEEP_BOTH):
            second = now if _is_kept(version, today) else []
            dated = Segment(days[version], version.number, latest)
            now = [*_before(now, days[version]), dated]
        elif version.treatment == Treatment.RESTATE:
            now, second = [Segment(None, version.number, latest)], []
        else:
            now = [*now[:-1], Segment(now[-1].start, version.number, latest)]
        marks += _marks(previous, version, days[version], resolutions[version.pk])
    return Lines(now, _reported(days, versions, resolutions), second, marks)


def _reported(
    days: dict[Version, date], versions: list[Version], resolutions: dict[int, list[Resolution]]
) -> list[Segment]:
    """Each version from its effective day on, and what a dataset changed from that day on."""
    line: list[Segment] = []
    for version in versions:
        for index, resolution in enumerate(resolutions[version.pk]):
            start = _day_of(resolution) if index else days[version]
            line = [*_before(line, start), Segment(start, version.number, resolution)]
    # What was there before the first version took effect was computed by it.
    return [Segment(None, line[0].version, line[0].resolution), *line[1:]] if line else []


def _day_of(resolution: Resolution) -> date:
    """The day that it was, where the rows come from, when it came to be."""
    specs = closure_of({pin["key"]: pin["definition"] for pin in resolution.pins})
    zone = calendar_of(resolution.metric.key, specs).zone
    return resolution.created_at.astimezone(ZoneInfo(zone)).date()


def _marks(
    previous: Version | None, version: Version, on: date, resolutions: list[Resolution]
) -> list[Mark]:
    """Where a version took hold, and where something below it moved its values."""
    marks = []
    if previous is not None:
        marks.append(
            Mark(
                on=on,
                version=version.number,
                previous=previous.number,
                treatment=version.treatment,
                change_class=version.change_class,
                headline=version.comparability.get("headline", ""),
            )
        )
    for before, after in zip(resolutions, resolutions[1:], strict=False):
        if before.hash != after.hash:
            day, number, below = _day_of(after), version.number, _moved(before, after)
            names = " and ".join(f"{key} v{since}" for key, since in below)
            said = f"It is computed from {names}, which changed."
            marks.append(Mark(day, number, number, Treatment.RESTATE, "restating", said, below))
    return marks


def _moved(before: Resolution, after: Resolution) -> tuple[tuple[str, int], ...]:
    """What a resolution stands on otherwise than the one before it, by key and version."""
    stood = {(pin["key"], pin["number"]) for pin in before.pins}
    stands = ((pin["key"], pin["number"]) for pin in after.pins)
    return tuple(pin for pin in stands if pin not in stood)


def pinned(metric: Metric, number: int, *, as_of: datetime | None) -> Resolution | None:
    """The resolution that stands for `key@n`: the version's last."""
    found = Resolution.objects.filter(metric=metric, version__number=number)
    if as_of is not None:
        found = found.filter(version__recorded_at__lte=as_of, created_at__lte=as_of)
    return found.select_related("version").order_by("-number").first()


def _before(segments: list[Segment], start: date) -> list[Segment]:
    return [one for one in segments if one.start is None or one.start < start]


def _is_kept(version: Version, today: date) -> bool:
    return (
        version.treatment == Treatment.KEEP_BOTH
        and version.keep_both_until is not None
        and today < version.keep_both_until
    )


def served_as_of(metric: Metric, as_of: datetime | None) -> Resolution | None:
    if as_of is None:
        if metric.served_resolution_id is None:
            return None
        return Resolution.objects.select_related("version").get(pk=metric.served_resolution_id)
    found = Served.objects.filter(metric=metric, since__lte=as_of).order_by("-since", "-pk")
    served = found.select_related("resolution__version").first()
    return served.resolution if served else None


def _effective_days(found: Iterable[Version]) -> dict[Version, date]:
    """Versions as they followed each other, and the day on which each takes hold.

    One that moves no value has its predecessor's formula, and so holds no earlier than that one.
    """
    days: dict[Version, date] = {}
    before = date.min
    for version in sorted(found, key=lambda version: version.number):
        day = version.effective_from
        before = days[version] = day if version.treatment else max(day, before)
    return days


def _in_force(days: dict[Version, date], today: date) -> list[Version]:
    """Those versions whose day has come, in the order in which they were decided."""
    begun = [version for version, day in days.items() if day <= today]
    # A first version that is effective later than today has values, and nothing else to show.
    return begun or list(days)[:1]


def _by_version(
    versions: list[Version], found: Iterable[Resolution]
) -> dict[int, list[Resolution]]:
    """The resolutions of each version, in order."""
    listed: dict[int, list[Resolution]] = {version.pk: [] for version in versions}
    for resolution in sorted(found, key=lambda resolution: resolution.number):
        if resolution.version_id in listed:
            listed[resolution.version_id].append(resolution)
    return listed


def to_come(metric: Metric, today: date) -> Version | None:
    """The next version that moves values and whose day has not come: until then the line before it
    is the official one."""
    days = _effective_days(metric.versions.all())
    return next(
        (one for one, day in days.items() if day > today and one.number > 1 and one.treatment),
        None,
    )


def today_of(zone: str, as_of: datetime | None) -> date:
    """The day that it is, or was, in a zone."""
    return as_of.astimezone(ZoneInfo(zone)).date() if as_of else clock.today(zone)
