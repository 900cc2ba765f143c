"""What a row of a list shows of each entry: who owns it, its last value, how it stands."""

from collections.abc import Sequence

from django.db.models import Prefetch, QuerySet

from catalog.choices import OwnershipRole
from catalog.models import Entry, Metric, Ownership
from governance.choices import OPEN
from governance.models import Change
from measurement.selectors.health import latest_points, states_of
from semantics.card import Words
from web import formatting

STATE_NAMES = {"green": "on_track", "yellow": "at_risk", "red": "off_track", "no_data": "no_data"}


def listed(metrics: QuerySet[Metric]) -> QuerySet[Metric]:
    """Metrics with all that their rows read, so that a list costs the same at any length."""
    owners = Prefetch("ownerships", Ownership.objects.select_related("user"))
    related = ("domain", "current_version", "served_resolution")
    return metrics.select_related(*related).defer("search").prefetch_related(owners)


def entry_rows(entries: Sequence[Entry], *, text: str = "") -> list[dict]:
    """A row for each entry, in a few queries. `text` is what was searched for."""
    metrics = [entry for entry in entries if isinstance(entry, Metric)]
    points, states = latest_points(metrics), states_of(metrics)
    keys = [entry.key for entry in entries]
    changes = Change.objects.filter(key__in=keys, request__status__in=OPEN).order_by("request_id")
    in_review = dict(changes.values_list("key", "request_id"))
    rows = []
    for entry in entries:
        series = [value for _, value in points.get(entry.pk, []) if value is not None]
        state = states.get(entry.pk)
        rows.append(
            {
                "entry": entry,
                "role": getattr(entry, "role", ""),
                "owners": _owners(entry),
                "value": _value(entry, series),
                "curve": [float(value) for value in series],
                "state": STATE_NAMES.get(state.name) if state else None,
                "also": _also(entry, text),
                "request": in_review.get(entry.key),
            }
        )
    return rows


def _owners(entry: Entry) -> list:
    held = [one.user for one in entry.ownerships.all() if one.role == OwnershipRole.OWNER]
    return sorted(held, key=str)


def _value(entry: Entry, series: list) -> str:
    if not series or entry.current_version is None:
        return ""
    unit = Words.model_validate(entry.current_version.words).unit.model_dump()
    return formatting.with_unit(series[-1], unit, compact=True)


def _also(entry: Entry, text: str) -> str:
    """The other name that the words were found by, when the name itself does not say them."""
    words = text.lower().split()
    if not words or any(word in entry.name.lower() for word in words):
        return ""
    for synonym in entry.synonyms:
        if any(word in synonym.lower() for word in words):
            return synonym
    return ""
