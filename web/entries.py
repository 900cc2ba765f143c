"""What all pages of one entry share: its head and tabs, and its definition in words."""

from datetime import datetime

from django.http import Http404

from catalog.choices import Kind, OwnershipRole
from catalog.models import Entry, Follow, Metric, Version
from catalog.selectors.entries import entry_by_key
from catalog.selectors.history import EntryThen, entry_as_of, stewardship_then
from catalog.stewardship import stewardship_of
from core import clock
from core.errors import Invalid, NotFound
from core.instants import read_instant
from governance.models import ChangeRequest
from measurement.selectors.health import health_of
from measurement.selectors.official import to_come
from semantics.canonical import canonical
from semantics.phrases import in_words
from web import formatting


def found_entry(key: str) -> Entry:
    try:
        return entry_by_key(key)
    except NotFound as error:
        raise Http404(error.message) from error


def found_version(entry: Entry, number: int | None) -> Version:
    if number is None:
        if entry.current_version is None:
            raise Http404(f"{entry.name} has no version yet.")
        return entry.current_version
    found = entry.versions.select_related("definition").filter(number=number).first()
    if found is None:
        raise Http404(f"There is no {entry.key}@{number}.")
    return found


def instant_of(request) -> datetime | None:
    """The instant of `?as_of=`, or None for now."""
    text = request.GET.get("as_of", "").strip()
    if not text:
        return None
    try:
        return read_instant(text)
    except (ValueError, OverflowError) as error:
        raise Invalid(
            f"“{text[:40]}” is no day to look back to. Write it like 2026-03-31."
        ) from error


def then_of(request, entry: Entry) -> EntryThen | None:
    """The entry as it was at the instant of `?as_of=`; None when now is asked for."""
    instant = instant_of(request)
    if instant is None:
        return None
    try:
        return entry_as_of(entry.key, instant)
    except NotFound as error:
        first = entry.versions.order_by("number").first()
        since = f" Its first version is of {formatting.day(first.published_at)}." if first else ""
        raise NotFound(
            f"{entry.name} was not in the catalog on {formatting.day(instant)}.{since}"
        ) from error


def frame_of(request, entry: Entry, place: str, then: EntryThen | None = None) -> dict:
    """What every tab of the page has: head, notices, tabs; of an earlier time with `then`."""
    is_metric = entry.kind == Kind.METRIC
    open_requests = ChangeRequest.objects.open().about(entry.key).select_related("author")
    metric = Metric.objects.get(pk=entry.pk) if is_metric and then is None else None
    return {
        "place": "catalog",
        "entry": entry,
        "head": _head(entry, then),
        "then": then,
        "as_of": request.GET.get("as_of", "") if then else "",
        "as_of_day": instant_of(request) if then else None,
        "first_day": entry.versions.order_by("number").values_list("published_at", flat=True)[:1],
        "today": clock.today(),
        "people": _people(entry, then),
        "stewardship": stewardship_then(then) if then else stewardship_of(entry),
        "follows": Follow.objects.filter(entry_id=entry.pk, user=request.user).exists(),
        "follower_count": Follow.objects.filter(entry_id=entry.pk).count(),
        "open_requests": [] if then else list(open_requests[:5]),
        "health": health_of(metric) if metric else None,
        "to_come": to_come(metric, clock.today()) if metric else None,
        "crumbs": [
            ("Catalog", "/metrics"),
            (entry.domain.name, f"/metrics?domain={entry.domain.key}"),
        ],
        "tabs": _tabs(request, entry, place, then),
    }


def _head(entry: Entry, then: EntryThen | None) -> dict:
    if then is not None:
        return {
            "name": then.name,
            "description": then.words.definition,
            "tier": then.tier,
            "lifecycle": then.lifecycle,
            "version": then.version,
        }
    return {
        "name": entry.name,
        "description": entry.description,
        "tier": entry.tier,
        "lifecycle": entry.lifecycle,
        "version": entry.current_version,
    }


def _people(entry: Entry, then: EntryThen | None) -> dict[str, list]:
    """Owners, backups and stewards, by their names."""
    if then is not None:
        return {role: list(held) for role, held in then.people.items()}
    found: dict[str, list] = {role: [] for role in OwnershipRole.values}
    for ownership in entry.ownerships.select_related("user"):
        found[ownership.role].append(ownership.user)
    return {role: sorted(held, key=str) for role, held in found.items()}


def _tabs(request, entry: Entry, place: str, then: EntryThen | None) -> list[dict]:
    base = f"/metrics/{entry.key}"
    is_metric = entry.kind == Kind.METRIC
    back = f"?as_of={request.GET['as_of']}" if then else ""
    tabs = [
        ("overview", "Overview", f"{base}{back}"),
        ("history", "History", f"{base}/history{back}"),
    ]
    if then is None:
        tabs += [
            ("lineage", "Lineage", f"{base}/lineage"),
            *([("checks", "Checks", f"{base}/checks")] if is_metric else []),
            ("changes", "Changes", f"{base}/changes"),
        ]
    return [{"label": label, "url": url, "is_current": name == place} for name, label, url in tabs]


def definition_lines(spec) -> list[tuple[str, str]]:
    """The definition as people read it: label and text."""
    document = canonical(spec)
    lines = [("Type", spec.type.capitalize())]
    for name, value in document.items():
        if name in ("type", "filters"):
            continue
        if name == "dimensions":
            value = [dimension_name(each) for each in value]
        lines.append((name.replace("_", " ").capitalize(), said(value)))
    for text in getattr(spec, "filters", []):
        lines.append(("Filter", in_words(text)))
    return lines


def dimension_name(path: str) -> str:
    """`household__age` as people say it: `household age`."""
    return path.replace("__", " ").replace("_", " ")


def said(value) -> str:
    """A piece of a spec in words."""
    if isinstance(value, dict):
        if set(value) <= {"count", "grain"}:
            count = value.get("count", 1)
            return f"{count} {value.get('grain', 'day')}{'' if count == 1 else 's'}"
        if "metric" in value:
            where = " and ".join(in_words(text) for text in value.get("filters", []))
            back = f", {said(value['offset'])} before" if value.get("offset") else ""
            return f"{value['metric']}{f' where {where}' if where else ''}{back}"
        return ", ".join(f"{name.replace('_', ' ')} {said(inner)}" for name, inner in value.items())
    if isinstance(value, list):
        return ", ".join(said(each) for each in value)
    return str(value)
