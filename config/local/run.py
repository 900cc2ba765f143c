"""`make run`: everything on this machine, from an empty folder to a page in the browser."""

import fcntl
import hashlib
import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import psycopg
import redis

from config.local import programs
from config.local.embedded import Embedded, home_for
from config.local.environment import secret_key
from config.local.processes import Process, Register, StartFailed, kill_group
from config.local.progress import note, say, step
from config.local.supervisor import Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent
END_WITHIN = 8.0
READY_WITHIN = 60.0
# The sign-ins of the example people, once the example is loaded.
PEOPLE = "people.txt"
# Addresses to listen on that a browser of this machine reaches as localhost.
LOCAL = ("127.0.0.1", "0.0.0.0", "localhost")  # noqa: S104 - compared with, never the default


class House:
    """One run: the servers, the schema, the example, the programs, and the end of all of them."""

    def __init__(self, var: Path, given: dict[str, str]):
        self.var = var
        self.given = given
        self.host = given.get("LISTEN", "127.0.0.1")
        self.port = _port(given.get("PORT", "8000"))
        self.register = Register(var / "processes.json")
        self.supervisor = Supervisor(
            self.register,
            say=note,
            stale_seconds=float(given.get("PULSE_STALE_SECONDS", "90")),
        )
        self.embedded: Embedded | None = None
        self.environment: dict[str, str] = {}
        self.failure: str | None = None
        self._lock = None
        self._owner = False

    def run(self) -> None:
        """Start everything and look after it. Returns when the end has begun or a start failed."""
        try:
            self._start()
            self.supervisor.watch()
        except StartFailed as reason:
            self.failure = str(reason)

    def end(self) -> None:
        if not self._owner:
            return
        self.supervisor.end(END_WITHIN)
        if self.embedded:
            self.embedded.stop(1)
        (self.var / "local.env").unlink(missing_ok=True)

    def _start(self) -> None:
        self.var.mkdir(parents=True, exist_ok=True)
        self._be_the_only_one()
        self._end_leftovers()
        self._need_port()
        home = home_for(self.var)
        if home != self.var:
            say(f"  Data is kept in {home}: the system user of PostgreSQL cannot enter {self.var}")
        self.embedded = Embedded(home, self.given)
        self._start_servers()
        self._say_where()
        self._migrate(home)
        self._load_example(home)
        self._start_programs()
        self._tell_address(home)

    def _be_the_only_one(self) -> None:
        self._lock = (self.var / "run.lock").open("a")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartFailed(
                "Etalon runs from this folder already. Use that one, or end it first (Ctrl-C)."
            ) from None
        self._owner = True

    def _end_leftovers(self) -> None:
        """End what a killed run left behind. PostgreSQL ends its own, which takes care of data."""
        left = {n: p for n, p in self.register.alive().items() if n != "postgres"}
        if not left:
            return
        note("The last run was killed. Ending what it left: " + ", ".join(sorted(left)))
        for process in left.values():
            kill_group(process.pid)
        psutil.wait_procs(list(left.values()), timeout=5)

    def _need_port(self) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise StartFailed(
                    f"Port {self.port} cannot be used: {error.strerror.lower()}. "
                    f"End the program that has it, or choose another: PORT={self.port + 1} make run"
                ) from None

    def _start_servers(self) -> None:
        self.embedded.forget_old_sockets()
        if self.embedded.processes:
            with step("Starting PostgreSQL and Valkey"):
                for server in (self.embedded.postgres, self.embedded.valkey):
                    if server:
                        self.supervisor.add(server.process, server.start)
                        self.supervisor.start(server.process.name)
        self.environment = {
            **os.environ,
            "SECRET_KEY": self.given.get("SECRET_KEY") or secret_key(self.var / "secret_key"),
            "HTTPS": self.given.get("HTTPS", "0"),
            "STATIC_FROM_SOURCE": self.given.get("STATIC_FROM_SOURCE", "1"),
            "WORKER_SOFT_SHUTDOWN_SECONDS": "3",
            **self.embedded.environment(),
        }
        self._need_given_servers()
        self.supervisor.database_url = self.environment["DATABASE_URL"]

    def _need_given_servers(self) -> None:
        """Say clearly when a server that was named cannot be reached."""
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL"):
            if self.given.get(name):
                try:
                    psycopg.connect(self.given[name], connect_timeout=5).close()
                except psycopg.Error as error:
                    raise StartFailed(
                        f"{name} leads to no database: {error}\nMend it, or unset it to use the "
                        "embedded PostgreSQL. docs/how-to/own-servers.md says what it needs."
                    ) from None
        if self.given.get("REDIS_URL"):
            try:
                with redis.from_url(self.given["REDIS_URL"], socket_timeout=5) as client:
                    client.ping()
            except (redis.RedisError, ValueError) as error:
                raise StartFailed(
                    f"REDIS_URL leads to no Redis: {error}\n"
                    "Mend it, or unset it to use the embedded Valkey."
                ) from None

    def _say_where(self) -> None:
        """Let manage.py find the servers while they run. The file is for its owner's eyes."""
        names = (
            *("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL"),
            *("SECRET_KEY", "HTTPS", "STATIC_FROM_SOURCE"),
        )
        lines = [f"{name}={self.environment[name]}\n" for name in names if name in self.environment]
        path = self.var / "local.env"
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.writelines(lines)
        fresh.replace(path)

    def _migrate(self, home: Path) -> None:
        """Bring the schema up to date. Our own server is left alone when no migration changed."""
        mark = home / "migrated"
        wanted = _fingerprint_of_migrations()
        if self.embedded.postgres and mark.exists() and mark.read_text() == wanted:
            return
        with step("Bringing the database up to date"):
            self._manage("migrate", "--no-input", "--verbosity=0")
        mark.write_text(wanted)

    def _manage(self, *arguments: str, show: bool = False) -> str:
        """Run manage.py. With `show` its lines pass through; else they are the answer."""
        name = f"manage.py {arguments[0]}"
        log = self.var / "log" / f"{arguments[0]}.log"
        log.unlink(missing_ok=True)
        command = [sys.executable, "manage.py", *arguments]
        process = Process(name, command, log=log, env=self.environment, cwd=ROOT)
        self.supervisor.add(process)
        self.supervisor.start(name)
        shown = 0
        while True:
            ended = process.wait(0.1)
            if show:
                text = log.read_text(errors="replace")
                complete = text[shown : text.rfind("\n") + 1]
                for line in complete.splitlines():
                    say(f"    {line}")
                shown += len(complete)
            if ended:
                break
        del self.supervisor.children[name]
        if process.exit_code:
            raise StartFailed(f"{name} failed:\n{process.last_lines(40)}\nThe whole log: {log}")
        return log.read_text(errors="replace")

    def _load_example(self, home: Path) -> None:
        """Fill an empty installation with the example company, once.

        The mark is there while the example is being loaded: a load that was cut short goes on.
        """
        mark = home / "example.loading"
        if self.given.get("EXAMPLE", "1") == "0" or not self._has_command("load_example"):
            return
        if not mark.exists() and not self._is_empty():
            return
        mark.touch()
        say("  Loading the example company (the first time only) ...")
        started = time.monotonic()
        self._manage("load_example", show=True)
        say(f"  Loading the example company: done in {time.monotonic() - started:.0f} s")
        if self._has_command("example_people"):
            people = home / PEOPLE
            people.touch(mode=0o600)
            people.write_text(self._manage("example_people", "--table"))
        mark.unlink(missing_ok=True)

    def _is_empty(self) -> bool:
        with psycopg.connect(self.environment["DATABASE_URL"]) as connection:
            asked = connection.execute(
                "SELECT EXISTS (SELECT 1 FROM accounts_user) "
                "OR EXISTS (SELECT 1 FROM catalog_entry)"
            )
            return not asked.fetchone()[0]

    def _has_command(self, name: str) -> bool:
        return any(ROOT.glob(f"*/management/commands/{name}.py"))

    def _start_programs(self) -> None:
        for name, command in (
            (programs.WEB, programs.web(self.port, host=self.host)),
            *((name, programs.worker(name)) for name in programs.QUEUES),
            (programs.BEAT, programs.beat()),
        ):
            log = self.var / "log" / f"{name.replace(':', '-')}.log"
            environment = {**self.environment, **programs.WORKER_ENVIRONMENT}
            self.supervisor.add(Process(name, command, log=log, env=environment, cwd=ROOT))
            self.supervisor.start(name)
        with step("Starting the web server, the workers and beat"):
            self._wait_for_health()

    def _wait_for_health(self) -> None:
        deadline = time.monotonic() + READY_WITHIN
        reason = "no answer"
        while time.monotonic() < deadline:
            self.supervisor.look()
            reason = self._why_unhealthy()
            if reason is None:
                return
            time.sleep(0.2)
        note(f"Not everything is well after {READY_WITHIN:.0f} s: {reason}. It is watched further.")

    def _why_unhealthy(self) -> str | None:
        url = f"http://{self._reached_at('127.0.0.1')}/healthz"
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except urllib.error.HTTPError as answer:
            if answer.code != 503:
                return f"the web server answers {answer.code}"
            parts = json.load(answer)["parts"]
            return "; ".join(f"{n}: {p['reason']}" for n, p in parts.items() if not p["ok"])
        except OSError as error:
            return f"the web server does not answer ({error})"
        return None

    def _tell_address(self, home: Path) -> None:
        people = home / PEOPLE
        say(f"\nEtalon runs at http://{self._reached_at('localhost')}")
        if people.exists():
            say()
            say("".join(f"  {line}\n" for line in people.read_text().splitlines()).rstrip("\n"))
        say(f"\nCtrl-C ends it. Data stays in {home}, logs are in {self.var / 'log'}.")

    def _reached_at(self, local: str) -> str:
        """Host and port; `local` is the name of this machine where we listen on all addresses."""
        return f"{local if self.host in LOCAL else self.host}:{self.port}"


def _fingerprint_of_migrations() -> str:
    """All migrations of ours, and the pinned packages, which bring their own."""
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        sys.exit(
            f"PORT is {text!r}; it must be a number from 1 to 65535, as in: PORT=8123 make run"
        )
    return int(text)


def main() -> int:
    var = Path(os.environ.get("VAR") or ROOT / "var").resolve()
    house = House(var, dict(os.environ))
    asked_to_end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked_to_end.set())
    work = threading.Thread(target=house.run)
    work.start()
    while work.is_alive() and not asked_to_end.wait(0.2):
        pass
    if asked_to_end.is_set():
        say("\n  Ending ...")
    house.end()
    work.join()
    house.end()  # what was being started while the end began
    if asked_to_end.is_set():
        say("  Ended. `make run` starts it again with all data.")
    if house.failure and not asked_to_end.is_set():
        say(f"\n{house.failure}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
