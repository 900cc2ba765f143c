from pathlib import Path

from django.core.management.base import BaseCommand

from core import audit


class Command(BaseCommand):
    help = (
        "Print the head of the audit log, or append it to a file that is kept elsewhere. "
        "`manage.py verify --head FILE` finds a tail that was cut since."
    )

    def add_arguments(self, parser):
        parser.add_argument("--save", metavar="FILE", type=Path, help="append the head to FILE")

    def handle(self, *args, save: Path | None, **options):
        line = audit.line_of(audit.head())
        if save is None:
            self.stdout.write(line)
            return
        with save.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        self.stdout.write(f"Saved in {save}: {line}")
