"""Every case is kept as a snapshot of its SQL, and run in both engines against a known answer.

A snapshot says that the SQL changed; only the answer says that it is right. To write the
snapshots anew: `REFRESH_SNAPSHOTS=1 python -m pytest tests/semantics/compiler`.
"""

import os
from pathlib import Path

import pytest

from semantics.definition import Grain
from semantics.guard import Dialect
from semantics.metricflow import compile_question
from semantics.question import Measure
from tests.semantics.compiler.cases import CASES, on
from tests.semantics.compiler.engines import plain

SNAPSHOTS = Path(__file__).resolve().parents[2] / "snapshots"
NAMES = [case.name for case in CASES]


def compiled(case, dialect):
    return compile_question(
        [Measure("value", case.key, case.specs)],
        grain=Grain(case.grain),
        group_by=case.group_by,
        dialect=dialect,
    )


@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_answer_is_the_one_made_by_hand(case, engine):
    sql = compiled(case, engine.dialect).sql(on(case.start), on(case.until))

    assert sorted(engine.rows(sql), key=repr) == sorted(map(plain, case.rows), key=repr)


@pytest.mark.parametrize("dialect", Dialect, ids=str)
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_the_sql_is_that_of_the_snapshot(case, dialect):
    path = SNAPSHOTS / dialect.value / f"{case.name}.sql"
    sql = compiled(case, dialect).sql(on(case.start), on(case.until)) + "\n"

    if os.environ.get("REFRESH_SNAPSHOTS"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(sql)

    assert path.exists(), f"{path} is missing; run with REFRESH_SNAPSHOTS=1"
    assert sql == path.read_text()


def test_cases_and_snapshots_are_the_same():
    assert len(set(NAMES)) == len(NAMES)
    for dialect in Dialect:
        assert {path.stem for path in (SNAPSHOTS / dialect.value).glob("*.sql")} == set(NAMES)
