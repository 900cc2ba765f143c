from datetime import date
from pathlib import Path

import yaml
from django.core.management.base import BaseCommand, CommandError

from core.errors import EtalonError
from measurement.choices import SourceKind
from measurement.models import Source
from measurement.services.sources import save_source

FIELDS = frozenset(
    {"key", "name", "kind", "description", "attribution", "config", "time_limit_seconds"}
    | {"first_day"}
)
NEEDED = ("key", "name", "kind", "first_day")


class Command(BaseCommand):
    help = "Connect the source that a YAML file describes, or change the one of the same key."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="key, name, kind, first_day, config, ...")

    def handle(self, *args, file: Path, **options):
        said = self._read(file)
        source = Source.objects.filter(key=said["key"]).first() or Source()
        is_new = source.pk is None
        for name, value in said.items():
            setattr(source, name, value)
        try:
            save_source(source, actor=None, via="cli")
        except EtalonError as refused:
            raise CommandError(refused.message) from refused
        done = "is connected" if is_new else "was changed"
        self.stdout.write(
            f"{source} ({source.key}) {done}. Try it: manage.py try_sources {source.key}"
        )

    def _read(self, file: Path) -> dict:
        try:
            said = yaml.safe_load(file.read_text())
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise CommandError(f"{file} cannot be read: {error}") from error
        if not isinstance(said, dict):
            raise CommandError(f"{file} holds no fields. Write key, name, kind, first_day, config.")
        if unknown := sorted(set(said) - FIELDS):
            known = ", ".join(sorted(FIELDS))
            raise CommandError(f"A source has no field “{unknown[0]}”. Known are {known}.")
        if missing := [name for name in NEEDED if not said.get(name)]:
            raise CommandError(f"`{missing[0]}` is missing in {file}. Give it.")
        if said["kind"] not in SourceKind.values:
            known = ", ".join(SourceKind.values)
            raise CommandError(f"There is no kind “{said['kind']}”. Choose among {known}.")
        if not isinstance(said["first_day"], date):
            raise CommandError(f"`first_day` is a day, e.g. 2024-01-01, not {said['first_day']}.")
        return said
