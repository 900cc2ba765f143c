"""The definitions that the documentation shows can be proposed as they stand there."""

import re

import pytest
import yaml

from examples.company import Company
from semantics.definition import METRIC_TYPES, read_spec
from semantics.problems import Level
from semantics.validate import problems_of
from tests.rig import ROOT

PAGE = ROOT / "docs" / "how-to" / "metrics-in-yaml.md"
SHOWN = [
    yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
]


def test_there_is_one_of_each_type():
    assert [document["type"] for document in SHOWN] == list(METRIC_TYPES)


@pytest.mark.parametrize("document", SHOWN, ids=lambda document: document["type"])
def test_a_shown_definition_can_be_proposed(document):
    known = {key: read_spec(entry.spec) for key, entry in Company().entries.items()}

    problems = problems_of(document, key="shown", known=known)
    assert [problem for problem in problems if problem.level == Level.BLOCKS] == []
