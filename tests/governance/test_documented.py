"""What the documentation draws is what the code does."""

from pathlib import Path

from governance.choices import MOVES, Status
from semantics.diff import ChangeClass

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "change-requests.md"


def rows_under(heading: str) -> list[list[str]]:
    lines = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0].splitlines()
    table = [line for line in lines if line.startswith("|")][2:]
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
