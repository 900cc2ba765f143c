"""Real processes for a test: web server, workers and beat on the test's database.

    def test_a_killed_worker_is_no_loss(rig):
        rig.start("web", "worker:backfill", env={"WINDOW_LEASE_SECONDS": "2"})
        rig.kill9("worker:backfill")
        rig.start("worker:backfill")
        requests.get(f"{rig.base_url}/healthz")

The broker is a Valkey of its own, and messages that the test's own process sends go there too.
Names are `web`, `worker:default`, `worker:backfill`, `beat` and `valkey`; a second one of a kind
is `worker:backfill#2`. Everything is ended by its id when the test ends, and the logs of a failed
test are shown with it.
"""

import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import requests
from django.conf import settings
from kombu import pools

from config.celery import app
from config.local import programs
from config.local.processes import Process, StartFailed, wait_until
from config.local.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent
READY_WITHIN = 120
# Short enough that a test which waits for a stale heartbeat ends, long enough for a busy machine.
ENVIRONMENT = {
    "LOG_LEVEL": "INFO",
    "PULSE_SECONDS": "1",
    "WORKER_SOFT_SHUTDOWN_SECONDS": "3",
}


class Rig:
    """The processes of one test. Use the fixture `rig`, or `with Rig() as rig`."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="etalon-rig-"))
        self.env: dict[str, str] = {}
        self.port: int | None = None
        self._processes: dict[str, Process] = {}
        self._valkey = Valkey(self.folder / "valkey", self.folder, self.folder / "valkey.log")
        self._before: tuple[str | None, str] | None = None

    def __enter__(self):
        self._before = (os.environ.get("CELERY_BROKER_URL"), settings.REDIS_URL)
        self._valkey.start()
        self._processes["valkey"] = self._valkey.process
        self._send_to(self._valkey.url.replace("unix://", "redis+socket://", 1))
        settings.REDIS_URL = self._valkey.url
        return self

    def __exit__(self, *_):
        self.close()

    @property
    def base_url(self) -> str:
        if self.port is None:
            raise LookupError("No web server was started: rig.start('web').")
        return f"http://127.0.0.1:{self.port}"

    @property
    def broker_url(self) -> str:
        return self._valkey.url

    def start(self, *names: str, env: dict[str, str] | None = None, processes: int = 0) -> None:
        """Start programs side by side and wait until all are ready.

        `env` is kept for later starts too. `processes` is the number of child processes of each
        (else two for the web, one for a worker).
        """
        self.env.update(env or {})
        checks = [(name, self._begin(name, processes)) for name in names]
        for name, ready in checks:
            wait_until(ready, self._processes[name], READY_WITHIN)

    def kill9(self, name: str, *, alone: bool = False) -> None:
        """Kill a program and its children as a crash does; `alone`: only the main process."""
        process = self._processes[name]
        if alone:
            process.send(signal.SIGKILL)
            process.wait(5)
        else:
            process.kill()

    def kill9_child(self, name: str) -> int:
        """Kill one child of a program, as the system does when memory runs out. Returns its id.

        One that was killed just now is not killed again: its successor is waited for.
        """
        child = self.wait(lambda: self._living(name), what=f"{name} has a child")[0]
        child.kill()
        self.wait(lambda: not _lives(child), what="what was killed is dead")
        return child.pid

    def children(self, name: str) -> list[psutil.Process]:
        return psutil.Process(self.pid(name)).children(recursive=True)

    def stop(self, name: str) -> None:
        """Freeze a program and its children: alive, and deaf."""
        self._signal_all(name, signal.SIGSTOP)

    def cont(self, name: str) -> None:
        """Let a frozen program go on."""
        self._signal_all(name, signal.SIGCONT)

    def end(self, name: str, seconds: float = 10) -> float:
        """End a program as a deployment does. Returns how long that took."""
        started = time.monotonic()
        process = self._processes[name]
        process.end()
        if not process.wait(seconds):
            process.kill()
            raise StartFailed(f"{name} did not end within {seconds} s:\n{process.last_lines()}")
        return time.monotonic() - started

    def restart(self, name: str) -> None:
        """Start a program again, after ending it when it still runs."""
        if self._processes[name].running:
            self.end(name)
        self.start(name)

    def pid(self, name: str) -> int:
        return self._processes[name].pid

    def running(self, name: str) -> bool:
        return name in self._processes and self._processes[name].running

    def wait(
        self, claim: Callable[[], object], seconds: float = 120, pause: float = 0.05, what: str = ""
    ) -> object:
        """Wait for a claim to come true and return what it says, or fail with `what`."""
        deadline = time.monotonic() + seconds
        while not (found := claim()):
            if time.monotonic() > deadline:
                raise AssertionError(f"Not true after {seconds} s: {what or claim}")
            time.sleep(pause)
        return found

    def logs(self) -> dict[str, str]:
        """The last lines of each program, for a failed test."""
        return {name: process.last_lines(60) for name, process in self._processes.items()}

    def close(self) -> None:
        for process in self._processes.values():
            process.kill()
        if self._before is not None:
            broker, settings.REDIS_URL = self._before
            self._send_to(broker)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _begin(self, name: str, processes: int) -> Callable[[], bool]:
        if self.running(name):
            raise LookupError(f"{name} runs already.")
        if name == "valkey":
            self._valkey.start()
            return lambda: True
        kind, _, also = name.partition("#")
        log = self.folder / f"{name.replace(':', '-')}.log"
        start_of_log = log.stat().st_size if log.exists() else 0
        if kind == programs.WEB:
            self.port = self.port or free_port()
            command = programs.web(self.port, processes=processes or 2)
            ready = self._web_answers
        elif kind == programs.BEAT:
            command = programs.beat()
            ready = _says(log, start_of_log, b"beat: Starting")
        else:
            command = programs.worker(kind, processes=processes or 1, also=also)
            ready = _says(log, start_of_log, b" ready.")
        environment = {
            **os.environ,
            **ENVIRONMENT,
            **programs.WORKER_ENVIRONMENT,
            **self.env,
            "REDIS_URL": self._valkey.url,
        }
        environment.pop("CELERY_BROKER_URL", None)
        process = Process(name, command, log=log, env=environment, cwd=ROOT)
        self._processes[name] = process
        process.start()
        return ready

    def _web_answers(self) -> bool:
        try:
            return requests.get(f"{self.base_url}/healthz", timeout=5).status_code in (200, 503)
        except requests.ConnectionError:
            return False

    def _living(self, name: str) -> list[psutil.Process]:
        return [child for child in self.children(name) if _lives(child)]

    def _signal_all(self, name: str, number: signal.Signals) -> None:
        for process in (*self.children(name), psutil.Process(self.pid(name))):
            process.send_signal(number)

    def _send_to(self, broker: str | None) -> None:
        """Let this process's own doorbells ring at another broker."""
        if broker is None:
            os.environ.pop("CELERY_BROKER_URL", None)
        else:
            os.environ["CELERY_BROKER_URL"] = broker
        # Connections are pooled; both are made anew, to the address of now.
        pools.reset()
        app._after_fork()


def _lives(process: psutil.Process) -> bool:
    """Whether it runs: what is dead stays in the system's list until its parent collects it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _says(log: Path, offset: int, words: bytes) -> Callable[[], bool]:
    def said() -> bool:
        with log.open("rb") as file:
            file.seek(offset)
            return words in file.read()

    return said
