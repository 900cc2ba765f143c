"""What happened to a request, as `components/timeline.html` draws it."""

from collections.abc import Iterable

from governance.reading import Happened

_ICONS = {
    "open": "edit",
    "submit": "changes",
    "approve": "shape-check",
    "request_changes": "shape-triangle",
    "comment": "comment",
    "comment_resolved": "check",
    "comment_reopened": "comment",
    "publish": "shape-check",
    "schedule": "clock",
    "take_back": "edit",
    "withdraw": "shape-dash",
    "reject": "shape-cross",
    "rebase": "retry",
    "split": "changes",
    "undo": "retry",
}


def events_of(timeline: Iterable[Happened]) -> list[dict]:
    """Each deed with its icon, by whom and from where."""
    return [
        {
            "icon": _ICONS.get(one.verb, "info"),
            "text": f"{one.deed.who} {one.did}",
            "at": one.deed.at,
            "note": f"{one.deed.via}{': ' + one.deed.reason if one.deed.reason else ''}",
        }
        for one in timeline
    ]
