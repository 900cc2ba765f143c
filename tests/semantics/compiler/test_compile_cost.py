"""What compiling costs, and who pays: only processes that compile import MetricFlow."""

import subprocess
import sys
import threading
from contextvars import copy_context
from datetime import date
from pathlib import Path

from semantics import metricflow
from semantics.definition import Grain
from semantics.guard import Dialect
from semantics.metricflow import compile_question
from semantics.question import Measure
from tests.counting import calls
from tests.semantics.compiler.cases import CASES
from tests.semantics.compiler.small_shop import ratio, shop, simple

ROOT = Path(__file__).resolve().parents[3]


def test_web_processes_do_not_import_metricflow():
    program = """
import sys
from semantics import card, definition, diff, guard, lineage, question, validate
found = {name.partition(".")[0] for name in sys.modules}
print(sorted(found & {"metricflow", "metricflow_semantics", "metricflow_semantic_interfaces"}))
"""
    answer = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True
    )

    assert answer.stdout.strip() == "[]"


def compiled(specs, key="share"):
    return compile_question(
        [Measure("v", key, specs)], grain=Grain.DAY, group_by=["store"], dialect=Dialect.DUCKDB
    )


def calls_of_compile(specs) -> int:
    """With nothing kept from before."""
    metricflow._compiled.cache_clear()
    return calls(lambda: compiled(specs))


def test_ten_thousand_other_metrics_do_not_slow_it():
    small = shop(share=ratio("sales", "baskets"))
    others = {
        f"other_{number}": simple("lines", "sum", f"amount * {number}") for number in range(10_000)
    }
    large = {**others, **small}

    assert compiled(small).text == compiled(large).text
    assert calls_of_compile(large) < 1.1 * calls_of_compile(small)


def test_a_range_is_filled_in_without_compiling_again():
    specs = shop(share=ratio("sales", "baskets"))
    question = compiled(specs)

    filled = calls(lambda: question.sql(date(2026, 1, 1), date(2026, 1, 20)))
    assert filled < calls_of_compile(specs) / 100


def test_equal_questions_are_compiled_once():
    first = compiled(shop(share=ratio("sales", "baskets")))

    assert compiled(shop(share=ratio("sales", "baskets"))) is first
    assert compiled(shop(share=ratio("sales", "buyers"))) is not first


def test_nothing_of_a_question_stays_in_the_context_of_its_worker():
    compiled(shop(share=ratio("sales", "baskets")))
    before = len(copy_context())

    metricflow._compiled.cache_clear()
    compiled(shop(share=ratio("sales", "baskets")))

    assert len(copy_context()) == before


def test_threads_compile_side_by_side():
    cases = CASES[::8]

    def texts():
        found = []
        for case in cases:
            question = compile_question(
                [Measure("v", case.key, case.specs)],
                grain=Grain(case.grain),
                group_by=case.group_by,
                dialect=Dialect.POSTGRESQL,
            )
            found.append(question.text)
        return found

    expected = texts()
    answers: list[list[str]] = []
    metricflow._compiled.cache_clear()
    threads = [threading.Thread(target=lambda: answers.append(texts())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert answers == [expected] * 4
