import logging
import time

from django.core.management.base import BaseCommand, CommandError

from core.errors import EtalonError
from examples.company import Company
from examples.history import LoadFailed
from examples.load import load
from examples.people import require_local
from examples.replay import FilesMissing


class Command(BaseCommand):
    help = "Load the example company: people, data, definitions, a history and its values."

    def add_arguments(self, parser):
        parser.add_argument(
            "--weeks",
            type=int,
            help="move the year by so many weeks; without it, so that today is in its last fifth",
        )
        parser.add_argument("--force", action="store_true", help="also where others can reach it")

    def handle(self, *, weeks, force, **options):
        started = time.monotonic()
        # What the steps say is meant for people; events of single windows are not.
        logging.getLogger("measurement").setLevel(logging.WARNING)
        try:
            require_local(force=force)
            is_new = load(Company(), say=self._say, weeks=weeks)
        except (EtalonError, LoadFailed, FilesMissing) as failed:
            raise CommandError(
                f"{failed}\nMend it and call load_example again: it goes on where it stopped."
            ) from failed
        if is_new:
            self._say(f"The example company is loaded ({time.monotonic() - started:.0f} s).")
        else:
            self._say("The example company is loaded already.")

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()
