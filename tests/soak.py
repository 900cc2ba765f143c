"""The long campaigns: more kills and more races than the suite has time for (`make soak`).

Each campaign is a test of the suite with a larger count. What it measured is printed, and kept in
`docs/reference/campaigns.md` when all have held.
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
CAMPAIGNS = (
    ({}, "tests/core/test_tampering.py"),
    ({"KILLS": "100"}, "tests/measurement/test_killed_workers.py"),
    ({"HTTP_RACES": "1000"}, "tests/governance/test_http_races.py"),
    ({"RACES": "1000"}, "tests/governance/test_races.py"),
)


def main(only: list[str]) -> int:
    """Run all, or those whose file is named by a part of its name."""
    chosen = [one for one in CAMPAIGNS if not only or any(part in one[1] for part in only)]
    lines, failed = [], []
    for counts, path in chosen:
        said, seconds, is_held = _run(counts, path)
        lines += [f"| {line.replace(': ', ' | ', 1)} | {seconds:.0f} s |" for line in said]
        print("\n".join(f"  {line}" for line in said), flush=True)
        print(f"{path}: {'held' if is_held else 'BROKEN'} in {seconds:.0f} s", flush=True)
        failed += [] if is_held else [path]
    if not failed and len(chosen) == len(CAMPAIGNS):
        _keep(lines)
        print(f"Kept in {PAGE.relative_to(ROOT)}.")
    return 1 if failed else 0


def _run(counts: dict[str, str], path: str) -> tuple[list[str], float, bool]:
    """What a campaign said of itself, how long its file took, and whether all of it held."""
    print(f"{path} {counts or ''} ...", flush=True)
    began = time.monotonic()
    with tempfile.NamedTemporaryFile("r", suffix=".txt") as figures:
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--show-capture=no", path],
            cwd=ROOT,
            env={**os.environ, **counts, "ETALON_FIGURES": figures.name},
        )
        said = figures.read().splitlines()
    return said, time.monotonic() - began, ended.returncode == 0


def _keep(lines: list[str]) -> None:
    text = PAGE.read_text()
    before, after = text[: text.index(BEGIN)], text[text.index(END) :]
    cores = os.cpu_count()
    table = [
        BEGIN,
        f"Measured on {datetime.now(UTC):%-d %B %Y} on {cores} cores, Python "
        f"{sys.version.split()[0]}. The seconds are those of all campaigns of one file.",
        "",
        "| Campaign | What came of it | Took |",
        "| --- | --- | --- |",
        *lines,
        "",
    ]
    PAGE.write_text(before + "\n".join(table) + after)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
