from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core import audit
from core.errors import Invalid
from governance.services.verification import verify


class Command(BaseCommand):
    help = "Recompute the audit chain, all hashes, approvals and pointers. Exit 1 on any finding."

    def add_arguments(self, parser):
        parser.add_argument(
            "--head",
            type=Path,
            help="heads saved by audit_head and kept elsewhere; the last counts",
        )

    def handle(self, *args, head: Path | None = None, **options):
        saved = self._saved(head) if head else None
        findings = list(verify(saved))
        for finding in findings:
            self.stdout.write(str(finding))
        now = audit.head()
        if findings:
            plural = "" if len(findings) == 1 else "s"
            raise CommandError(f"{len(findings)} finding{plural}; the log has {now.sequence} rows.")
        self.stdout.write(f"Clean: {now.sequence} audit rows, head {now.hash[:16]}.")

    def _saved(self, head: Path) -> audit.Head:
        try:
            saved = audit.saved_head(head.read_text())
        except (OSError, UnicodeDecodeError, Invalid) as error:
            raise CommandError(f"{head} cannot be read: {error}") from error
        if saved is None:
            raise CommandError(f"{head} holds no head. Save one with audit_head --save.")
        return saved
