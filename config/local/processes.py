"""Child processes that are always ended by their id, and found again after a kill of the parent."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

LOG_LIMIT = 10_000_000


class StartFailed(Exception):
    """A server or program did not start. The message says why and what to do."""


class Process:
    """One program in a process group of its own, with its output in a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
        end_by: signal.Signals = signal.SIGTERM,
    ):
        self.name = name
        self.command = list(command)
        self.log = log
        self.env = dict(env) if env is not None else None
        self.cwd = cwd
        self.user = user
        self.end_by = end_by
        self.started_at = 0.0
        self._popen: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        return self._popen.pid if self._popen else None

    @property
    def running(self) -> bool:
        return self._popen is not None and self._popen.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._popen.poll() if self._popen else None

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,
                **as_user(self.user),
            )
        self.started_at = time.monotonic()

    def send(self, number: signal.Signals) -> None:
        """Signal the program itself, if it still runs."""
        if self.running:
            os.kill(self._popen.pid, number)

    def end(self) -> None:
        """Ask the program to end. `wait` says whether it did."""
        self.send(self.end_by)

    def wait(self, seconds: float) -> bool:
        """Whether the program has ended within this time."""
        if self._popen is None:
            return True
        try:
            self._popen.wait(timeout=max(seconds, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """Kill the program and all that it started, and collect it."""
        if self._popen is not None:
            kill_group(self._popen.pid)
            self._popen.wait()

    def last_lines(self, count: int = 15) -> str:
        if not self.log.exists():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-count:])


def end_all(processes: Sequence[Process], seconds: float) -> None:
    """End several programs side by side; whatever is left after `seconds` is killed."""
    deadline = time.monotonic() + seconds
    for process in processes:
        process.end()
    for process in processes:
        process.wait(deadline - time.monotonic())
        process.kill()


def kill_group(pid: int) -> None:
    """Kill a process group by the id of its leader. A group that is gone is no error."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def as_user(user: str | None) -> dict:
    """Arguments of subprocess to run as another system user (only root can)."""
    return {"user": user, "group": user, "extra_groups": []} if user else {}


def wait_until(
    ready: Callable[[], bool], process: Process, seconds: float, pause: float = 0.05
) -> None:
    """Wait for a started program to be ready; say why when it is not."""
    deadline = time.monotonic() + seconds
    while not ready():
        if not process.running:
            raise StartFailed(f"{process.name} ended while starting:\n{process.last_lines()}")
        if time.monotonic() > deadline:
            raise StartFailed(
                f"{process.name} was not ready after {seconds:.0f} s:\n{process.last_lines()}"
            )
        time.sleep(pause)


class Register:
    """The processes of this run in a file, so that the next run can end what a kill left behind."""

    def __init__(self, path: Path):
        self.path = path

    def write(self, processes: Mapping[str, int]) -> None:
        rows = {}
        for name, pid in processes.items():
            try:
                rows[name] = [pid, psutil.Process(pid).create_time()]
            except psutil.NoSuchProcess:
                continue
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(rows))
        fresh.replace(self.path)

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)

    def alive(self) -> dict[str, psutil.Process]:
        """Those of the file that still run: same id and same time of birth."""
        try:
            rows = json.loads(self.path.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return {}
        found = {}
        for name, (pid, born) in rows.items():
            try:
                process = psutil.Process(pid)
                if abs(process.create_time() - born) < 2:
                    found[name] = process
            except psutil.NoSuchProcess:
                continue
        return found
