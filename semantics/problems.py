"""What is wrong with a definition: every fault with its place, its reason and a way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum


class Level(StrEnum):
    """How much a problem weighs: it stops a submit, wants an answer, or is advice."""

    BLOCKS = "blocks"
    NEEDS_ANSWER = "needs_answer"
    ADVICE = "advice"


@dataclass(frozen=True)
class Problem:
    """One fault. `place` is a path into the document, such as `numerator.filters.0`."""

    place: str
    code: str
    message: str
    fix: str = ""
    level: Level = Level.BLOCKS

    def as_dict(self) -> dict[str, str]:
        return {name: str(value) for name, value in asdict(self).items()}

    def at(self, place: str) -> Problem:
        """The same problem seen from outside: `place` is put before its own place."""
        return replace(self, place=".".join(part for part in (place, self.place) if part))


class DefinitionRefused(ValueError):
    """A definition, or a text in it, cannot be accepted. Carries every problem that was found."""

    def __init__(self, problems: Iterable[Problem]):
        self.problems = list(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


def refuse(code: str, message: str, fix: str = "", *, place: str = "") -> DefinitionRefused:
    """A refusal with a single problem, to be raised."""
    return DefinitionRefused([Problem(place, code, message, fix)])


def nearest(name: str, candidates: Iterable[str]) -> str:
    """A sentence that proposes what was probably meant, or an empty one."""
    # Local to keep the import of rapidfuzz out of processes that never meet a fault.
    from rapidfuzz import process
    from rapidfuzz.distance import DamerauLevenshtein

    found = process.extractOne(
        name.lower(),
        sorted(candidates),
        scorer=DamerauLevenshtein.normalized_similarity,
        score_cutoff=0.6,
    )
    return f"Did you mean `{found[0]}`?" if found else ""
