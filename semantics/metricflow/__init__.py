"""The compiler: the definitions of one question become one SELECT, with MetricFlow's help.

Importing this package imports MetricFlow (a second, 70 MB). Workers do; web processes do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from semantics.canonical import hash_of
from semantics.definition import AnySpec, DatasetSpec, Grain
from semantics.guard import Dialect
from semantics.lineage import closure
from semantics.metricflow.plan import Plan
from semantics.metricflow.star import World
from semantics.metricflow.writing import source_names, written
from semantics.paths import reachable
from semantics.problems import refuse
from semantics.question import CompiledQuestion, Measure

# A question takes 10 to 80 ms to compile and a few kilobytes to keep.
KEPT = 512


@dataclass(frozen=True)
class _Asked:
    """A measure that is equal to another when all its definitions are."""

    label: str
    key: str
    hashes: tuple[tuple[str, str], ...]
    specs: Mapping[str, AnySpec] = field(compare=False)


def compile_question(
    measures: Sequence[Measure],
    *,
    grain: Grain,
    group_by: Sequence[str] = (),
    dialect: Dialect,
) -> CompiledQuestion:
    """Compile one SELECT for several measures, which may be two definitions of one key.

    Raises DefinitionRefused for what cannot be asked: an unknown dimension, datasets of several
    sources, weeks that begin on different days. Questions that were compiled before are kept.
    """
    if not measures:
        raise ValueError("A question needs a measure.")
    for named, what in (([each.label for each in measures], "label"), (group_by, "dimension")):
        if len(set(named)) != len(named):
            raise refuse("repeated", f"A {what} is asked for twice.", "Ask for each once.")
    asked = tuple(map(_asked, measures))
    return _compiled(asked, Grain(grain), tuple(group_by), Dialect(dialect))


def _asked(measure: Measure) -> _Asked:
    """The measure with what it can stand on, and nothing else that it may have been given."""
    standing = closure(measure.key, measure.specs)
    for dataset in [key for key, spec in standing.items() if isinstance(spec, DatasetSpec)]:
        for joined in sorted(reachable(dataset, measure.specs)):
            standing.setdefault(joined, measure.specs[joined])
    hashes = tuple((key, hash_of(spec)) for key, spec in standing.items())
    return _Asked(measure.label, measure.key, hashes, standing)


@lru_cache(maxsize=KEPT)
def _compiled(
    measures: tuple[_Asked, ...], grain: Grain, group_by: tuple[str, ...], dialect: Dialect
) -> CompiledQuestion:
    plan = Plan(grain, group_by, dialect, source_names(each.specs for each in measures))
    values = {
        each.label: plan.value(each.key, World(each.specs, dict(each.hashes))) for each in measures
    }
    return written(plan, values)
