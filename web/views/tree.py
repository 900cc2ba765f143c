"""The tree as an outline: north star, key results and inputs, guardrails beside what they guard."""

from collections.abc import Iterator

from django.shortcuts import render
from django.views.decorators.http import require_safe

from catalog.choices import EdgeKind
from catalog.models import Metric
from catalog.selectors.tree import Link, Node
from catalog.selectors.tree import tree as whole_tree
from web.rows import entry_rows, listed


@require_safe
def tree(request):
    found = whole_tree()
    lines = [line for root in found.roots for line in _lines(root, None, 0)]
    metrics = {line["pk"] for line in lines} | {metric.pk for metric in found.loose}
    rows = {
        row["entry"].pk: row
        for row in entry_rows(list(listed(Metric.objects.filter(pk__in=metrics))))
    }
    context = {
        "place": "tree",
        "lines": [{**rows[line["pk"]], **line} for line in lines],
        "count": len({line["pk"] for line in lines}),
        "loose": [rows[metric.pk] for metric in found.loose],
        "warnings": found.warnings,
    }
    return render(request, "catalog/tree.html", context)


def _lines(node: Node, link: Link | None, depth: int, *, guards: bool = False) -> Iterator[dict]:
    """A node, what it must not harm, and then what is below it."""
    yield {
        "pk": node.metric.pk,
        "said": _said(link, guards),
        "depth": min(depth, 4),
        "guards": guards,
    }
    for guardrail in node.guardrails:
        yield from _lines(guardrail, None, depth + 1, guards=True)
    for below in node.links:
        yield from _lines(below.node, below, depth + 1)


def _said(link: Link | None, guards: bool) -> str:
    """Why it hangs here, in words."""
    if guards:
        return "Must not get worse"
    if link is None:
        return "The top"
    parts = [f"Driver, {link.strength or 'believed'}"]
    if link.kind == EdgeKind.FORMULA:
        parts = ["Part of the formula"]
    if link.sign < 0:
        parts.append("inverse")
    if link.lag_days:
        parts.append(f"{link.lag_days} days later")
    return ", ".join(parts) + (f" · {link.evidence}" if link.evidence else "")
