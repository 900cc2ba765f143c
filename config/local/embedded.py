"""The servers that Etalon brings along: PostgreSQL and Valkey in one folder, on unix sockets."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from config.local.postgres import Postgres
from config.local.processes import Process, end_all
from config.local.valkey import Valkey

SOCKETS = "etalon-"


class Embedded:
    """PostgreSQL and Valkey under `home`, each only when no address of another one is given.

    `settings` are for PostgreSQL, above those that it always has.

    Sockets live in a short temporary folder: their paths are limited to about 100 characters.
    """

    def __init__(
        self, home: Path, given: Mapping[str, str], settings: Mapping[str, str] | None = None
    ):
        self.home = home
        self.given = {
            name: given[name]
            for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
            if given.get(name)
        }
        self._sockets = Path(tempfile.mkdtemp(prefix=SOCKETS))
        # The servers run as different users: each has a folder of its own inside.
        self._sockets.chmod(0o711)
        logs = home / "log"
        self.postgres: Postgres | None = None
        self.valkey: Valkey | None = None
        if "DATABASE_URL" not in self.given:
            self.postgres = Postgres(
                home / "postgres", self._sockets / "pg", logs / "postgres.log", settings or {}
            )
        if "REDIS_URL" not in self.given:
            self.valkey = Valkey(home / "valkey", self._sockets, logs / "valkey.log")

    @property
    def processes(self) -> list[Process]:
        return [server.process for server in (self.valkey, self.postgres) if server]

    def start(self) -> None:
        self.forget_old_sockets()
        for server in (self.postgres, self.valkey):
            if server:
                server.start()

    def forget_old_sockets(self) -> None:
        """Remove the socket folder of a run that was killed, and remember that of this one."""
        mark = self.home / "sockets.txt"
        if mark.exists():
            old = Path(mark.read_text().strip())
            if old.parent == self._sockets.parent and old.name.startswith(SOCKETS):
                shutil.rmtree(old, ignore_errors=True)
        mark.write_text(str(self._sockets))

    def stop(self, seconds: float = 5) -> None:
        end_all(self.processes, seconds)
        shutil.rmtree(self._sockets, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """Where the servers are, in the words of config/settings.py."""
        found = dict(self.given)
        if self.postgres:
            found["DATABASE_URL"] = self.postgres.url("etalon_app")
            found["DATABASE_OWNER_URL"] = self.postgres.url("etalon_owner")
        if self.valkey:
            found["REDIS_URL"] = self.valkey.url
        return found


def home_for(wanted: Path) -> Path:
    """The folder for the servers' data: the wanted one, or one that their system user can reach."""
    wanted.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0 or _passable(wanted):
        return wanted
    mark = hashlib.sha256(str(wanted.resolve()).encode()).hexdigest()[:10]
    home = Path("/var/lib/etalon") / mark
    home.mkdir(parents=True, exist_ok=True)
    return home


def _passable(path: Path) -> bool:
    """Whether others may pass through every folder on the way: what the system user needs."""
    resolved = path.resolve()
    return all(folder.stat().st_mode & 0o001 for folder in (resolved, *resolved.parents))
