"""The smallest valid things that tests begin with. Each is a function; none does a test's work."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from accounts.choices import Role
from accounts.models import Domain, RoleGrant, User
from catalog.models import Entry
from core import clock
from governance.assessment import assess
from governance.content import read_content
from governance.models import ChangeRequest
from governance.services.approval_policies import seed_default_policies
from governance.services.publishing import publish
from governance.services.requests import open_request
from governance.services.reviews import review
from governance.services.submitting import submit
from measurement.choices import BackfillStatus
from measurement.models import Backfill, Source
from measurement.previews import fingerprint_of
from measurement.selectors.previews import preview_of

ORDERS: dict[str, Any] = {
    "type": "dataset",
    "source": "shop",
    "relation": {"kind": "table", "name": "shop.orders"},
    "columns": [
        {"name": "id", "type": "integer"},
        {"name": "day", "type": "date"},
        {"name": "store", "type": "string"},
        {"name": "customer", "type": "integer"},
        {"name": "amount", "type": "decimal"},
        {"name": "refund", "type": "decimal"},
    ],
    "entities": [{"name": "sale", "type": "primary", "expression": "id"}],
    "dimensions": [
        {"name": "sold_on", "type": "time", "expression": "day"},
        {"name": "store", "type": "categorical", "expression": "store"},
    ],
    "time_dimension": "sold_on",
}
NET_SALES: dict[str, Any] = {
    "type": "simple",
    "dataset": "orders",
    "aggregation": "sum",
    "expression": "amount",
    "grains": ["day", "week"],
}


def make_user(name: str, **grants: Role | Sequence[Role]) -> User:
    """A person with roles by domain: `make_user("ben", sales="reviewer")`; `everywhere` is all."""
    user = User.objects.create_user(name, full_name=name.capitalize())
    for domain, roles in grants.items():
        for role in [roles] if isinstance(roles, str) else roles:
            where = None if domain == "everywhere" else make_domain(domain)
            RoleGrant.objects.create(user=user, role=role, domain=where)
    return user


def make_domain(key: str) -> Domain:
    return Domain.objects.get_or_create(key=key, defaults={"name": key.capitalize()})[0]


def make_source(key: str = "shop") -> Source:
    return Source.objects.get_or_create(
        key=key,
        defaults={
            "name": "Shop",
            "kind": "duckdb",
            "first_day": date(2026, 1, 1),
            "config": {"folder": "/nowhere", "schema": "shop", "views": {}},
        },
    )[0]


def make_item(key: str = "net_sales", spec: dict | None = None, **other) -> dict:
    """An item for something new in Sales, owned by ana."""
    spec = spec or (ORDERS if key == "orders" else NET_SALES)
    kind = spec["type"] if spec["type"] in ("dataset", "segment") else "metric"
    stewardship = {"domain": "sales", "tier": 2, "owners": ["ana"]}
    return {
        "key": key,
        "kind": kind,
        "base": None,
        "spec": spec,
        "words": {"name": key.replace("_", " ").capitalize(), "definition": f"What {key} is."},
        "stewardship": {**stewardship, **other.pop("stewardship", {})},
        **other,
    }


def make_change(key: str = "net_sales", *, spec=None, words=None, **other) -> dict:
    """An item that changes some of what an entry says in force."""
    entry = Entry.objects.select_related("current_version__definition").get(key=key)
    version = entry.current_version
    return {
        "key": key,
        "kind": entry.kind,
        "base": version.number,
        "spec": {**version.definition.spec, **(spec or {})},
        "words": {**version.words, **(words or {})},
        **other,
    }


def make_content(*items: dict, **other) -> dict:
    return {
        "title": "A change",
        "reason": "Because the test says so.",
        "effective_from": "2026-03-01",
        "items": list(items),
        **other,
    }


def submitted(*items: dict, author: User, **content) -> ChangeRequest:
    """A request in review (or published, where policy asks nobody)."""
    request = open_request(content=make_content(*items, **content), actor=author, via="test")
    submit(request, lock=request.draft.lock, actor=author, via="test")
    request.refresh_from_db()
    return request


def approve(request: ChangeRequest, *people: User) -> ChangeRequest:
    request.refresh_from_db()
    for person in people:
        review(
            request,
            revision_hash=request.revision.hash,
            revision_number=request.revision.number,
            verdict="approve",
            actor=person,
            via="test",
        )
    request.refresh_from_db()
    return request


def finish_preview(request: ChangeRequest, headline: str = "Past values fall.") -> Backfill | None:
    """Let the preview of a request's revision have ended, without a warehouse."""
    request.refresh_from_db()
    content = read_content(request.revision.content)
    items = assess(content).preview_items
    if not items:
        return None
    run = preview_of(items)
    now = clock.now()
    backfill = run.backfill if run else Backfill(purpose="preview", created_at=now)
    backfill.fingerprint = fingerprint_of(items, None, None)
    backfill.start, backfill.until = date(2026, 1, 1), date(2026, 2, 1)
    backfill.status, backfill.finished_at = BackfillStatus.DONE, now
    backfill.result = {
        "figures": {
            item.key: {
                "key": item.key,
                "grain": "week",
                "dimension": "",
                "headline": headline,
                "is_new": item.old_specs is None,
                "compared": 4,
                "moved": 4,
                "appeared": 0,
                "vanished": 0,
                "mean_pct": "-3.1",
                "lowest": None,
                "highest": None,
                "widest": None,
                "points": [],
                "members": [],
            }
            for item in items
        }
    }
    backfill.save()
    return backfill


def published(*items: dict, author: User, by: Sequence[User] = (), **content) -> ChangeRequest:
    """A request that went the whole way."""
    request = submitted(*items, author=author, **content)
    if request.status == "published":
        return request
    finish_preview(request)
    approve(request, *by)
    publish(request, revision_hash=request.revision.hash, actor=author, via="test")
    request.refresh_from_db()
    return request


class Company:
    """Five people, the default policies, and a dataset with one metric of tier 2 in Sales."""

    def __init__(self, *, tier: int = 2):
        make_source()
        self.sales, self.growth = make_domain("sales"), make_domain("growth")
        self.ana = make_user("ana", sales=Role.CONTRIBUTOR)
        self.ben = make_user("ben", sales=Role.REVIEWER)
        self.cem = make_user("cem", sales=Role.STEWARD)
        self.dia = make_user("dia", growth=(Role.CONTRIBUTOR, Role.REVIEWER))
        self.eve = make_user("eve", everywhere=Role.VIEWER)
        seed_default_policies()
        self.start = published(
            make_item("orders", stewardship={"tier": tier}),
            make_item("net_sales", stewardship={"tier": tier}),
            author=self.ana,
            by=[self.cem],
        )

    def restating(self, **content) -> ChangeRequest:
        """A restating change of net sales, in review."""
        return submitted(
            make_change("net_sales", spec={"expression": "amount - refund"}, treatment="restate"),
            author=self.ana,
            **content,
        )
