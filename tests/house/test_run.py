"""`make run`: starts all, keeps it running, ends all. Each test starts the real thing."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import psycopg
import pytest
import requests

from config.local.environment import secret_key
from config.local.processes import Register, kill_group
from config.local.supervisor import stale_parts
from tests.rig import ROOT, free_port

pytestmark = pytest.mark.slow

PARTS = {"database", "broker", "worker:default", "worker:backfill", "beat"}
PROGRAMS = {"postgres", "valkey", "web", "worker:default", "worker:backfill", "beat"}


class Run:
    """One `make run` after the installation, with its data in a folder of the test."""

    def __init__(self, var: Path, **env: str):
        self.var = var
        self.port = free_port()
        self.said = var / "said.txt"
        named = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "SECRET_KEY")
        environment = {k: v for k, v in os.environ.items() if k not in named}
        environment |= {
            "VAR": str(var),
            "PORT": str(self.port),
            "EXAMPLE": "0",
            "LOG_LEVEL": "INFO",
        }
        with self.said.open("wb") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "config.local.run"],
                cwd=ROOT,
                env=environment | {"PULSE_SECONDS": "1"} | env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self, seconds: float = 180) -> float:
        started = time.monotonic()
        _wait(lambda: "Etalon runs at" in self.said.read_text(), seconds, self.said.read_text)
        return time.monotonic() - started

    def health(self) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}/healthz", timeout=10)

    def processes(self) -> dict[str, psutil.Process]:
        return Register(self.var / "processes.json").alive()

    def local_env(self) -> dict[str, str]:
        lines = (self.var / "local.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)


@pytest.fixture(scope="module")
def folder():
    """Data of several runs. Others may pass through it: the system user of PostgreSQL must."""
    var = Path(tempfile.mkdtemp(prefix="etalon-tests-"))
    var.chmod(0o711)
    yield var
    shutil.rmtree((var / "sockets.txt").read_text(), ignore_errors=True)
    shutil.rmtree(var, ignore_errors=True)


@pytest.fixture
def start(folder):
    """Start runs that are ended with the test, whatever happened to them."""
    runs = []

    def begin(**env):
        runs.append(Run(folder, **env))
        return runs[-1]

    yield begin
    for run in runs:
        run.popen.kill()
        run.popen.wait()
    left = Register(folder / "processes.json").alive()
    for process in left.values():
        kill_group(process.pid)
    psutil.wait_procs(list(left.values()), timeout=5)


def test_everything_starts_and_ends_within_ten_seconds(start):
    run = start()
    run.wait_ready(90)

    answer = run.health()
    assert answer.status_code == 200, answer.text
    assert set(answer.json()["parts"]) == PARTS
    processes = run.processes()
    assert set(processes) == PROGRAMS
    family = [child for p in processes.values() for child in (p, *p.children(recursive=True))]

    started = time.monotonic()
    run.popen.send_signal(signal.SIGTERM)
    assert run.popen.wait(15) == 0
    assert time.monotonic() - started < 10
    assert [process for process in family if process.is_running()] == []
    assert not (run.var / "local.env").exists()


def test_a_second_start_is_quick_and_keeps_all_data(start):
    first = start()
    first.wait_ready()
    with psycopg.connect(first.local_env()["DATABASE_URL"]) as connection:
        connection.execute("INSERT INTO core_heartbeat (name, at) VALUES ('kept', now())")
    first.popen.send_signal(signal.SIGINT)
    first.popen.wait(15)

    second = start()
    took = second.wait_ready()

    # Five seconds on a quiet machine; other tests run beside this one.
    assert took < 20
    with psycopg.connect(second.local_env()["DATABASE_URL"]) as connection:
        found = connection.execute("SELECT name FROM core_heartbeat WHERE name = 'kept'")
        assert found.fetchone()


def test_a_killed_program_is_started_again(start):
    run = start()
    run.wait_ready()
    killed = run.processes()

    for name in PROGRAMS:
        kill_group(killed[name].pid)

    def all_new():
        now = run.processes()
        return set(now) == PROGRAMS and all(now[n].pid != killed[n].pid for n in now)

    _wait(all_new, 120, run.said.read_text)
    _wait(lambda: _is_healthy(run), 120, run.said.read_text)


def test_a_worker_that_lives_without_working_is_seen_and_replaced(start):
    run = start(PULSE_STALE_SECONDS="20")
    run.wait_ready()
    frozen = run.processes()["worker:backfill"]
    for process in (*frozen.children(recursive=True), frozen):
        process.send_signal(signal.SIGSTOP)

    def failing():
        answer = run.health()
        parts = answer.json()["parts"]
        seen = not parts["worker:backfill"]["ok"] and parts["worker:default"]["ok"]
        return answer.status_code == 503 and seen and parts

    parts = _wait(failing, 120, run.said.read_text)
    assert "No sign of life" in parts["worker:backfill"]["reason"]
    _wait(lambda: not frozen.is_running(), 120, run.said.read_text)
    _wait(lambda: _is_healthy(run), 120, run.said.read_text)


def test_a_killed_supervisor_leaves_nothing_that_stops_the_next_run(start):
    first = start()
    first.wait_ready()
    left = first.processes()
    first.popen.kill()
    first.popen.wait()
    assert all(process.is_running() for process in left.values())

    second = start(PORT=str(first.port))
    second.port = first.port
    second.wait_ready()

    assert second.health().status_code == 200
    assert not any(process.is_running() for process in left.values())


def test_a_second_run_beside_the_first_says_so_and_harms_nothing(start):
    first = start()
    first.wait_ready()
    said = first.said.read_text()

    second = start()

    assert second.popen.wait(15) == 1
    assert "Etalon runs from this folder already" in second.said.read_text()
    assert first.health().status_code == 200
    assert first.local_env()["DATABASE_URL"]
    assert "Etalon runs at" in said


def test_a_port_in_use_is_refused_with_what_to_do(start):
    with subprocess.Popen(
        [sys.executable, "-m", "http.server", "0", "--bind", "127.0.0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as other:
        port = other.stdout.readline().decode().split("port ")[1].split()[0]

        run = start(PORT=port)
        code = run.popen.wait(15)
        other.kill()

    assert code == 1
    assert f"Port {port} cannot be used" in run.said.read_text()
    assert f"PORT={int(port) + 1} make run" in run.said.read_text()
    assert run.processes() == {}


def test_servers_that_were_named_and_are_away_are_refused_by_name(start):
    run = start(REDIS_URL="redis://127.0.0.1:1/0")

    assert run.popen.wait(30) == 1
    assert "REDIS_URL leads to no Redis" in run.said.read_text()
    assert run.processes() == {}


def test_secrets_are_for_the_eyes_of_their_owner(tmp_path):
    key = secret_key(tmp_path / "secret_key")

    assert len(key) >= 50
    assert secret_key(tmp_path / "secret_key") == key
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("ages", "silent"),
    [
        ({"worker:default": 1, "worker:backfill": 1, "beat": 1}, []),
        ({"worker:default": 1, "worker:backfill": 99, "beat": 1}, ["worker:backfill"]),
        ({"worker:default": 1, "worker:backfill": 1, "beat": 99}, ["beat"]),
        # Beat's sign passes through the default worker, so a deaf worker silences both.
        ({"worker:default": 99, "worker:backfill": 1, "beat": 99}, ["worker:default"]),
        (
            {"worker:default": 99, "worker:backfill": 99, "beat": 99},
            ["worker:default", "worker:backfill", "beat"],
        ),
        ({}, ["worker:default", "worker:backfill", "beat"]),
    ],
)
def test_silence_is_blamed_on_the_right_part(ages, silent):
    uptimes = dict.fromkeys(("worker:default", "worker:backfill", "beat"), 1000.0)

    assert stale_parts(ages, uptimes, 90) == silent
    assert stale_parts(ages, dict.fromkeys(uptimes, 5.0), 90) == []


def _is_healthy(run):
    try:
        return run.health().status_code == 200
    except requests.RequestException:
        return False


def _wait(claim, seconds, otherwise):
    deadline = time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < deadline, otherwise()
        time.sleep(0.1)
    return found
