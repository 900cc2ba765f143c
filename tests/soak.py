"""The long campaigns: more kills and more races than the suite has time for (`make soak`).

Each campaign is a test of the suite with a larger count. What it measured is printed, and kept in
`docs/reference/campaigns.md` as soon as it has held.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "campaigns.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
HEAD = "| Campaign | What came of it | Took | When and where |"
CAMPAIGNS = (
    ({}, "tests/core/test_tampering.py"),
    ({"KILLS": "100"}, "tests/measurement/test_killed_workers.py"),
    ({"HTTP_RACES": "1000"}, "tests/governance/test_http_races.py"),
    ({"RACES": "1000"}, "tests/governance/test_races.py"),
)


def main(only: list[str]) -> int:
    """Run all, or those whose file is named by a part of its name."""
    chosen = [one for one in CAMPAIGNS if not only or any(part in one[1] for part in only)]
    failed = []
    for counts, path in chosen:
        said, seconds, is_held = _run(counts, path)
        print("\n".join(f"  {line}" for line in said), flush=True)
        print(f"{path}: {'held' if is_held else 'BROKEN'} in {seconds:.0f} s", flush=True)
        if is_held:
            _keep(said, seconds)
        else:
            failed.append(path)
    return 1 if failed else 0


def _run(counts: dict[str, str], path: str) -> tuple[list[str], float, bool]:
    """What a campaign said of itself, how long its file took, and whether all of it held."""
    print(f"{path} {counts or ''} ...", flush=True)
    began = time.monotonic()
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as figures:
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", path],
            cwd=ROOT,
            env={**os.environ, **counts, "ETALON_FIGURES": figures.name},
        )
        said = figures.read().splitlines()
    return said, time.monotonic() - began, ended.returncode == 0


def _keep(said: list[str], seconds: float) -> None:
    """Write the rows of a campaign into the table, in place of those of an earlier time."""
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    kept = text[len(before) : -len(after)].splitlines()
    rows = {_name(line): line for line in kept if line.startswith("| ") and "---" not in line}
    rows.pop(_name(HEAD), None)
    how = f"{datetime.now(UTC):%-d %B %Y}, {os.cpu_count()} cores"
    for line in said:
        row = f"| {line.replace(': ', ' | ', 1)} | {seconds:.0f} s | {how} |"
        rows[_name(row)] = row
    table = [BEGIN, HEAD, "| --- | --- | --- | --- |", *rows.values(), ""]
    PAGE.write_text(before + "\n".join(table) + after)


def _name(row: str) -> str:
    return row.split("|")[1].strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
