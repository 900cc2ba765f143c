"""The places of the top bar, and which of them a page belongs to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """One entry of the navigation. `key` is what a page says it belongs to: `{% block place %}`."""

    key: str
    label: str
    url: str
    icon: str
    shortcut: str = ""
    on_phone: bool = True


PLACES = (
    Place("home", "Home", "/", "home", "h"),
    Place("catalog", "Catalog", "/metrics", "catalog", "c"),
    Place("tree", "Tree", "/tree", "tree", "t", on_phone=False),
    Place("changes", "Changes", "/changes", "changes", "d"),
    Place("backfills", "Backfills", "/backfills", "backfills", "b"),
)
SEARCH_URL = "/metrics"
PROPOSE_URL = "/changes/new"
TREE_URL = "/tree"


def place_of(path: str) -> str:
    """The place that an address belongs to, or nothing."""
    if path == "/":
        return "home"
    if path.startswith("/CR-"):
        return "changes"
    return next((p.key for p in PLACES if p.url != "/" and path.startswith(p.url)), "")
