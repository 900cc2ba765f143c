"""The servers of the tests end with pytest, however it ends."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from tests.rig import ROOT
from tests.servers import SUPERUSER_URL

pytestmark = pytest.mark.slow
WITHIN = 60


@pytest.fixture
def folder():
    """Where a pytest of its own puts all that it makes; servers run as somebody else."""
    path = Path(tempfile.mkdtemp(prefix="own-", dir="/tmp"))  # noqa: S108 - paths of sockets are short
    path.chmod(0o711)
    yield path
    for process in _servers(path):
        process.kill()
    shutil.rmtree(path, ignore_errors=True)


def _pytest(folder: Path, *arguments: str) -> subprocess.Popen:
    environment = {**os.environ, "TMPDIR": str(folder)}
    for inherited in (SUPERUSER_URL, "PYTEST_XDIST_WORKER"):
        environment.pop(inherited, None)
    return subprocess.Popen(
        [sys.executable, "-m", "pytest", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _servers(folder: Path) -> list[psutil.Process]:
    """What runs on data or sockets of this folder."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
    ]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (["--no-such-word"], "unrecognized arguments"),
        (["-p", "tests.servers", "{folder}/conftest.py"], "Broken on purpose"),
    ],
    ids=["unknown argument", "broken conftest"],
)
def test_they_end_when_pytest_fails_while_starting(folder, broken, said):
    (folder / "conftest.py").write_text("raise RuntimeError('Broken on purpose')\n")

    ran = _pytest(folder, *(word.format(folder=folder) for word in broken))
    output, _ = ran.communicate(timeout=WITHIN)

    assert said in output
    assert ran.returncode not in (0, 5)
    assert _servers(folder) == []
    assert list(folder.glob("etalon-*")) == []


def test_they_end_when_pytest_is_told_to_end(folder):
    waiting = folder / "test_waiting.py"
    waiting.write_text("import time\n\ndef test_waiting():\n    time.sleep(600)\n")
    ran = _pytest(folder, "-c", str(ROOT / "pyproject.toml"), str(waiting))
    deadline = time.monotonic() + WITHIN
    while len(_servers(folder)) < 3 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(_servers(folder)) >= 3

    ran.send_signal(signal.SIGTERM)
    ran.communicate(timeout=WITHIN)

    assert _servers(folder) == []
    assert list(folder.glob("etalon-*")) == []
