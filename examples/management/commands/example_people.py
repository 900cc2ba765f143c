import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError

from core.errors import NotAllowed
from examples.company import Company
from examples.people import require_local, sign_ins


class Command(BaseCommand):
    help = "Print the sign-ins of the example people: as JSON, or as a table to read."

    def add_arguments(self, parser):
        parser.add_argument("--table", action="store_true", help="columns in place of JSON")
        parser.add_argument("--force", action="store_true", help="also where others can reach it")

    def handle(self, *, table, force, **options):
        try:
            require_local(force=force)
        except NotAllowed as refused:
            raise CommandError(refused.message) from refused
        people = sign_ins(Company())
        if not table:
            lines = ",\n".join(f"  {json.dumps(asdict(one))}" for one in people)
            self.stdout.write(f"[\n{lines}\n]")
            return
        widths = [
            max(len(asdict(one)[name]) for one in people) for name in ("username", "password")
        ]
        self.stdout.write("Sign in as one of the example people:")
        for one in people:
            columns = f"{one.username:{widths[0]}}  {one.password:{widths[1]}}"
            self.stdout.write(f"  {columns}  {one.name}. {one.does}.")
