"""The long campaigns: more kills and more races than the suite has time for (`make soak`).

Each campaign is a test of the suite with a larger count; the figures are printed at the end.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CAMPAIGNS = (
    (
        "kills of workers during a backfill",
        {"KILLS": "100"},
        "tests/measurement/test_killed_workers.py",
    ),
    ("races of reviewers and editors", {"RACES": "1000"}, "tests/governance/test_races.py"),
)


def main() -> int:
    failed = []
    for name, counts, path in CAMPAIGNS:
        began = time.monotonic()
        print(f"{name}: {counts} ...", flush=True)
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", path], cwd=ROOT, env={**os.environ, **counts}
        )
        outcome = "held" if ended.returncode == 0 else "BROKEN"
        print(f"{name}: {outcome} in {time.monotonic() - began:.0f} s", flush=True)
        if ended.returncode:
            failed.append(name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
