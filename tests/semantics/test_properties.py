"""What must hold for every expression, tried on random ones over random rows with NULLs."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from semantics.canonical import hash_of
from semantics.definition import SimpleSpec
from semantics.diff import ChangeClass, class_of, differences
from semantics.equal import conjuncts, one_spelling
from semantics.guard import Dialect, check_expression, check_filter, parse
from semantics.problems import DefinitionRefused
from tests.semantics.two_engines import COLUMNS, ROWS

often = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

numbers = st.sampled_from(["a", "b", "d", "0", "1", "2", "-3", "1.5", "null"])
words = st.sampled_from(["s", "t", "'x'", "''", "'a_b%'", "null"])


def _numeric(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.map(lambda p: f"({p[0]} + {p[1]})"),
        pair.map(lambda p: f"({p[0]} - {p[1]})"),
        pair.map(lambda p: f"({p[0]} * {p[1]})"),
        pair.map(lambda p: f"({p[0]} / {p[1]})"),
        pair.map(lambda p: f"coalesce({p[0]}, {p[1]})"),
        pair.map(lambda p: f"nullif({p[0]}, {p[1]})"),
        inner.map(lambda x: f"(-({x}))"),
        inner.map(lambda x: f"abs({x})"),
    )


numeric = st.recursive(numbers, _numeric, max_leaves=5)
atoms = st.one_of(
    st.tuples(numeric, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), numeric).map(" ".join),
    st.tuples(words, st.sampled_from(["=", "<>", "like"]), words).map(" ".join),
    numeric.map(lambda x: f"{x} is null"),
    st.tuples(words, words, words).map(lambda w: f"{w[0]} in ({w[1]}, {w[2]})"),
    st.tuples(numbers, numbers, numbers).map(lambda n: f"{n[0]} between {n[1]} and {n[2]}"),
    st.tuples(numbers, numbers).map(lambda n: f"{n[0]} is distinct from {n[1]}"),
    st.sampled_from(["yes", "true", "false"]),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) and ({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) or ({p[1]})"),
        inner.map(lambda x: f"not ({x})"),
        inner.map(lambda x: f"case when {x} then true else false end"),
    ),
    max_leaves=6,
)

maybe = lambda values: st.one_of(st.none(), values)  # noqa: E731
row = st.tuples(
    maybe(st.integers(-5, 5)),
    maybe(st.integers(-3, 3)),
    maybe(st.sampled_from([Decimal("0.00"), Decimal("1.50"), Decimal("-2.25")])),
    maybe(st.sampled_from([0.0, 0.5, -1.25])),
    maybe(st.sampled_from(["x", "", "X", "a_b%"])),
    maybe(st.sampled_from(["x", "y", "%"])),
    maybe(st.booleans()),
    st.none(),
    st.none(),
)


@pytest.fixture
def random_rows(both):
    yield both
    both.fill(ROWS)


@often
@given(text=st.one_of(conditions, numeric), rows=st.lists(row, min_size=1, max_size=6))
def test_one_spelling_gives_the_values_of_the_text(random_rows, text, rows):
    stored = check_expression(text, names=COLUMNS)
    spelled = one_spelling(stored)
    random_rows.fill(rows)

    assert random_rows.rows(spelled, Dialect.DUCKDB) == random_rows.rows(stored, Dialect.DUCKDB)


@often
@given(text=conditions, rows=st.lists(row, min_size=1, max_size=6))
def test_the_parts_of_a_filter_keep_the_rows_of_the_filter(random_rows, text, rows):
    stored = check_filter(text, names=COLUMNS)
    random_rows.fill(rows)
    kept = [set(random_rows.kept(part, Dialect.DUCKDB)) for part in conjuncts(stored)]

    assert set.intersection(*kept) == set(random_rows.kept(stored, Dialect.DUCKDB))


@often
@given(text=st.one_of(conditions, numeric))
def test_rendering_again_changes_nothing(text):
    stored = check_expression(text, names=COLUMNS)
    spelled = one_spelling(stored)

    assert check_expression(stored, names=COLUMNS) == stored
    assert one_spelling(spelled) == spelled
    assert check_expression(spelled, names=COLUMNS) == spelled


@settings(parent=often, max_examples=60)
@given(text=st.one_of(conditions, numeric), rows=st.lists(row, min_size=1, max_size=4))
def test_both_engines_give_equal_values(random_rows, text, rows):
    # PostgreSQL does not guess the type of an expression that is nothing but NULL.
    assume("null" not in text)
    stored = check_expression(text, names=COLUMNS)
    random_rows.fill(rows)

    assert random_rows.rows(stored, Dialect.DUCKDB) == random_rows.rows(stored, Dialect.POSTGRESQL)


signs = st.text(alphabet="ab1'\"()+-*/<>=,.;:{}%[]|&!~ \n", max_size=40)
SQL_WORDS = (
    "a b s 1 'x' ( ) [ ] { } : , . * / || -> :: case when then else end cast as is not null in "
    "like between and or interval select from over partition by order filter where with "
    "extract trim position substring grouping sets struct map array lambda row using within "
    "group sum count distinct date timestamp try_cast values exists any all"
)
jumble = st.lists(st.sampled_from(SQL_WORDS.split()), max_size=12).map(" ".join)


@often
@given(text=st.one_of(signs, jumble))
@example(text="{:}")
def test_any_text_is_refused_or_rendered_and_nothing_else(text):
    try:
        stored = check_expression(text, names=COLUMNS)
    except DefinitionRefused as refused:
        assert refused.problems
    else:
        assert check_expression(stored, names=COLUMNS) == stored
        assert parse(stored)


fields = st.fixed_dictionaries(
    {
        "expression": st.sampled_from(["a", "b", "a + b", "b + a", "a - b"]),
        "filters": st.lists(st.sampled_from(["a = 1", "1 = a", "b > 2", "s = 'x'"]), max_size=3),
        "grains": st.lists(st.sampled_from(["day", "week", "year"]), min_size=1, max_size=3),
        "dimensions": st.lists(st.sampled_from(["s", "t", "product__brand"]), max_size=3),
        "late_data": st.sampled_from([{"recompute_days": 3}, {"recompute_days": 1}]),
        "fill_nulls_with": st.sampled_from([None, 0]),
    }
)


def spec_of(said: dict) -> SimpleSpec:
    return SimpleSpec.model_validate({"dataset": "rows", "aggregation": "sum", **said})


@often
@given(old=fields, new=fields)
def test_there_are_differences_exactly_when_the_hash_differs(old, new):
    one, other = spec_of(old), spec_of(new)

    assert bool(differences(one, other)) == (hash_of(one) != hash_of(other))
    assert (class_of(one, other).change_class is None) == (hash_of(one) == hash_of(other))


def values_of(engines, spec: SimpleSpec) -> dict:
    """A small evaluation of a simple metric: the total, and each dimension it has among rows."""
    where = " AND ".join(f"({text})" for text in spec.filters) or "TRUE"
    found = {}
    for path in ("", *(path for path in spec.dimensions if path in COLUMNS)):
        member = path or "''"
        sql = " ".join(
            ["SELECT", member, "AS m, SUM(", spec.expression, ") FROM rows WHERE", where]
        )
        found[path] = sorted(engines.run(f"{sql} GROUP BY 1", Dialect.DUCKDB), key=repr)
    return found


harmless = st.fixed_dictionaries(
    {},
    optional={
        "filters": st.permutations(["a = 1 or b > 2", "s = 'x'"]),
        "expression": st.sampled_from(["b + a", "(a) + b"]),
        "grains": st.just(["day", "week", "month", "year"]),
        "dimensions": st.sampled_from([["s", "t"], ["t", "s", "yes"]]),
    },
)


@often
@given(change=harmless, rows=st.lists(row, min_size=1, max_size=5))
def test_a_change_that_is_not_restating_moves_no_value(random_rows, change, rows):
    said = {
        "expression": "a + b",
        "filters": ["s = 'x'", "a = 1 or b > 2"],
        "dimensions": ["s"],
        "grains": ["day", "week", "month"],
    }
    one, other = spec_of(said), spec_of({**said, **change})
    random_rows.fill(rows)

    before, after = values_of(random_rows, one), values_of(random_rows, other)

    assert class_of(one, other).change_class in (None, ChangeClass.ADDITIVE)
    assert before == {path: after[path] for path in before}
