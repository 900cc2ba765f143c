"""Rows of consent made by hand: what services write, and what somebody might try instead."""

from datetime import date

from django.db.models.functions import Now

from accounts.choices import Role
from accounts.models import Domain, RoleGrant, User
from catalog.choices import Lifecycle
from catalog.models import Definition, Entry, Metric, Version
from core import clock
from governance.choices import Status
from governance.models import ApprovalPolicy, Change, ChangeRequest, Review, Revision

EDITED, APPROVING, STEWARDING = "ana", "ben", "cem"


class House:
    """Three people, a domain, policies and one metric whose versions are made by hand."""

    def __init__(self):
        self.domain = Domain.objects.create(key="sales", name="Sales")
        self.other_domain = Domain.objects.create(key="growth", name="Growth")
        self.ana, self.ben, self.cem = (
            User.objects.create_user(name) for name in (EDITED, APPROVING, STEWARDING)
        )
        RoleGrant.objects.create(user=self.ana, role=Role.REVIEWER, domain=self.domain)
        RoleGrant.objects.create(user=self.ben, role=Role.REVIEWER, domain=self.domain)
        RoleGrant.objects.create(user=self.cem, role=Role.STEWARD, domain=self.domain)
        for change_class, tier, is_new, approvals, stewards in (
            ("additive", 1, True, 1, 0),
            ("additive", 1, False, 1, 0),
            ("additive", 3, False, 0, 0),
            ("restating", 1, False, 2, 1),
            ("editorial", 1, False, 0, 0),
            ("stewardship", 1, False, 1, 1),
            ("retiring", 1, False, 1, 1),
        ):
            ApprovalPolicy.objects.create(
                change_class=change_class,
                tier=tier,
                is_new=is_new,
                approvals=approvals,
                stewards=stewards,
            )
        self.metric = self.make_metric("net_sales")

    def make_metric(self, key: str) -> Metric:
        now = clock.now()
        return Metric.objects.create(
            key=key,
            kind="metric",
            name=key,
            domain=self.domain,
            tier=1,
            created_at=now,
            changed_at=now,
        )

    def define(self, text: str) -> Definition:
        """A definition by a hash of its own; what a spec says does not matter to the database."""
        digest = text.ljust(64, "0")
        found = Definition.objects.filter(hash=digest).first()
        return found or Definition.objects.create(hash=digest, kind="metric", spec={"is": text})

    def need(self, key: str = "net_sales", **other) -> dict:
        return {
            "key": key,
            "change_class": "additive",
            "tier": 1,
            "is_new": True,
            "domain": self.domain.pk,
            "approvals": 1,
            "stewards": 0,
            "owner_counts": False,
            **other,
        }

    def item(self, key: str = "net_sales", definition: str = "a", **other) -> dict:
        return {
            "key": key,
            "definition": self.define(definition).hash,
            "words": {"name": "Net sales"},
            **other,
        }

    def request(self, *, items=None, needs=None, editors=(), status=Status.IN_REVIEW, **other):
        """A request in review with one revision and its changes."""
        items = [self.item()] if items is None else items
        now = clock.now()
        request = ChangeRequest.objects.create(title="Change", author=self.ana, created_at=now)
        request.revision = self.revision(request, items=items, needs=needs, editors=editors)
        request.status = status
        for name, value in other.items():
            setattr(request, name, value)
        request.save()
        entries = {entry.key: entry for entry in Entry.objects.all()}
        for item in items:
            Change.objects.create(
                request=request,
                key=item["key"],
                kind="metric",
                entry=entries.get(item["key"]),
            )
        return request

    def revision(self, request, *, items, needs=None, editors=(), number=1) -> Revision:
        return Revision.objects.create(
            request=request,
            number=number,
            content={"items": items},
            hash=f"revision {number} of {request.pk}".ljust(64, "."),
            editors=[self.ana.pk, *editors],
            requirements=[self.need()] if needs is None else needs,
            change_class="additive",
            submitted_by=self.ana,
            submitted_at=clock.now(),
        )

    def approve(self, request, person, *, revision=None, verdict="approve") -> Review:
        revision = revision or request.revision
        return Review.objects.create(
            request=request,
            revision=revision,
            revision_hash=revision.hash,
            reviewer=person,
            author_id=request.author_id,
            verdict=verdict,
            comment="See above.",
            via="test",
            reviewed_at=clock.now(),
        )

    def version(self, entry=None, *, number: int = 1, definition: str = "a", **other) -> Version:
        return Version.objects.create(
            entry=entry or self.metric,
            number=number,
            definition=self.define(definition),
            **{
                "words": {"name": "Net sales"},
                "change_class": "additive",
                "effective_from": date(2026, 1, 1),
                "published_at": clock.now(),
                "recorded_at": Now(),
                "published_by_label": "Ana",
                **other,
            },
        )

    def write(self, request, version: Version | None = None) -> None:
        """Do what publishing does: link the version, show it, close the request."""
        request.status = Status.PUBLISHING
        request.save()
        if version is not None:
            change = request.changes.get(entry=version.entry_id)
            change.version = version
            change.save()
            card = Metric.objects.get(pk=version.entry_id)
            card.current_version = version
            card.lifecycle = Lifecycle.ACTIVE
            card.save()
        request.status = Status.PUBLISHED
        request.closed_at = clock.now()
        request.save()

    def publish(self, *people, definition: str = "a", number: int = 1, **need) -> ChangeRequest:
        """The proper path: a request, its approvals, its version."""
        wanted = {"is_new": number == 1, **need}
        change_class = wanted.get("change_class", "additive")
        request = self.request(
            items=[self.item(definition=definition)], needs=[self.need(**wanted)]
        )
        for person in people or (self.ben,):
            self.approve(request, person)
        self.write(
            request,
            self.version(
                number=number,
                definition=definition,
                change_class=change_class,
                treatment="restate" if change_class == "restating" else "",
            ),
        )
        return request
