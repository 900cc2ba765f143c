"""The gate that every text of a person passes: parsed, checked against the allow-list, re-rendered.

What comes out is written anew from the tree; the text that went in reaches no engine. A stored
text is re-rendered once more, by `to_dialect`, into the SQL of the engine that it is meant for.
All faults are collected. A gate of its own does not make a source safe: engines run what leaves
this file on read-only, limited connections as well.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError, TokenError
from sqlglot.tokens import Token, TokenType

from semantics import functions, relations
from semantics.dialects import Dialect, rewritten
from semantics.normal import normal
from semantics.parentheses import bound
from semantics.problems import DefinitionRefused, Problem, refuse
from semantics.refusals import LANGUAGE, as_text, refusals, render, shortened
from semantics.reserved import needs_quotes


@dataclass(frozen=True)
class Limits:
    letters: int
    tokens: int
    nesting: int
    depth: int


EXPRESSION_LIMITS = Limits(letters=4_000, tokens=1_200, nesting=30, depth=90)
QUERY_LIMITS = Limits(letters=20_000, tokens=6_000, nesting=30, depth=120)
# More signs before one operand than anybody means; the parser would recurse for each.
SIGNS_IN_A_ROW = 8

# The parser meets broken text with errors of its own and, at times, with Python's: `{:}` is an
# AttributeError. No text of a person may end as anything but a refusal.
UNREADABLE = (SqlglotError, ValueError, AttributeError, TypeError, LookupError, AssertionError)

# The same texts are read over and over: at each submit, publish, hash and lineage. What is
# remembered of a text is a string; its tree is larger, and needed again within the same item only.
KEPT = 4096
KEPT_TREES = 128

_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE, TokenType.CASE}
_CLOSING = {TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE, TokenType.END}
_SIGNS = {TokenType.NOT, TokenType.DASH, TokenType.TILDE, TokenType.PLUS, TokenType.INTERVAL}
# Filters become templates further on. Letters that hide or reorder text would show reviewers
# something else than what runs.
_TEMPLATE = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)

# --- the checks that other rooms call ------------------------------------------------------


def check_expression(text: str, *, names: Collection[str]) -> str:
    """Re-render a row-level expression over the columns `names`; raise DefinitionRefused."""
    return _checked(text, names, "column")


def check_filter(text: str, *, names: Collection[str]) -> str:
    """Re-render a filter over dimension paths (`product__brand`). It answers yes or no."""
    rendered = _checked(text, names, "dimension")
    if not is_boolean(_tree(rendered)):
        raise refuse(
            "not_boolean",
            f"A filter answers yes or no, and `{shortened(rendered)}` does not.",
            "Compare it with something, e.g. `status = 'completed'`.",
        )
    return rendered


def check_formula(text: str, *, names: Collection[str]) -> str:
    """Re-render the arithmetic of a derived metric over the names of its inputs."""
    return _checked(text, names, "input")


def check_aggregates(text: str, *, names: Collection[str] | None, noun: str = "column") -> exp.Expr:
    """Parse a typed formula that may aggregate, e.g. `sum(a) / count(distinct b)`.

    With `names` None it is not asked whether there is what it names. For `semantics.formula`,
    which takes it apart. It is not a form that is stored.
    """
    tree = _parsed(text, EXPRESSION_LIMITS)
    problems = list(refusals(tree, functions.FORMULA_NODES, names, noun))
    for aggregate in () if problems else tree.find_all(*functions.AGGREGATE_FUNCTIONS):
        if inner := _inside_of(aggregate):
            problems.append(
                Problem(
                    "",
                    "aggregate_nested",
                    f"`{shortened(as_text(aggregate))}` stands inside of another aggregate, "
                    f"`{shortened(as_text(inner))}`.",
                    "Make the inner one a dataset that is a query, and aggregate that.",
                )
            )
    _raise_if(problems or _lost(text, tree))
    return tree


def check_query(sql: str, *, tables: Collection[str]) -> str:
    """Re-render the query of a dataset: one SELECT that reads the declared `tables` alone.

    Tables are written with their full declared names, so that a search path cannot redirect them.
    """
    tree = _parsed(sql, QUERY_LIMITS, into=exp.Query)
    problems = list(refusals(tree, functions.QUERY_NODES, None, "column"))
    if not problems:
        problems = [*relations.qualify(tree, tables), *_lost(sql, tree)]
    _raise_if(problems)
    return _rendered(tree, into=exp.Query)


def to_dialect(text: str, dialect: Dialect, *, rename: Callable[[str], str] | None = None) -> str:
    """Turn a stored text (expression, filter, formula or query) into the SQL of one engine.

    Engines give equal values for it: division is exact and by zero gives NULL, `round`, `%`,
    `date_trunc` and the like are written so that they agree. `rename` replaces each name by raw
    text of the caller, e.g. by `{{ Dimension('product__brand') }}`.
    """
    tree = rewritten(parse(text), dialect)
    if rename is not None:
        for column in list(tree.find_all(exp.Column)):
            replacement = exp.Var(this=rename(column.name))
            if column is tree:
                tree = replacement
            else:
                column.replace(replacement)
    return tree.sql(dialect=dialect.value, comments=False)


# --- trees ---------------------------------------------------------------------------------


def parse(text: str) -> exp.Expr:
    """The tree of a text that has passed a check before. Not for what a person just typed."""
    return _tree(text).copy()


@lru_cache(maxsize=KEPT_TREES)
def _tree(text: str) -> exp.Expr:
    """The same, shared: for callers that only look at it."""
    limits = QUERY_LIMITS if len(text) > EXPRESSION_LIMITS.letters else EXPRESSION_LIMITS
    into = exp.Query if re.match(r"\s*(select|with)\b", text, re.IGNORECASE) else exp.Condition
    return _parsed(text, QUERY_LIMITS if into is exp.Query else limits, into=into)


@lru_cache(maxsize=KEPT)
def names_in(text: str) -> tuple[str, ...]:
    """The columns, dimension paths or inputs that a checked text uses, each once, in order."""
    found = (column.name for column in _tree(text).find_all(exp.Column, bfs=False))
    return tuple(dict.fromkeys(found))


_ALWAYS_BOOLEAN = (
    *(exp.And, exp.Or, exp.Not, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Boolean),
    *(exp.NullSafeEQ, exp.NullSafeNEQ, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike),
    *(exp.StartsWith, exp.Contains),
)


def is_boolean(tree: exp.Expr) -> bool:
    """Whether the tree answers yes or no. A bare column may; engines find out."""
    if isinstance(tree, exp.And | exp.Or):
        return is_boolean(tree.this) and is_boolean(tree.expression)
    if isinstance(tree, exp.Not | exp.Paren):
        return is_boolean(tree.this)
    if isinstance(tree, exp.Coalesce):
        return all(is_boolean(part) for part in (tree.this, *tree.expressions))
    if isinstance(tree, exp.Case):
        given = [branch.args["true"] for branch in tree.args["ifs"]]
        default = tree.args.get("default")
        return all(
            is_boolean(part) or isinstance(part, exp.Null)
            for part in (*given, *([default] if default else []))
        )
    if isinstance(tree, exp.Cast):
        return bool(tree.args["to"].this == exp.DType.BOOLEAN)
    return isinstance(tree, (*_ALWAYS_BOOLEAN, exp.Column))


# --- inside --------------------------------------------------------------------------------


_NODES = {
    "column": functions.ROW_NODES,
    "dimension": functions.ROW_NODES,
    "input": functions.ARITHMETIC_NODES,
}


def _checked(text: str, names: Collection[str], noun: str) -> str:
    sound = _sound(text, noun)
    if sound and sound.names <= {name.lower() for name in names}:
        return sound.text
    return _rendered(_allowed(text, noun, names))


def _allowed(text: str, noun: str, names: Collection[str] | None = None) -> exp.Expr:
    """The tree of a text in which nothing is refused; with `names` None, whatever it names."""
    tree = _parsed(text, EXPRESSION_LIMITS)
    known = _columns(tree) if names is None else names
    _raise_if(list(refusals(tree, _NODES[noun], known, noun)) or _lost(text, tree))
    return tree


@dataclass(frozen=True)
class _Sound:
    """How a text is written wherever all of these names are known."""

    text: str
    names: frozenset[str]


@lru_cache(maxsize=KEPT)
def _sound(text: str, noun: str) -> _Sound | None:
    """A text without faults, unless in its names; None for one that is refused anywhere."""
    try:
        tree = _allowed(text, noun)
        return _Sound(_rendered(tree), _columns(tree))
    except DefinitionRefused:
        return None


def _columns(tree: exp.Expr) -> frozenset[str]:
    return frozenset(column.name.lower() for column in tree.find_all(exp.Column))


def _raise_if(problems: list[Problem]) -> None:
    if problems:
        raise DefinitionRefused(list(dict.fromkeys(problems)))


def _rendered(tree: exp.Expr, into: type[exp.Expr] = exp.Condition) -> str:
    """Write the tree down, and make sure that what was written reads as the same tree."""
    text = render(bound(tree))
    limits = QUERY_LIMITS if into is exp.Query else EXPRESSION_LIMITS
    if len(text) > limits.letters:
        raise refuse("too_long", "Written out, this text is too long.", "Split it up.")
    if render(bound(_parsed(text, limits, into=into))) != text:
        raise refuse(
            "ambiguous",
            f"`{shortened(text)}` can be read in two ways.",
            "Put parentheses around the parts, and quotes around names that look like keywords.",
        )
    return text


def _parsed(text: str, limits: Limits, into: type[exp.Expr] = exp.Condition) -> exp.Expr:
    _check_letters(text, limits)
    try:
        language = sqlglot.Dialect.get_or_raise(LANGUAGE)
        tokens = list(language.tokenize(text))
        _check_tokens(tokens, limits, comments=into is exp.Query)
        kind = exp.Select if into is exp.Query else into
        (found,) = language.parser().parse_into(kind, tokens, text)
    except DefinitionRefused:
        raise
    except ParseError as error:
        raise _does_not_parse(error) from error
    except TokenError as error:
        raise refuse(
            "syntax",
            "The text cannot be read: a quote or a bracket is not closed.",
            "Close every quote (') and every parenthesis.",
        ) from error
    except RecursionError as error:
        raise _too_deep() from error
    except UNREADABLE as error:
        raise refuse("syntax", "The text cannot be read.", "Write one SQL expression.") from error
    if not isinstance(found, into if into is exp.Query else exp.Expr):
        what = "SELECT" if into is exp.Query else "SQL expression"
        raise refuse("syntax", "The text cannot be read.", f"Write one {what}.")
    if _depth(found) > limits.depth:
        raise _too_deep()
    for identifier in found.find_all(exp.Identifier):
        _plain(identifier)
    return normal(found)


def _lost(text: str, tree: exp.Expr) -> list[Problem]:
    """Values that were written and are not in the tree: arguments that the parser passed over."""
    kept = {str(node.this).lower() for node in tree.find_all(exp.Literal, exp.Var)}
    written = (
        token.text.lower().replace("_", "") if token.token_type == TokenType.NUMBER else token.text
        for token in sqlglot.tokenize(text, read=LANGUAGE)
        if token.token_type in (TokenType.STRING, TokenType.NUMBER)
    )
    return [
        Problem(
            "",
            "lost_value",
            f"`{shortened(value)}` would be passed over where it is written.",
            "Take it out, or check the arguments of the function.",
        )
        for value in dict.fromkeys(written)
        if value.lower() not in kept and not _is_interval(value, kept)
    ]


def _is_interval(value: str, kept: set[str]) -> bool:
    """`interval '3 days'` is kept as a number and a unit."""
    words = value.lower().split()
    return len(words) == 2 and words[0] in kept and words[1].removesuffix("s") in kept


def _check_letters(text: str, limits: Limits) -> None:
    if not text.strip():
        raise refuse("empty", "Nothing is written here.", "Write an expression.")
    if len(text) > limits.letters:
        raise refuse(
            "too_long",
            f"The text has {len(text):,} letters; {limits.letters:,} are allowed.",
            "Split it up, or make the long part a dataset of its own.",
        )
    if _TEMPLATE.search(text):
        raise refuse(
            "template",
            "Template braces such as `{{ ... }}` are not part of the language.",
            "Write the name of the column or dimension by itself.",
        )
    if found := _INVISIBLE.search(text):
        raise refuse(
            "invisible_letter",
            f"There is an invisible letter (U+{ord(found[0]):04X}) in the text.",
            "Remove it, or type the text again.",
        )


def _check_tokens(tokens: list[Token], limits: Limits, *, comments: bool) -> None:
    if any(token.token_type == TokenType.SEMICOLON for token in tokens):
        raise refuse("semicolon", "A semicolon is not allowed.", "Write one expression only.")
    if not comments and any(token.comments for token in tokens):
        raise refuse(
            "comment", "A comment would be lost here.", "Move it to the notes of the card."
        )
    if any(token.token_type == TokenType.HINT for token in tokens):
        raise refuse("comment", "A hint to the engine is not allowed.", "Take out `/*+ ... */`.")
    if len(tokens) > limits.tokens:
        raise _too_deep()
    depth = signs = 0
    for token in tokens:
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        signs = signs + 1 if token.token_type in _SIGNS else 0
        if depth > limits.nesting or signs > SIGNS_IN_A_ROW:
            raise _too_deep()


def _too_deep() -> DefinitionRefused:
    return refuse(
        "too_deep",
        "The text is nested too deeply or has too many parts to be read.",
        "Split it up: name a part as a metric or a dataset of its own.",
    )


def _does_not_parse(error: ParseError) -> DefinitionRefused:
    found = error.errors[0] if error.errors else {}
    line, column, word = found.get("line"), found.get("col"), found.get("highlight")
    if line is None:
        return refuse("syntax", "The text cannot be read.", "Write one SQL expression.")
    near = f" near `{shortened(str(word), 30)}`" if word else ""
    return refuse(
        "syntax",
        f"The text cannot be read{near} (line {line}, column {column}).",
        "Write one SQL expression; check commas, operators and parentheses there.",
    )


def _depth(tree: exp.Expr) -> int:
    """How deep the tree is, found without recursion."""
    deepest, level = 0, [tree]
    while level:
        deepest += 1
        level = [child for node in level for child in node.iter_expressions()]
    return deepest


def _plain(identifier: exp.Identifier) -> None:
    """Fold an unquoted name to lower case, and quote it exactly where it must be."""
    name = identifier.this
    if not identifier.args.get("quoted"):
        name = name.lower()
    identifier.set("this", name)
    identifier.set("quoted", needs_quotes(name))


def _inside_of(aggregate: exp.Expr) -> exp.Expr | None:
    """The aggregate that encloses this one. A FILTER beside its own aggregate does not."""
    above = aggregate.parent
    while above is not None and not isinstance(above, functions.AGGREGATE_FUNCTIONS):
        if isinstance(above, exp.Where):
            return above.parent
        above = above.parent
    return above
