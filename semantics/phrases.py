"""Filters in words, as far as they have a simple form; the text itself otherwise."""

from __future__ import annotations

from sqlglot import exp

from semantics.guard import parse
from semantics.problems import DefinitionRefused

_COMPARED: dict[type[exp.Expr], str] = {
    exp.EQ: "is",
    exp.NEQ: "is not",
    exp.NullSafeEQ: "is",
    exp.NullSafeNEQ: "is not",
    exp.GT: "is above",
    exp.GTE: "is at least",
    exp.LT: "is below",
    exp.LTE: "is at most",
}


def in_words(text: str) -> str:
    """“product type is not GASOLINE-REG UNLEADED” of `product__product_type <> '…'`."""
    try:
        return _said(parse(text)) or text
    except DefinitionRefused:
        return text


def _said(node: exp.Expr) -> str:
    if isinstance(node, exp.Paren):
        return _said(node.this)
    if isinstance(node, exp.And | exp.Or):
        word = "and" if isinstance(node, exp.And) else "or"
        other = exp.Or if isinstance(node, exp.And) else exp.And
        sides = list(node.flatten())
        told = [f"({_said(p)})" if isinstance(p.unnest(), other) else _said(p) for p in sides]
        return f" {word} ".join(told) if all(map(_said, sides)) else ""
    if isinstance(node, exp.Not):
        return _negated(node.this)
    if type(node) in _COMPARED:
        left, right = _operand(node.this), _operand(node.expression)
        return f"{left} {_COMPARED[type(node)]} {right}" if left and right else ""
    if isinstance(node, exp.In) and node.expressions:
        left = _operand(node.this)
        members = [_operand(member) for member in node.expressions]
        return f"{left} is one of {', '.join(members)}" if left and all(members) else ""
    if isinstance(node, exp.Between):
        parts = [_operand(part) for part in (node.this, node.args["low"], node.args["high"])]
        return f"{parts[0]} is between {parts[1]} and {parts[2]}" if all(parts) else ""
    if isinstance(node, exp.Is):
        left = _operand(node.this)
        if isinstance(node.expression, exp.Null):
            return f"{left} is missing" if left else ""
        return f"{left} is {node.expression.sql().lower()}" if left else ""
    if isinstance(node, exp.Like | exp.ILike):
        left, right = _operand(node.this), _operand(node.expression)
        verb = "does not look like" if node.args.get("negate") else "looks like"
        return f"{left} {verb} {right}" if left and right else ""
    return _operand(node)


def _negated(node: exp.Expr) -> str:
    while isinstance(node, exp.Paren):
        node = node.this
    if isinstance(node, exp.Is) and isinstance(node.expression, exp.Null):
        left = _operand(node.this)
        return f"{left} is there" if left else ""
    said = _said(node)
    if isinstance(node, exp.In):
        return said.replace(" is one of ", " is none of ", 1)
    if isinstance(node, exp.Between):
        return said.replace(" is between ", " is not between ", 1)
    return f"not ({said})" if said else ""


def _operand(node: exp.Expr) -> str:
    if isinstance(node, exp.Column):
        return _plain(node.name)
    if isinstance(node, exp.Literal):
        return node.name if node.name.strip() == node.name != "" else f"“{node.name}”"
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal):
        return node.this.name
    if isinstance(node, exp.Boolean):
        return "true" if node.this else "false"
    if isinstance(node, exp.Neg) and isinstance(node.this, exp.Literal):
        return f"-{node.this.name}"
    if isinstance(node, exp.Coalesce) and len(node.expressions) == 1:
        # A missing member, read as an empty one: the wrapping is not what a reader asks about.
        default = node.expressions[0]
        if isinstance(default, exp.Literal) and default.is_string and not default.name:
            return _operand(node.this)
    return ""


def _plain(path: str) -> str:
    """`product__product_type` is said “product type”: the last part, which names what is meant."""
    return path.rpartition("__")[2].replace("_", " ")


def length(count: int, grain: str) -> str:
    """“28 days”, “1 week”."""
    return f"{count} {grain}" if count == 1 else f"{count} {grain}s"
