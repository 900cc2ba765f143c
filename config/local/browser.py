"""The Chromium that browser tests drive: one that is installed, or Debian's."""

import os
import shutil
import subprocess
from pathlib import Path

# In the order of trust: what the caller names, then what package managers install.
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)


def find() -> str | None:
    """The path of a Chromium that answers, or None. CHROMIUM names one."""
    named = os.environ.get("CHROMIUM")
    candidates = [named] if named else [shutil.which(name) for name in NAMES]
    for path in candidates:
        if path and _answers(path):
            return path
    return None


def install() -> None:
    """Install Debian's Chromium where that is possible: as root, where apt-get is."""
    if os.geteuid() != 0 or not shutil.which("apt-get") or os.environ.get("CHROMIUM"):
        return
    print("  Installing Chromium for the browser tests (apt-get, about a minute)", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
    for step in (["apt-get", "update", "-q"], command):
        done = subprocess.run(
            step, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            print(f"  Chromium was not installed:\n{done.stdout[-2000:]}", flush=True)
            return


def why_missing() -> str:
    """The sentence for people: what is missing and what to do."""
    named = os.environ.get("CHROMIUM")
    if named and not Path(named).exists():
        return f"CHROMIUM names {named}, which does not exist."
    if named:
        return f"CHROMIUM names {named}, which does not start."
    return (
        "no Chromium was found. Install it (on Debian and Ubuntu: apt-get install chromium), "
        "or name one: CHROMIUM=/path/to/chromium make test"
    )


def _answers(path: str) -> bool:
    try:
        asked = subprocess.run(
            [path, "--version", "--no-sandbox"], capture_output=True, timeout=30, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0
