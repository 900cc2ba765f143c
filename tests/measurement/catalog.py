"""Metrics of the small shop, published through real rows of consent.

A policy of zero approvals makes a publication one step here; that people agreed is governance's
subject, and its triggers stay on.
"""

from datetime import date

from django.db import transaction
from django.db.models.functions import Now

from accounts.models import Domain, User
from catalog.choices import Lifecycle
from catalog.models import Dataset, Entry, Metric, Resolution, Version
from catalog.services.definitions import store_definition
from core import clock
from governance.choices import Status
from governance.models import ApprovalPolicy, Change, ChangeRequest, Revision
from measurement.choices import Purpose
from measurement.models import Backfill, Source
from measurement.plans import TargetPlan, target_of_resolution
from measurement.services.backfills import plan_backfill
from semantics.canonical import hash_of
from semantics.definition import AnySpec, read_spec
from semantics.lineage import resolution_hash

EVER = date(2020, 1, 1)


def orders_spec(**more) -> AnySpec:
    return read_spec(
        {
            "type": "dataset",
            "source": "shop",
            "relation": {"kind": "table", "name": "shop.orders"},
            "columns": [
                {"name": "number", "type": "integer"},
                {"name": "day", "type": "date"},
                {"name": "store", "type": "string"},
                {"name": "customer", "type": "integer"},
                {"name": "amount", "type": "decimal"},
            ],
            "entities": [{"name": "sale", "type": "primary", "expression": "number"}],
            "dimensions": [
                {"name": "sold_on", "type": "time", "expression": "day"},
                {"name": "store", "type": "categorical", "expression": "store"},
                {"name": "buyer", "type": "categorical", "expression": "customer"},
            ],
            "time_dimension": "sold_on",
            **more,
        }
    )


def sales_spec(**more) -> AnySpec:
    """The sum of all amounts, by day, week and month, in total and by store."""
    return read_spec(
        {
            "type": "simple",
            "dataset": "orders",
            "aggregation": "sum",
            "expression": "amount",
            "dimensions": ["store"],
            "late_data": {"recompute_days": 3},
            **more,
        }
    )


def buyers_spec(**more) -> AnySpec:
    return sales_spec(aggregation="count_distinct", expression="customer", **more)


class Shop:
    """The shop's catalog: `publish` gives a metric another version, `compute` its values."""

    def __init__(self):
        self.author = User.objects.create_user("ana", full_name="Ana Ruiz")
        self.domain = Domain.objects.create(key="sales", name="Sales")
        for change_class in ("additive", "restating", "editorial"):
            for is_new in (True, False):
                ApprovalPolicy.objects.create(
                    change_class=change_class, tier=3, is_new=is_new, approvals=0
                )
        self.specs: dict[str, AnySpec] = {}
        self.publish("orders", orders_spec())

    @transaction.atomic
    def publish(
        self, key: str, spec: AnySpec, *, effective_from: date = EVER, treatment="", **more
    ):
        """Publish a version of a metric or dataset; returns the entry."""
        self.specs[key] = spec
        model = Dataset if spec.type == "dataset" else Metric
        entry = model.objects.filter(key=key).first() or self._entry(model, key)
        definition = store_definition(spec)
        number = entry.versions.count() + 1
        version = Version.objects.create(
            entry=entry,
            number=number,
            definition=definition,
            words={"name": key},
            change_class="restating" if treatment else "additive",
            effective_from=effective_from,
            published_at=clock.now(),
            recorded_at=Now(),
            published_by_label=str(self.author),
            treatment=treatment,
            **more,
        )
        self._consent(entry, version)
        entry.current_version = version
        entry.lifecycle = Lifecycle.ACTIVE
        entry.save(update_fields=["current_version", "lifecycle"])
        if isinstance(entry, Metric):
            entry.current_resolution = self.resolve(entry, version)
            entry.save(update_fields=["current_resolution"])
        return entry

    def _entry(self, model: type[Entry], key: str) -> Entry:
        now = clock.now()
        return model.objects.create(
            key=key,
            kind="dataset" if model is Dataset else "metric",
            name=key.replace("_", " ").capitalize(),
            domain=self.domain,
            created_at=now,
            changed_at=now,
        )

    def _consent(self, entry: Entry, version: Version) -> None:
        request = ChangeRequest.objects.create(
            title=f"{entry.key} as published",
            author=self.author,
            status=Status.DRAFT,
            change_class=version.change_class,
            created_at=clock.now(),
        )
        need = {
            "key": entry.key,
            "change_class": version.change_class,
            "tier": 3,
            "is_new": version.number == 1,
            "domain": self.domain.pk,
            "approvals": 0,
            "stewards": 0,
            "owner_counts": False,
        }
        item = {
            "key": entry.key,
            "definition": version.definition_id,
            "words": version.words,
        }
        request.revision = Revision.objects.create(
            request=request,
            number=1,
            content={"items": [item]},
            hash=f"{version.pk:064d}",
            editors=[self.author.pk],
            requirements=[need],
            change_class=version.change_class,
            submitted_by=self.author,
            submitted_at=clock.now(),
        )
        Change.objects.create(
            request=request, key=entry.key, kind=entry.kind, entry=entry, version=version
        )
        request.status = Status.PUBLISHED
        request.save()

    def closure(self, key: str) -> dict[str, AnySpec]:
        """All specs that a key stands on now, itself last."""
        found: dict[str, AnySpec] = {}
        spec = self.specs[key]
        inputs = [spec.dataset] if spec.type == "simple" else []
        if spec.type == "ratio":
            inputs = [spec.numerator.metric, spec.denominator.metric]
        if spec.type == "cumulative":
            inputs = [spec.metric]
        for name in inputs:
            found.update(self.closure(name))
        return {**found, key: spec}

    def resolve(self, metric: Metric, version: Version) -> Resolution:
        hashes = {key: hash_of(spec) for key, spec in self.closure(metric.key).items()}
        return Resolution.objects.create(
            metric=metric,
            version=version,
            number=metric.resolutions.count() + 1,
            hash=resolution_hash(metric.key, hashes),
            pins=[
                {"key": k, "number": Entry.objects.get(key=k).versions.count(), "definition": h}
                for k, h in hashes.items()
            ],
            created_at=clock.now(),
        )

    def target(self, key: str) -> TargetPlan:
        return target_of_resolution(Metric.objects.get(key=key).current_resolution)

    @property
    def now(self) -> str:
        """The fixed instant, for other processes' ETALON_NOW."""
        return clock.now().isoformat()

    def plan(self, *keys: str, purpose=Purpose.PUBLISH, actor=None, **more) -> Backfill:
        targets = [self.target(key) for key in keys]
        return plan_backfill(targets, purpose=purpose, actor=actor, **more)

    def slow_down(self, view: str, *, seconds: int) -> None:
        """Let every query of the source take long."""
        source = Source.objects.get(key="shop")
        source.config["views"]["orders"] = view
        source.time_limit_seconds = seconds
        source.save()

    def break_source(self) -> None:
        source = Source.objects.get(key="shop")
        source.config["folder"] = "/nowhere"
        source.save()

    def offer(self, name: str, view: str) -> None:
        """Add a view to the source."""
        source = Source.objects.get(key="shop")
        source.config["views"][name] = view
        source.save()
