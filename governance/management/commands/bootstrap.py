import getpass
import os

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from accounts.choices import Role
from accounts.models import Domain, User
from accounts.services import grant_role
from governance.services.approval_policies import seed_default_policies


class Command(BaseCommand):
    help = "Make the first admin and steward, a first domain and the default approval policies."

    def add_arguments(self, parser):
        parser.add_argument("--admin", required=True, help="User name of the first admin.")
        parser.add_argument("--steward", required=True, help="User name of the first steward.")
        parser.add_argument("--domain", default="company", help="Key of the first domain.")

    def handle(self, *args, admin, steward, domain, **options):
        if admin == steward:
            raise CommandError("Admin and steward are two people, so that neither decides alone.")
        with transaction.atomic():
            home, _ = Domain.objects.get_or_create(
                key=domain, defaults={"name": domain.replace("-", " ").capitalize()}
            )
            for name, role in ((admin, Role.ADMIN), (steward, Role.STEWARD)):
                person = User.objects.filter(username=name).first() or self._make(name, role)
                if role == Role.ADMIN and not person.is_staff:
                    person.is_staff = True
                    person.save(update_fields=["is_staff"])
                grant_role(person, role=role, domain=None, actor=None, via="cli")
            made = seed_default_policies()
        self.stdout.write(f"Ready: domain {home.key}, {admin} and {steward}, {made} new policies.")

    def _make(self, name: str, role: Role) -> User:
        password = os.environ.get(f"ETALON_{role.upper()}_PASSWORD") or getpass.getpass(
            f"Password for {name}: "
        )
        person = User(username=name, is_staff=True)
        try:
            validate_password(password, person)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        person.set_password(password)
        person.save()
        return person
