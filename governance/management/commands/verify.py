import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from core import audit
from governance.services.verification import verify


class Command(BaseCommand):
    help = "Recompute the audit chain, all hashes, approvals and pointers. Exit 1 on any finding."

    def add_arguments(self, parser):
        parser.add_argument("--head", type=Path, help="A head saved by audit_head, kept elsewhere.")

    def handle(self, *args, head=None, **options):
        saved = None
        if head:
            try:
                saved = audit.Head(**json.loads(head.read_text()))
            except (OSError, ValueError, TypeError) as error:
                raise CommandError(f"{head} is no saved head: {error}") from error
        findings = list(verify(saved))
        for finding in findings:
            self.stdout.write(str(finding))
        now = audit.head()
        if findings:
            raise CommandError(f"{len(findings)} findings; the log has {now.sequence} rows.")
        self.stdout.write(f"Clean: {now.sequence} audit rows, head {now.hash[:16]}.")
