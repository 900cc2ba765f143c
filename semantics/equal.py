"""Expressions that are equal by the rules of SQL, NULLs included, get one spelling.

The rules are few and each holds for every row: AND and OR do not care for order or repetition;
`=`, `<>`, `+` and `*` may swap their two sides (sums are not regrouped, since floats would answer
differently); a comparison may be read from the other side; NOT goes into a comparison; a list of
IN is a set; parentheses that bind nothing go, and those that bind stay.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from sqlglot import exp

from semantics.guard import parse, render
from semantics.parentheses import bound
from semantics.problems import DefinitionRefused

# A definition is hashed wherever it is compiled, compared or stored, and its texts seldom change.
KEPT = 4096


@lru_cache(maxsize=KEPT)
def one_spelling(text: str) -> str:
    """The text in its one spelling. One that cannot be read is left as it is."""
    try:
        return _written(parse(text))
    except DefinitionRefused:
        return text


@lru_cache(maxsize=KEPT)
def conjuncts(text: str) -> tuple[str, ...]:
    """The parts of a filter that must all hold, each in its one spelling, sorted."""
    try:
        tree = parse(text)
    except DefinitionRefused:
        return (text,)
    spelled = _spelled(tree)
    parts = list(spelled.flatten(unnest=False)) if isinstance(spelled, exp.And) else [spelled]
    return tuple(sorted({_written(part) for part in parts}))


def _written(tree: exp.Expr) -> str:
    """Write a tree down; where the rules and the parser disagree, as it was."""
    if isinstance(tree, exp.Query):
        return render(tree)
    spelled = _spelled(tree)
    text = render(bound(spelled))
    if _spelled(parse(text)) == spelled:
        return text
    return render(tree)


# --- one spelling --------------------------------------------------------------------------


def _spelled(node: exp.Expr) -> exp.Expr:
    """A tree without parentheses, in which equal expressions look the same."""
    while isinstance(node, exp.Paren):
        node = node.this
    node = node.copy()
    for child in list(node.iter_expressions()):
        child.replace(_spelled(child))
    rule = _RULES.get(type(node))
    return rule(node) if rule else node


def _key(node: exp.Expr) -> tuple[bool, str]:
    """Sorts literals behind names, as people write them."""
    return isinstance(_unsigned(node), exp.Literal | exp.Boolean | exp.Null), render(bound(node))


def _unsigned(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.Neg | exp.Cast) else node


def _swapped(node: exp.Expr) -> exp.Expr:
    left, right = node.this, node.expression
    if _key(right) < _key(left):
        node.set("this", right)
        node.set("expression", left)
    return node


_MIRRORED: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
}


def _from_the_left(node: exp.Expr) -> exp.Expr:
    """`5 < a` says `a > 5`; of two names the first in the alphabet stands on the left."""
    left, right = node.this, node.expression
    if _key(right) < _key(left):
        return _MIRRORED[type(node)](this=right, expression=left)
    return node


def _connected(node: exp.Expr) -> exp.Expr:
    kind = type(node)
    parts = {_key(part): part for part in node.flatten(unnest=False)}
    ordered = [parts[key] for key in sorted(parts)]
    tree = ordered[0]
    for part in ordered[1:]:
        tree = kind(this=tree, expression=part)
    return tree


_OPPOSITES: dict[type[exp.Expr], type[exp.Expr]] = {
    exp.EQ: exp.NEQ,
    exp.NEQ: exp.EQ,
    exp.NullSafeEQ: exp.NullSafeNEQ,
    exp.NullSafeNEQ: exp.NullSafeEQ,
}


def _denied(node: exp.Expr) -> exp.Expr:
    inner = node.this
    if opposite := _OPPOSITES.get(type(inner)):
        return opposite(this=inner.this, expression=inner.expression)
    if isinstance(inner, exp.Like | exp.ILike):
        inner.set("negate", not inner.args.get("negate"))
        return inner
    return node


def _listed(node: exp.Expr) -> exp.Expr:
    members = {_key(member): member for member in node.expressions}
    if not members:
        return node
    if len(members) == 1:
        return _swapped(exp.EQ(this=node.this, expression=next(iter(members.values()))))
    node.set("expressions", [members[key] for key in sorted(members)])
    return node


def _divided(node: exp.Expr) -> exp.Expr:
    """Division by zero gives NULL in the language, so `nullif(b, 0)` says nothing more."""
    divisor = node.expression
    if isinstance(divisor, exp.Nullif):
        guarded = divisor.expression
        if isinstance(guarded, exp.Literal) and not guarded.is_string and guarded.name == "0":
            node.set("expression", divisor.this)
    return node


def _without_default(node: exp.Expr) -> exp.Expr:
    """`else null` is what a CASE without ELSE says."""
    if isinstance(node.args.get("default"), exp.Null):
        node.set("default", None)
    return node


_RULES: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.And: _connected,
    exp.Or: _connected,
    exp.EQ: _swapped,
    exp.NEQ: _swapped,
    exp.NullSafeEQ: _swapped,
    exp.NullSafeNEQ: _swapped,
    exp.Add: _swapped,
    exp.Mul: _swapped,
    exp.LT: _from_the_left,
    exp.LTE: _from_the_left,
    exp.GT: _from_the_left,
    exp.GTE: _from_the_left,
    exp.Not: _denied,
    exp.In: _listed,
    exp.Div: _divided,
    exp.Mod: _divided,
    exp.Case: _without_default,
}
