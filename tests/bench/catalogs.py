"""Two catalogs that differ in size alone: 20 metrics and 10,000, made by the product's services."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from accounts.choices import Role
from accounts.models import User
from governance.services.approval_policies import seed_default_policies
from governance.services.publishing import settle
from governance.services.requests import open_request
from governance.services.reviews import review
from governance.services.submitting import submit
from tests.factories import make_domain, make_source, make_user

DOMAINS = ("sales", "growth", "supply", "finance", "service")
CITIES = ("Ankara", "Bergen", "Cork", "Delft", "Evora", "Fes", "Graz", "Hobart", "Izmir", "Jaffa")
WHATS = ("Orders", "Revenue", "Refunds", "Margin", "Discount", "Shipping", "Tax", "Bonus")
CHANNELS = ("web", "app", "till", "phone", "partner")

_ORDERS = {
    "type": "dataset",
    "source": "shop",
    "relation": {"kind": "table", "name": "shop.orders"},
    "columns": [
        *({"name": name, "type": "integer"} for name in ("id", "customer", "product")),
        *({"name": name, "type": "string"} for name in ("city", "channel")),
        *({"name": what.lower(), "type": "decimal"} for what in WHATS),
        {"name": "day", "type": "date"},
    ],
    "entities": [
        {"name": "sale", "type": "primary", "expression": "id"},
        {"name": "customer", "type": "foreign", "expression": "customer"},
        {"name": "product", "type": "foreign", "expression": "product"},
    ],
    "dimensions": [
        {"name": "sold_on", "type": "time", "expression": "day"},
        {"name": "city", "type": "categorical", "expression": "city"},
        {"name": "channel", "type": "categorical", "expression": "channel"},
    ],
    "time_dimension": "sold_on",
}


def _looked_up(entity: str, *names: str) -> dict:
    return {
        "type": "dataset",
        "source": "shop",
        "relation": {"kind": "table", "name": f"shop.{entity}s"},
        "columns": [
            {"name": "id", "type": "integer"},
            *({"name": name, "type": "string"} for name in names),
        ],
        "entities": [{"name": entity, "type": "primary", "expression": "id"}],
        "dimensions": [{"name": name, "type": "categorical", "expression": name} for name in names],
    }


_DATASETS = {
    "orders": _ORDERS,
    "customers": _looked_up("customer", "segment", "country"),
    "products": _looked_up("product", "brand", "department"),
}


def metrics(count: int) -> Iterator[dict]:
    """Items of new metrics: of each five three are simple, one a ratio and one a difference.

    No two say the same: each has filters, a name and a sentence of its own.
    """
    for number in range(count):
        what, city = WHATS[number % len(WHATS)], CITIES[number // 8 % len(CITIES)]
        channel, group = CHANNELS[number // 80 % len(CHANNELS)], number // 400
        key = f"{what}_{city}_{channel}_{group}_{number}".lower()
        own = [f"city = '{city}' AND channel = '{channel}'", f"product__brand = 'Brand {group}'"]
        yield _item(
            key,
            _spec(number, what, own),
            f"{what} {city} {channel} {group}-{number}",
            f"{what} of orders in {city} by {channel}, of brand {group}, line {number}.",
            domain=DOMAINS[number % len(DOMAINS)],
        )


def _spec(number: int, what: str, own: list[str]) -> dict:
    shared = {"grains": ["day", "week", "month"], "filters": own}
    place = number % 5
    if place < 3:
        return {
            **shared,
            "type": "simple",
            "dataset": "orders",
            "aggregation": ("sum", "count_distinct", "average")[place],
            "expression": "customer" if place == 1 else f"{what.lower()} - {number} * refunds",
            "dimensions": ["city", "product__department"],
        }
    # The simple metrics just before it.
    inputs = [{"metric": key} for key in _keys(number - number % 5, 2)]
    if place == 3:
        ends = {"numerator": inputs[0], "denominator": inputs[1]}
        return {"type": "ratio", "grains": ["week", "month"], **ends}
    first, second = (given["metric"] for given in inputs)
    formula = f"{first} - {number} * {second}"
    return {"type": "derived", "grains": ["week"], "expression": formula, "inputs": inputs}


def _keys(start: int, count: int) -> list[str]:
    found = []
    for number in range(start, start + count):
        what, city = WHATS[number % len(WHATS)], CITIES[number // 8 % len(CITIES)]
        channel, group = CHANNELS[number // 80 % len(CHANNELS)], number // 400
        found.append(f"{what}_{city}_{channel}_{group}_{number}".lower())
    return found


def _item(key: str, spec: dict, name: str, definition: str, *, domain: str = "sales") -> dict:
    return {
        "key": key,
        "kind": "dataset" if spec["type"] == "dataset" else "metric",
        "base": None,
        "spec": spec,
        "words": {"name": name, "definition": definition, "tags": [domain]},
        "stewardship": {"domain": domain, "tier": 3, "owners": ["ana"]},
    }


@dataclass(frozen=True)
class Seeded:
    """How long each step of the one request over all metrics took, in seconds."""

    count: int
    steps: dict[str, float]

    @property
    def seconds(self) -> float:
        return sum(self.steps.values())


def seed(count: int) -> Seeded:
    """Fill the database at hand: people, datasets, and `count` metrics by one change request."""
    make_source()
    for domain in DOMAINS:
        make_domain(domain)
    ana, cem = people()
    publish([_item(key, spec, key, f"All {key}.") for key, spec in _DATASETS.items()], ana, cem)
    return Seeded(count, publish(list(metrics(count)), ana, cem))


def people() -> tuple[User, User]:
    """Who proposes and who approves, with the default policies."""
    seed_default_policies()
    return (
        make_user("ana", everywhere=(Role.CONTRIBUTOR, Role.VIEWER)),
        make_user("cem", everywhere=(Role.STEWARD, Role.REVIEWER)),
    )


def publish(items: list[dict], author, reviewer) -> dict[str, float]:
    """The whole way of a request; returns the seconds of each step."""
    steps: dict[str, float] = {}
    began = time.perf_counter()

    def note(step: str) -> None:
        nonlocal began
        steps[step] = time.perf_counter() - began
        began = time.perf_counter()

    content = {"title": "The catalog", "reason": "It is measured.", "items": items}
    request = open_request(content=content, actor=author, via="bench")
    note("open")
    submit(request, lock=request.draft.lock, actor=author, via="bench")
    note("submit")
    request.refresh_from_db()
    if request.status != "published":
        review(
            request,
            revision_hash=request.revision.hash,
            verdict="approve",
            actor=reviewer,
            via="bench",
        )
        note("approve")
        request.refresh_from_db()
        settle(request, via="bench")
        note("publish")
        request.refresh_from_db()
    if request.status != "published":
        raise RuntimeError(f"{request} is {request.status}, and should be published.")
    return steps
