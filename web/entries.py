"""What all pages of one entry share: its head and tabs, and its definition in words."""

from django.http import Http404

from catalog.choices import Kind, OwnershipRole
from catalog.models import Entry, Follow, Metric, Version
from catalog.selectors.entries import entry_by_key
from catalog.stewardship import stewardship_of
from core.errors import NotFound
from governance.models import ChangeRequest
from measurement.selectors.health import health_of
from semantics.canonical import canonical
from semantics.phrases import in_words


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


def frame_of(request, entry: Entry, place: str) -> dict:
    """What every tab of the page has: head, notices, tabs."""
    base = f"/metrics/{entry.key}"
    open_requests = list(ChangeRequest.objects.open().about(entry.key).select_related("author")[:5])
    owners = [
        ownership.user
        for ownership in entry.ownerships.select_related("user")
        if ownership.role == OwnershipRole.OWNER
    ]
    is_metric = entry.kind == Kind.METRIC
    tabs = [
        ("overview", "Overview", base),
        ("history", "History", f"{base}/history"),
        ("lineage", "Lineage", f"{base}/lineage"),
        *([("checks", "Checks", f"{base}/checks")] if is_metric else []),
        ("changes", "Changes", f"{base}/changes"),
    ]
    health = health_of(Metric.objects.get(pk=entry.pk)) if is_metric else None
    return {
        "place": "catalog",
        "entry": entry,
        "owners": owners,
        "stewardship": stewardship_of(entry),
        "follows": Follow.objects.filter(entry_id=entry.pk, user=request.user).exists(),
        "follower_count": Follow.objects.filter(entry_id=entry.pk).count(),
        "open_requests": open_requests,
        "health": health,
        "crumbs": [
            ("Catalog", "/metrics"),
            (entry.domain.name, f"/metrics?domain={entry.domain.key}"),
        ],
        "tabs": [
            {"label": label, "url": url, "is_current": name == place} for name, label, url in tabs
        ],
    }


def definition_lines(spec) -> list[tuple[str, str]]:
    """The definition as people read it: label and text."""
    document = canonical(spec)
    lines = [("Type", spec.type.capitalize())]
    for name, value in document.items():
        if name in ("type", "filters"):
            continue
        lines.append((name.replace("_", " ").capitalize(), said(value)))
    for text in getattr(spec, "filters", []):
        lines.append(("Filter", in_words(text)))
    return lines


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


def line_of(points) -> list[tuple]:
    return [
        (point.period, None if point.value is None else float(point.value), f"v{point.version}")
        for point in points
    ]
