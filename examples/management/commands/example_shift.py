from django.core.management.base import BaseCommand, CommandError

from core import clock
from core.errors import EtalonError
from examples.load import move_again
from examples.replay import ZONE
from examples.source import KEY, shift_of
from measurement.models import Source


class Command(BaseCommand):
    help = "Move the example's year again when its rows run out, and compute all values anew."

    def add_arguments(self, parser):
        parser.add_argument("--now", action="store_true", help="even while there are rows left")

    def handle(self, *, now, **options):
        source = Source.objects.filter(key=KEY).first()
        if source is None:
            raise CommandError("The example company is not loaded. Call load_example first.")
        last_day = shift_of(source).last_day
        left = (last_day - clock.today(ZONE)).days
        if left >= 0 and not now:
            self.stdout.write(
                f"There are rows until {last_day}, {left} days from now. Nothing was moved; "
                "add --now to move the year all the same."
            )
            return
        try:
            source, backfill = move_again(via="cli")
        except EtalonError as failed:
            raise CommandError(failed.message) from failed
        shift = shift_of(source)
        self.stdout.write(
            f"The year now runs from {shift.first_day} to {shift.last_day}. {backfill} computes "
            "all values anew; until it is done, readers see the ones from before."
        )
