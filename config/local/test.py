"""`make test`: the whole suite, in two processes, with a browser where one can be had."""

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
    command = [sys.executable, "-m", "pytest", "-n", str(PROCESSES), "--dist", "loadgroup"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run([*command, *arguments], cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
