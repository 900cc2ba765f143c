"""What pages show of change requests: figures of a preview as a chart, a timeline in words."""

from core.models import AuditEvent
from measurement.previews import PreviewFigures

_WORDS = {
    "open": ("edit", "opened it"),
    "submit": ("changes", "submitted r{revision}"),
    "approve": ("shape-check", "approved r{revision}"),
    "request_changes": ("shape-triangle", "requested changes on r{revision}"),
    "comment": ("comment", "commented"),
    "publish": ("shape-check", "published {versions}"),
    "schedule": ("clock", "scheduled it"),
    "withdraw": ("shape-dash", "withdrew it"),
    "reject": ("shape-cross", "rejected it"),
    "rebase": ("retry", "updated it to the versions in force"),
}


def preview_chart(figures: PreviewFigures) -> dict:
    """Old and new on one axis, as `components/chart.html` draws them."""
    old = [(point.period, _float(point.old)) for point in figures.points]
    new = [(point.period, _float(point.new)) for point in figures.points]
    series = [{"label": "Proposed", "style": "", "points": new}]
    if not figures.is_new:
        series.append({"label": "In force", "style": "old", "points": old})
    return {
        "key": figures.key,
        "figures": figures,
        "spec": {
            "title": f"{figures.key}: proposed and in force",
            "grain": figures.grain,
            "unit": {"kind": "unitless", "code": "", "decimals": 2},
            "series": series,
            "incomplete": bool(figures.points) and not figures.points[-1].is_complete,
        }
        if figures.points
        else None,
    }


def _float(number) -> float | None:
    return None if number is None else float(number)


def timeline_of(request) -> list[dict]:
    """The audit log of one request, in words, newest first."""
    events = AuditEvent.objects.filter(
        subject_type="governance.changerequest", subject_id=str(request.pk)
    ).order_by("-sequence")
    found = []
    for event in events[:100]:
        verb = event.action.removeprefix("change.")
        icon, text = _WORDS.get(verb, ("info", verb.replace("_", " ")))
        detail = {**event.detail, "versions": ", ".join(event.detail.get("versions", []))}
        try:
            said = text.format(**detail)
        except KeyError:
            said = text.split("{")[0].strip()
        found.append(
            {
                "icon": icon,
                "text": f"{event.actor_label} {said}",
                "at": event.happened_at,
                "note": f"{event.via}{': ' + event.reason if event.reason else ''}",
            }
        )
    return found
