"""What an import graph can show, and what it cannot: foreign keys point downwards too."""

import subprocess
import sys

import pytest
from django.apps import apps

from tests.rig import ROOT

# From the lowest to the highest: LAYERS of pyproject.toml, as far as they have models.
ROOMS = ("core", "accounts", "catalog", "measurement", "governance", "api", "web")
SOURCES = ("accounts", "api", "catalog", "config", "core", "governance", "measurement", "semantics")
LONGEST_FILE = 500
# A table of cases is read by looking a case up, not from top to bottom.
LONGEST_TEST = 900


def test_rooms_import_only_from_below():
    linted = subprocess.run(
        [str(ROOT / ".venv" / "bin" / "lint-imports")]
        if (ROOT / ".venv" / "bin" / "lint-imports").exists()
        else [sys.executable, "-m", "importlinter.cli"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    assert linted.returncode == 0, linted.stdout


def test_foreign_keys_point_downwards():
    upwards = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for room in ROOMS
        for model in apps.get_app_config(room).get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete
        and field.is_relation
        and field.related_model is not None
        and field.related_model._meta.app_label in ROOMS
        and ROOMS.index(field.related_model._meta.app_label) > ROOMS.index(room)
        # People are named from everywhere: by the audit log, by notices and by row history.
        and field.related_model._meta.label != "accounts.User"
    ]

    assert upwards == []


def _python_files():
    for room in SOURCES:
        yield from (path for path in (ROOT / room).rglob("*.py") if "migrations" not in path.parts)


def test_files_stay_short_enough_to_read():
    too_long = {
        str(path.relative_to(ROOT)): lines
        for path, longest in (
            *((path, LONGEST_FILE) for path in _python_files()),
            *((path, LONGEST_TEST) for path in (ROOT / "tests").rglob("*.py")),
        )
        if (lines := len(path.read_text().splitlines())) > longest
        # One noun after another, without logic: the allowed exception.
        and path.name != "models.py"
    }

    assert too_long == {}


@pytest.mark.parametrize("word", ["print(", "breakpoint(", "import pdb"])
def test_the_product_does_not_talk_to_a_terminal(word):
    found = [
        str(path.relative_to(ROOT))
        for path in _python_files()
        if (ROOT / "config" / "local") not in path.parents
        for line in path.read_text().splitlines()
        if line.strip().startswith(word)
    ]

    assert found == []
