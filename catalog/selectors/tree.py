"""The tree from north star over key results to inputs, with guardrails beside what they guard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.choices import EdgeKind, Lifecycle, MetricRole, OwnershipRole
from catalog.models import HierarchyEdge, Metric, Ownership


@dataclass(frozen=True)
class Link:
    """Why a node hangs where it hangs."""

    kind: str
    sign: int
    lag_days: int | None
    strength: str
    evidence: str
    node: Node


@dataclass(frozen=True)
class Node:
    metric: Metric
    owners: list[str]
    links: list[Link] = field(default_factory=list)
    guardrails: list[Node] = field(default_factory=list)


@dataclass(frozen=True)
class Tree:
    """`loose` are living metrics that hang nowhere; `warnings` what a good tree would not have."""

    roots: list[Node]
    loose: list[Metric]
    warnings: list[str]


_ROLES = list(MetricRole)


def tree() -> Tree:
    """The whole tree in three queries. A metric under several parents is shown under each."""
    living = Metric.objects.exclude(lifecycle=Lifecycle.RETIRED).filter(
        current_version__isnull=False
    )
    metrics = {metric.pk: metric for metric in living.select_related("domain", "current_version")}
    owners: dict[int, list[str]] = {}
    rows = Ownership.objects.filter(role=OwnershipRole.OWNER).select_related("user")
    for row in rows.order_by("user__full_name", "user__username"):
        owners.setdefault(row.entry_id, []).append(str(row.user))
    below: dict[int, list[HierarchyEdge]] = {}
    hung: set[int] = set()
    for edge in HierarchyEdge.objects.order_by("pk"):
        if edge.parent_id in metrics and edge.child_id in metrics:
            below.setdefault(edge.parent_id, []).append(edge)
            hung.add(edge.child_id)
    roots = [
        metric
        for metric in metrics.values()
        if metric.pk not in hung and (metric.pk in below or metric.role == MetricRole.NORTH_STAR)
    ]
    # A circle has no top of its own; it is shown from its first metric, and named.
    reached = _reached(roots, below)
    circular = [metrics[pk] for pk in below if pk not in reached]
    if circular:
        roots.append(circular[0])
    nodes = [_node(metric, metrics, owners, below, ()) for metric in sorted(roots, key=_rank)]
    in_tree = hung | set(below) | {metric.pk for metric in roots}
    loose = [metric for metric in metrics.values() if metric.pk not in in_tree]
    return Tree(
        nodes, sorted(loose, key=_rank), _warnings(metrics, owners, below, in_tree, circular)
    )


def _rank(metric: Metric) -> tuple:
    place = _ROLES.index(MetricRole(metric.role)) if metric.role in _ROLES else len(_ROLES)
    return place, metric.tier, metric.name


def _reached(roots: list[Metric], below: Mapping[int, list[HierarchyEdge]]) -> set[int]:
    seen: set[int] = set()
    waiting = [metric.pk for metric in roots]
    while waiting:
        pk = waiting.pop()
        if pk not in seen:
            seen.add(pk)
            waiting += [edge.child_id for edge in below.get(pk, ())]
    return seen


def _node(
    metric: Metric,
    metrics: Mapping[int, Metric],
    owners: Mapping[int, list[str]],
    below: Mapping[int, list[HierarchyEdge]],
    trail: tuple[int, ...],
) -> Node:
    links, guardrails = [], []
    for edge in below.get(metric.pk, ()):
        if edge.child_id in (*trail, metric.pk):
            continue
        child = _node(metrics[edge.child_id], metrics, owners, below, (*trail, metric.pk))
        if edge.kind == EdgeKind.GUARDRAIL:
            guardrails.append(child)
        else:
            links.append(
                Link(edge.kind, edge.sign, edge.lag_days, edge.strength, edge.evidence, child)
            )
    links.sort(key=lambda link: (link.kind != EdgeKind.FORMULA, _rank(link.node.metric)))
    return Node(metric, owners.get(metric.pk, []), links, guardrails)


def _warnings(
    metrics: Mapping[int, Metric],
    owners: Mapping[int, list[str]],
    below: Mapping[int, list[HierarchyEdge]],
    in_tree: set[int],
    circular: list[Metric],
) -> list[str]:
    found = []
    if circular:
        names = ", ".join(metric.name for metric in circular[:5])
        found.append(f"These hang under each other in a circle: {names}.")
    stars = [metric for metric in metrics.values() if metric.role == MetricRole.NORTH_STAR]
    if not stars:
        found.append("There is no north star.")
    for star in stars:
        if not any(edge.kind == EdgeKind.GUARDRAIL for edge in below.get(star.pk, ())):
            found.append(f"{star.name} is a north star without a guardrail.")
    for pk in sorted(in_tree, key=lambda pk: metrics[pk].name):
        if pk not in owners:
            found.append(f"{metrics[pk].name} has no owner.")
    return found
