from django.core.management.base import BaseCommand, CommandError

from measurement.models import Source
from measurement.services.sources import try_source


class Command(BaseCommand):
    help = "Open each source and look whether it is read-only and has what its datasets declare."

    def add_arguments(self, parser):
        parser.add_argument("key", nargs="?", help="Only this source.")

    def handle(self, *args, key, **options):
        sources = Source.objects.filter(key=key) if key else Source.objects.all()
        if not sources:
            raise CommandError(f"There is no source {key}." if key else "There is no source.")
        bad = 0
        for source in sources:
            self.stdout.write(f"{source.name} ({source.key})")
            for finding in try_source(source):
                bad += not finding.is_good
                mark = "ok" if finding.is_good else "BAD"
                self.stdout.write(f"  {mark:4}{finding.subject}: {finding.message}")
        if bad:
            raise CommandError(f"{bad} of these need mending.")
