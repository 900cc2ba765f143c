"""Every setting has its entry in the reference, and nothing there is invented."""

import re

from tests.rig import ROOT

READ = re.compile(r"""env\.\w+\(\s*"([A-Z_]+)\"""")
GIVEN = re.compile(r"""(?:given(?:\.get\(|\[)|environ(?:\.get\(|\[))\s*"([A-Z_]+)\"""")
ENTRY = re.compile(r"^\| `([A-Z_]+)`", re.MULTILINE)
REFERENCE = ROOT / "docs" / "reference" / "settings.md"


def _read_by_the_code() -> set[str]:
    found = set(READ.findall((ROOT / "config" / "settings.py").read_text()))
    # What the installer reads are settings of uv.
    for path in (ROOT / "config" / "local").glob("[!i]*.py"):
        found |= set(GIVEN.findall(path.read_text()))
    return found


def test_every_setting_is_documented():
    documented = set(ENTRY.findall(REFERENCE.read_text()))

    assert _read_by_the_code() - documented == set()


def test_no_documented_setting_is_invented():
    compose = (ROOT / "docker-compose.yml").read_text()
    makefile = (ROOT / "Makefile").read_text()
    documented = set(ENTRY.findall(REFERENCE.read_text()))

    unknown = documented - _read_by_the_code()
    assert {name for name in unknown if name not in compose and name not in makefile} == set()
