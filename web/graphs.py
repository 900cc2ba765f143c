"""Lineage as SVG: layers from left to right, every box a link. Pure: mappings in, text out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import NotRequired, TypedDict

BOX_HEIGHT = 40
GAP = 18
ACROSS = 64
LETTER = 7.0
MIN_WIDTH, MAX_WIDTH = 104, 216
EDGE = 12
FIT = 760
SWEEPS = 4


class Node(TypedDict):
    key: str
    label: str
    kind: NotRequired[str]
    url: NotRequired[str]
    is_self: NotRequired[bool]


class Edge(TypedDict):
    """`upstream` feeds `downstream`. Dashed: believed, not computed."""

    upstream: str
    downstream: str
    dashed: NotRequired[bool]


@dataclass(frozen=True)
class _Box:
    node: Node
    x: float
    y: float
    width: float


def lineage_svg(nodes: Sequence[Node], edges: Sequence[Edge], *, label: str) -> str:
    """The graph of one metric's surroundings. Unknown ends of edges are left out."""
    by_key = {node["key"]: node for node in nodes}
    edges = [e for e in edges if e["upstream"] in by_key and e["downstream"] in by_key]
    layers = _ordered(_layers(by_key, edges), edges)
    boxes, width, height = _placed(layers, by_key)
    drawn = [_arrow(boxes[e["upstream"]], boxes[e["downstream"]], e) for e in edges]
    drawn += [_box(box) for box in boxes.values()]
    # Wider ones would be unreadable when they are made to fit.
    fit = " graph-fit" if width <= FIT else ""
    return (
        f'<svg class="graph-svg{fit}" width="{width:.0f}" height="{height:.0f}" role="group" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" aria-label="{escape(label, quote=True)}">'
        f"{''.join(drawn)}</svg>"
    )


def _layers(by_key: Mapping[str, Node], edges: Sequence[Edge]) -> list[list[str]]:
    """Each node one layer right of its furthest upstream, pulled towards what it feeds."""
    feeds = {key: [e["upstream"] for e in edges if e["downstream"] == key] for key in by_key}
    depth: dict[str, int] = {}

    def depth_of(key: str, path: frozenset[str] = frozenset()) -> int:
        if key not in depth:
            above = [depth_of(up, path | {key}) for up in feeds[key] if up not in path]
            depth[key] = max(above, default=-1) + 1
        return depth[key]

    for key in by_key:
        depth_of(key)
    for key in sorted(by_key, key=lambda key: -depth[key]):
        below = [depth[e["downstream"]] for e in edges if e["upstream"] == key]
        if below and not feeds[key]:
            depth[key] = min(below) - 1
    first = min(depth.values(), default=0)
    layers: list[list[str]] = [[] for _ in range(max(depth.values(), default=-1) - first + 1)]
    for key in by_key:
        layers[depth[key] - first].append(key)
    return layers


def _ordered(layers: list[list[str]], edges: Sequence[Edge]) -> list[list[str]]:
    """Sort each layer by where its neighbours stand, to and fro, so that few edges cross."""
    neighbours: dict[str, list[str]] = {}
    for edge in edges:
        neighbours.setdefault(edge["upstream"], []).append(edge["downstream"])
        neighbours.setdefault(edge["downstream"], []).append(edge["upstream"])
    for sweep in range(SWEEPS):
        place = {
            key: (index + 0.5) / len(layer) for layer in layers for index, key in enumerate(layer)
        }
        for layer in layers if sweep % 2 else reversed(layers):
            mean = {
                key: sum(place[other] for other in near) / len(near)
                if (near := neighbours.get(key))
                else place[key]
                for key in layer
            }
            layer.sort(key=mean.__getitem__)
            for index, key in enumerate(layer):
                place[key] = (index + 0.5) / len(layer)
    return layers


def _placed(layers: list[list[str]], by_key: Mapping[str, Node]):
    tallest = max((len(layer) for layer in layers), default=1)
    height = tallest * (BOX_HEIGHT + GAP) - GAP + 2 * EDGE
    boxes: dict[str, _Box] = {}
    x = float(EDGE)
    for layer in layers:
        width = max(_width(by_key[key]) for key in layer) if layer else 0
        taken = len(layer) * (BOX_HEIGHT + GAP) - GAP
        y = (height - taken) / 2
        for key in layer:
            boxes[key] = _Box(by_key[key], x, y, width)
            y += BOX_HEIGHT + GAP
        x += width + ACROSS
    return boxes, x - ACROSS + EDGE, height


def _width(node: Node) -> float:
    return min(max(len(node["label"]) * LETTER + 28, MIN_WIDTH), MAX_WIDTH)


def _arrow(start: _Box, end: _Box, edge: Edge) -> str:
    x1, y1 = start.x + start.width, start.y + BOX_HEIGHT / 2
    x2, y2 = end.x - 7, end.y + BOX_HEIGHT / 2
    bend = max(28.0, (x2 - x1) / 2)
    dashed = " edge-dashed" if edge.get("dashed") else ""
    return (
        f'<path class="edge{dashed}" d="M{x1:.0f} {y1:.1f}C{x1 + bend:.0f} {y1:.1f} '
        f'{x2 - bend:.0f} {y2:.1f} {x2:.0f} {y2:.1f}"/>'
        f'<path class="edge-head" d="M{x2 + 6:.0f} {y2:.1f}l-8 -4v8z"/>'
    )


def _box(box: _Box) -> str:
    node = box.node
    room = int((box.width - 22) / LETTER)
    label = node["label"] if len(node["label"]) <= room else f"{node['label'][: room - 1]}…"
    kind = node.get("kind", "")
    middle = box.x + box.width / 2
    top = box.y + (17 if kind else 24.5)
    words = f'<text x="{middle:.0f}" y="{top:.1f}" text-anchor="middle">{escape(label)}</text>'
    if kind:
        words += (
            f'<text class="node-kind" x="{middle:.0f}" y="{box.y + 31:.1f}" '
            f'text-anchor="middle">{escape(kind)}</text>'
        )
    name = "node node-self" if node.get("is_self") else "node"
    drawn = (
        f'<g class="{name}"><title>{escape(node["label"])}</title><rect x="{box.x:.0f}" '
        f'y="{box.y:.0f}" width="{box.width:.0f}" height="{BOX_HEIGHT}" rx="8"/>{words}</g>'
    )
    if node.get("url") and not node.get("is_self"):
        return f'<a href="{escape(node["url"], quote=True)}">{drawn}</a>'
    return drawn
