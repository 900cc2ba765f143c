"""What the documentation draws is what the code does."""

from pathlib import Path

from governance.choices import MOVES, Status
from semantics.diff import ChangeClass
from tests.governance.test_guards import LACKING, REWRITING, SHADOWS, WITHOUT_REQUEST

CONCEPTS = Path(__file__).parents[2] / "docs" / "concepts"


def rows_under(heading: str, page: str = "change-requests.md") -> list[list[str]]:
    """The rows of all tables under a heading, without the lines above each table's own."""
    text = (CONCEPTS / page).read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = text.splitlines()
    heads = [place for place, line in enumerate(lines) if line.startswith("| ---")]
    table = [
        line
        for place, line in enumerate(lines)
        if line.startswith("|") and place not in heads and place + 1 not in heads
    ]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_page_draws_the_moves():
    drawn = {
        action.replace(" ", "_"): (
            {name.strip() for name in sources.split(",")},
            None if target == "(stays)" else target,
        )
        for action, sources, target in rows_under("Its life")
    }

    assert drawn == {
        action: (
            {Status(status).label.lower() for status in sources},
            target and Status(target).label.lower(),
        )
        for action, (sources, target) in MOVES.items()
    }


def test_the_page_names_every_class_of_change():
    assert [row[0].lower() for row in rows_under("What a change is")] == list(ChangeClass)


def test_the_page_lists_every_path_that_is_tried():
    listed = [path for path, _ in rows_under("Paths that are tried", "consent.md")]
    cases = [case.__name__.strip("_").replace("_", " ") for case in (*LACKING, *SHADOWS)]

    assert sorted(listed[: len(REWRITING)]) == sorted(REWRITING)
    assert listed[len(REWRITING) :] == cases
    assert len(REWRITING) >= 20


def test_the_page_names_the_ways_to_make_a_version_of_nothing():
    page = (CONCEPTS / "consent.md").read_text()
    line = " ".join(page.split("To make a version of nothing")[1].split("\n\n")[0].split())

    assert [way for way in WITHOUT_REQUEST if way not in line] == []
