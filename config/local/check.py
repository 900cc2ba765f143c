"""`make check`: everything that can be found without running the product."""

import os
import subprocess
import sys
import time
from pathlib import Path

from config.local.environment import production_like

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = ROOT / ".venv" / "bin"
# Where a wrong type is a wrong number or a wrong permission: see CONTRIBUTING.md.
TYPED = ("semantics", "core", "accounts", "catalog", "measurement", "governance")


def steps() -> list[tuple[str, list[str]]]:
    python = [sys.executable, "-W", "ignore::RuntimeWarning"]
    manage = [*python, "manage.py"]
    found = [
        ("Code reads well (ruff check)", [str(BIN / "ruff"), "check"]),
        ("Code is formatted (ruff format)", [str(BIN / "ruff"), "format", "--check"]),
        ("Rooms are stacked (lint-imports)", [str(BIN / "lint-imports")]),
        ("Types (mypy)", [str(BIN / "mypy"), *TYPED]),
        (
            "Settings are safe (check --deploy)",
            [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        ),
        # The models alone are compared with the migrations: no database is asked.
        ("Migrations are complete", [*manage, "makemigrations", "--check", "--dry-run"]),
    ]
    if any((ROOT / "templates").rglob("*.html")):
        found.append(
            ("Templates (djlint)", [str(BIN / "djlint"), "--check", "--lint", "templates"])
        )
    found.append(
        (
            "Compose file against its schema",
            [
                *(str(BIN / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec"),
                "docker-compose.yml",
            ],
        )
    )
    return found


def main() -> int:
    """Run every step, also after one failed, and say which failed."""
    environment = {**os.environ, **production_like(), "PYTHONPATH": str(ROOT)}
    failed = []
    for name, command in steps():
        started = time.monotonic()
        print(f"  {name} ...", flush=True)
        done = subprocess.run(
            command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        seconds = time.monotonic() - started
        if done.returncode:
            failed.append(name)
            print(done.stdout.decode(errors="replace"))
        print(f"  {name}: {'FAILED' if done.returncode else 'ok'} ({seconds:.1f} s)", flush=True)
    if failed:
        print(f"\nFailed: {'; '.join(failed)}.")
        return 1
    print("\nAll checks passed.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
