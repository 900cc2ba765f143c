"""Parentheses where a tree needs them, so that every reader groups its parts alike.

Trees that people typed hold the parentheses that they typed. Trees that rules have rewritten hold
none, and engines do not agree with the parser on every precedence.
"""

from __future__ import annotations

from sqlglot import exp

_COMPARISON = 4
_BINDING: dict[type[exp.Expr], int] = {
    exp.Or: 1,
    exp.And: 2,
    exp.Not: 3,
    **dict.fromkeys(
        (
            *(exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.NullSafeEQ, exp.NullSafeNEQ),
            *(exp.Is, exp.In, exp.Between, exp.Like, exp.ILike),
        ),
        _COMPARISON,
    ),
    # Engines disagree on how `||` stands to arithmetic, so that both always get parentheses.
    exp.DPipe: 5,
    exp.Add: 6,
    exp.Sub: 6,
    exp.Mul: 7,
    exp.Div: 7,
    exp.Mod: 7,
    exp.Neg: 8,
    exp.AtTimeZone: 9,
}
# `a - b - c` groups from the left without being told.
_FROM_THE_LEFT = (exp.Or, exp.And, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe)


def bound(tree: exp.Expr) -> exp.Expr:
    """A copy with the parentheses that the tree needs to be read back as itself."""
    tree = tree.copy()
    for node in list(tree.walk()):
        above = node.parent
        if node is tree or above is None:
            continue
        if type(node) not in _BINDING or type(above) not in _BINDING:
            continue
        inner, outer = _BINDING[type(node)], _BINDING[type(above)]
        leads = isinstance(above, _FROM_THE_LEFT) and above.this is node
        joins_text = exp.DPipe in (type(node), type(above)) and inner != outer
        if inner < outer or (inner == outer and not leads) or (joins_text and outer > _COMPARISON):
            around = exp.Paren()
            node.replace(around)
            around.set("this", node)
    return tree
