"""The places of the top bar, and which of them a page belongs to."""

from dataclasses import dataclass

from django.urls import reverse, reverse_lazy


@dataclass(frozen=True)
class Place:
    """One entry of the navigation. `key` is what a page says it belongs to: `{% block place %}`."""

    key: str
    label: str
    view: str
    icon: str
    shortcut: str = ""
    on_phone: bool = True

    @property
    def url(self) -> str:
        return reverse(self.view)


PLACES = (
    Place("home", "Home", "web:home", "home", "h"),
    Place("catalog", "Catalog", "web:catalog", "catalog", "c"),
    Place("tree", "Tree", "web:tree", "tree", "t", on_phone=False),
    Place("changes", "Changes", "web:changes", "changes", "d"),
    Place("backfills", "Backfills", "web:backfills", "backfills", "b"),
)
SEARCH_URL = reverse_lazy("web:catalog")
PROPOSE_URL = reverse_lazy("web:change-new")
TREE_URL = reverse_lazy("web:tree")


def place_of(path: str) -> str:
    """The place that an address belongs to, or nothing."""
    if path == "/":
        return "home"
    return next((p.key for p in PLACES[1:] if path.startswith(p.url)), "")
