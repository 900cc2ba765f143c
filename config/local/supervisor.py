"""One parent for all processes: it starts again what dies, and what lives without working."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import psycopg

from config.local import programs
from config.local.alive import ages
from config.local.processes import Process, Register, StartFailed, end_all

LOOK_EVERY = 0.3
ASK_PULSE_EVERY = 5.0
LONGEST_WAIT = 30.0
# A program that ran this long has started well: its next failure is a new story.
STEADY_AFTER = 60.0
SERVERS = ("postgres", "valkey")
PARTS = (*programs.QUEUES, programs.BEAT)


@dataclass
class Child:
    """A process with the way to start it, and what is known of its failures."""

    process: Process
    start: Callable[[], None]
    failures: int = 0
    again_at: float = 0.0
    started: bool = False

    @property
    def uptime(self) -> float:
        return time.monotonic() - self.process.started_at if self.process.running else 0.0


class Supervisor:
    """Keeps its children running until `end`. Every word for people goes through `say`."""

    def __init__(
        self, register: Register, *, say: Callable[[str], None], stale_seconds: float = 90.0
    ):
        self.children: dict[str, Child] = {}
        self.database_url = ""
        self._register = register
        self._say = say
        self._stale_seconds = stale_seconds
        self._ending = threading.Event()
        self._asked_at = 0.0

    def add(self, process: Process, start: Callable[[], None] | None = None) -> None:
        self.children[process.name] = Child(process, start or process.start)

    def start(self, name: str) -> None:
        """Start one child. Nothing starts any more once the end has begun."""
        if self._ending.is_set():
            raise StartFailed("Etalon is being ended.")
        child = self.children[name]
        child.start()
        child.started = True
        self.remember()

    def remember(self) -> None:
        """Write down which processes run, for a next run after a kill of this one."""
        running = {n: c.process.pid for n, c in list(self.children.items()) if c.process.running}
        self._register.write(running)

    def watch(self) -> None:
        """Look after the children until the end begins."""
        while not self._ending.wait(LOOK_EVERY):
            self.look()

    def look(self) -> None:
        """Start again what died, each time after a longer wait, and what is alive but idle."""
        now = time.monotonic()
        for name, child in self.children.items():
            if child.process.running:
                if child.failures and child.uptime > STEADY_AFTER:
                    child.failures = 0
            elif child.started:
                self._note_death(name, child, now)
            elif child.again_at <= now:
                self._start_again(name, child)
        if now - self._asked_at > ASK_PULSE_EVERY:
            self._asked_at = now
            for name in self._stale():
                self._say(f"{name} is alive but does no work. It is killed and started again.")
                self.children[name].process.kill()

    def begin_end(self) -> None:
        self._ending.set()

    def end(self, seconds: float) -> None:
        """End everything: programs first, then the servers that they need."""
        self.begin_end()
        deadline = time.monotonic() + seconds
        all_of_them = list(self.children.values())
        servers = [c.process for c in all_of_them if c.process.name in SERVERS]
        others = [c.process for c in all_of_them if c.process.name not in SERVERS]
        end_all(others, seconds * 0.7)
        end_all(servers, deadline - time.monotonic())
        self._register.clear()

    def _note_death(self, name: str, child: Child, now: float) -> None:
        child.process.kill()  # whatever it started must not outlive it
        child.started = False
        child.failures += 1
        wait = min(2.0 ** (child.failures - 1) - 1, LONGEST_WAIT)
        child.again_at = now + wait
        self._say(
            f"{name} ended by itself and is started again"
            + (f" in {wait:.0f} s" if wait else "")
            + f". Its log: {child.process.log}"
        )

    def _start_again(self, name: str, child: Child) -> None:
        try:
            self.start(name)
        except StartFailed as reason:
            if not self._ending.is_set():
                child.started = True  # a failed start is one more death
                self._say(str(reason))

    def _stale(self) -> list[str]:
        if not self.database_url:
            return []
        try:
            known = ages(self.database_url)
        except psycopg.Error:
            return []  # the database is looked after like every child
        uptimes = {n: self.children[n].uptime for n in PARTS if n in self.children}
        return stale_parts(known, uptimes, self._stale_seconds)


def stale_parts(
    known: Mapping[str, float], uptimes: Mapping[str, float], limit: float
) -> list[str]:
    """The parts that run for long enough and gave no sign of life for longer than `limit`.

    Beat's sign passes through the default worker: as long as that worker gives none itself, beat
    is given the benefit of the doubt once, and is only blamed when nothing at all moves.
    """
    silent = [
        name
        for name, uptime in uptimes.items()
        if uptime > limit and known.get(name, float("inf")) > limit
    ]
    moving = set(uptimes) - set(silent)
    if programs.BEAT in silent and "worker:default" in silent and moving:
        silent.remove(programs.BEAT)
    return silent
