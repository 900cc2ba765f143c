"""The people of the example company, who sign in with passwords that only fit this installation."""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from accounts.choices import Role
from accounts.models import Domain, User
from accounts.services import grant_role
from core import audit
from core.errors import NotAllowed
from examples.company import Company

VIA = "import"
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]", "testserver"}
# Who holds one of these decides in the admin, so the admin lets them in.
_DECIDING = {Role.REVIEWER, Role.STEWARD, Role.ADMIN}


@dataclass(frozen=True)
class SignIn:
    username: str
    password: str
    name: str
    does: str


def require_local(*, force: bool) -> None:
    """Refuse to put people with printed passwords where others can reach them."""
    if force or settings.DEBUG or set(settings.ALLOWED_HOSTS) <= _LOOPBACK:
        return
    raise NotAllowed(
        "The example company has people whose passwords are printed, and this installation "
        f"answers to {', '.join(settings.ALLOWED_HOSTS)}. Load it on your own machine, start "
        "without it (EXAMPLE=0 make run), or add --force if whoever reaches this server may sign "
        "in as anybody of the example."
    )


def password_of(username: str) -> str:
    """The password of an example person. It follows from the secret key and is stored nowhere."""
    digest = hmac.digest(
        settings.SECRET_KEY.encode(), f"example {username}".encode(), hashlib.sha256
    )
    return f"{username}-{base64.b32encode(digest)[:8].decode().lower()}"


def sign_ins(company: Company) -> list[SignIn]:
    return [
        SignIn(
            username=person["username"],
            password=password_of(person["username"]),
            name=person["full_name"],
            does=person["does"],
        )
        for person in company.people
    ]


@transaction.atomic
def add_people(company: Company) -> dict[str, User]:
    """Make domains, people and their grants. What is there already stays as it is."""
    domains = {one["key"]: _domain(**one) for one in company.domains}
    people = {}
    for person in company.people:
        user = people[person["username"]] = _user(person)
        for grant in person["grants"]:
            domain = domains[grant["domain"]] if "domain" in grant else None
            grant_role(user, role=Role(grant["role"]), domain=domain, actor=None, via=VIA)
    return people


def _domain(key: str, name: str) -> Domain:
    domain, is_new = Domain.objects.get_or_create(key=key, defaults={"name": name})
    if is_new:
        audit.record("domain.add", domain, actor=None, via=VIA)
    return domain


def _user(person: dict) -> User:
    user = User.objects.filter(username=person["username"]).first()
    if user is not None:
        return user
    user = User(
        username=person["username"],
        full_name=person["full_name"],
        email=f"{person['username']}@shop.example",
        time_zone="America/New_York",
        is_staff=any(Role(grant["role"]) in _DECIDING for grant in person["grants"]),
        is_superuser=person.get("is_superuser", False),
    )
    user.set_password(password_of(user.username))
    user.save()
    audit.record("person.add", user, actor=None, via=VIA)
    return user
