"""The browser that tests drive, and what happens where there is none."""

import subprocess
import sys

import pytest

from config.local import browser
from tests.rig import ROOT

PROBE = "tests/house/test_browser.py::test_a_page_is_seen_in_a_real_browser"


@pytest.mark.browser
def test_a_page_is_seen_in_a_real_browser(chrome):
    page = chrome.new_context().new_page()

    page.set_content("<h1>Net sales</h1>")

    assert page.get_by_role("heading").inner_text() == "Net sales"
    page.context.close()


def _run_without_browser(monkeypatch, ci):
    monkeypatch.setenv("CHROMIUM", "/nowhere/chromium")
    monkeypatch.setenv("CI", ci)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", PROBE],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_without_a_browser_the_last_line_says_so(monkeypatch):
    done = _run_without_browser(monkeypatch, ci="")

    assert done.returncode == 0, done.stdout
    assert done.stdout.strip().splitlines()[-1] == (
        "1 browser tests were skipped: CHROMIUM names /nowhere/chromium, which does not exist."
    )


def test_in_ci_a_missing_browser_is_a_failure(monkeypatch):
    done = _run_without_browser(monkeypatch, ci="true")

    assert done.returncode == 1
    assert "Browser tests cannot run" in done.stdout


def test_a_named_browser_is_believed_and_a_broken_one_is_not(monkeypatch, tmp_path):
    works = tmp_path / "chromium"
    works.write_text("#!/bin/sh\nexit 0\n")
    works.chmod(0o755)

    monkeypatch.setenv("CHROMIUM", str(works))
    assert browser.find() == str(works)

    works.write_text("#!/bin/sh\nexit 1\n")
    assert browser.find() is None
    assert "does not start" in browser.why_missing()
