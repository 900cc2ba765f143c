"""`make test`: the whole suite, with a browser where one can be had.

First what keeps two processes busy; then the tests that start programs, kill them and wait for
what comes of it. All tests of a file run in one process, so that what a file sets up (the example
company takes a minute and a half) is set up once. With arguments, pytest runs once with those.
"""

import os
import subprocess
import sys
from pathlib import Path

from config.local import browser

ROOT = Path(__file__).resolve().parent.parent.parent
PROCESSES = 2


def main(arguments: list[str]) -> int:
    if browser.find() is None:
        browser.install()
    side_by_side = ["-n", str(PROCESSES), "--dist", "loadfile"]
    if arguments:
        return _pytest([*side_by_side, *arguments])
    first = _pytest([*side_by_side, "-m", "not slow"])
    return _pytest([*side_by_side, "-m", "slow"]) or first


def _pytest(arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
