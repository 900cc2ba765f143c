"""Writes about people: role grants, profiles, sign-in attempts, sessions and API tokens."""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Min, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts import policies
from accounts.choices import Role, Scope
from accounts.models import ApiToken, Domain, RoleGrant, Session, SignInAttempt, User
from core import audit, clock
from core.errors import Invalid, NotAllowed, TooManyAttempts
from core.row_history import sign

TOKEN_PREFIX = "etl_"  # noqa: S105 - what every token starts with, no secret
MAX_TOKEN_DAYS = 365

# How often a password may be tried within the window: for one name from one address, for one
# name from anywhere, from one address for any name. The second is far above the first, so that
# a stranger cannot hold a person out with a few tries.
ATTEMPT_WINDOW = timedelta(minutes=15)
ATTEMPTS_OF_NAME_FROM_ADDRESS = 5
ATTEMPTS_OF_NAME = 25
ATTEMPTS_FROM_ADDRESS = 50
ATTEMPTS_KEPT = timedelta(days=1)


@transaction.atomic
def grant_role(
    user: User, *, role: Role, domain: Domain | None, actor, via: str = "service"
) -> RoleGrant:
    """Give a person a role. Giving it twice leaves one grant."""
    grant, is_new = RoleGrant.objects.get_or_create(user=user, role=role, domain=domain)
    if is_new:
        audit.record(
            "role.grant", user, actor=actor, via=via, role=str(role), domain=str(domain or "all")
        )
    return grant


@transaction.atomic
def revoke_role(grant: RoleGrant, *, actor, via: str = "service") -> None:
    user, role, domain = grant.user, grant.role, str(grant.domain or "all")
    grant.delete()
    audit.record("role.revoke", user, actor=actor, via=via, role=role, domain=domain)


@transaction.atomic
def create_token(
    user: User, *, name: str, scopes: list[str], days: int, actor, via: str = "web"
) -> tuple[ApiToken, str]:
    """Make a token for oneself. The second value is the secret, which is shown once."""
    if actor.pk != user.pk:
        raise NotAllowed("A token is made by the person who will use it.")
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise Invalid(
            f"Choose scopes among {', '.join(Scope.values)}.", problems=[], unknown=unknown
        )
    if not name.strip():
        raise Invalid("Give the token a name, so that you know later what uses it.")
    if not 1 <= days <= MAX_TOKEN_DAYS:
        raise Invalid(f"A token lives for 1 to {MAX_TOKEN_DAYS} days.")
    secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
    now = clock.now()
    token = ApiToken.objects.create(
        user=user,
        name=name.strip(),
        digest=digest_of(secret),
        prefix=secret[:10],
        scopes=sorted(set(scopes)),
        created_at=now,
        expires_at=now + timedelta(days=days),
    )
    audit.record("token.create", token, actor=actor, via=via, scopes=token.scopes)
    return token, secret


@transaction.atomic
def revoke_token(token: ApiToken, *, actor, via: str = "web") -> ApiToken:
    """End a token at once. Ending it twice changes nothing."""
    token = ApiToken.objects.select_for_update().get(pk=token.pk)
    if actor.pk != token.user_id:
        raise NotAllowed("Only its owner can revoke a token.")
    if token.revoked_at is None:
        token.revoked_at = clock.now()
        token.save(update_fields=["revoked_at"])
        audit.record("token.revoke", token, actor=actor, via=via)
    return token


@transaction.atomic
def begin_sign_in(username: str, *, address: str) -> SignInAttempt:
    """Count a try before the password is looked at, or refuse it because there were too many.

    Counting first means that a hundred tries at once are still counted one by one. A refused
    try is not counted, so that waiting always helps.
    """
    name = username.strip().lower()[:150]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"sign-in {name}"])
    recent = SignInAttempt.objects.filter(at__gt=Now() - ATTEMPT_WINDOW)
    for limit, of_whom in (
        (ATTEMPTS_OF_NAME_FROM_ADDRESS, Q(username=name, address=address)),
        (ATTEMPTS_OF_NAME, Q(username=name)),
        (ATTEMPTS_FROM_ADDRESS, Q(address=address)),
    ):
        latest = recent.filter(of_whom).order_by("-at").values("at")[:limit]
        if len(latest) == limit:
            _refuse_sign_in(latest.aggregate(first=Min("at"))["first"])
    SignInAttempt.objects.filter(at__lt=Now() - ATTEMPTS_KEPT).delete()
    return SignInAttempt.objects.create(username=name, address=address, at=Now())


def finish_sign_in(attempt: SignInAttempt) -> None:
    """Forget the tries of a name from an address, after its password was right."""
    SignInAttempt.objects.filter(username=attempt.username, address=attempt.address).delete()


def _refuse_sign_in(first) -> None:
    wait = max(1, round((first + ATTEMPT_WINDOW - timezone.now()).total_seconds()))
    minutes = -(-wait // 60)
    raise TooManyAttempts(
        f"Too many attempts. Wait {minutes} minute{'s' if minutes > 1 else ''} and try again, "
        "or ask an administrator to set a new password.",
        wait_seconds=wait,
    )


@transaction.atomic
def change_profile(
    user: User, *, full_name: str, time_zone: str, single_keys: bool, actor, via: str = "web"
) -> User:
    """Change what a person sets about themselves. Equal values change nothing."""
    if actor.pk != user.pk:
        raise NotAllowed("A profile is changed by the person whose it is.")
    user = User.objects.select_for_update().get(pk=user.pk)
    wanted: dict[str, Any] = {
        "full_name": full_name.strip(),
        "time_zone": time_zone,
        "single_keys": single_keys,
    }
    changed = {name: value for name, value in wanted.items() if getattr(user, name) != value}
    for name, value in changed.items():
        setattr(user, name, value)
    if changed:
        user.save(update_fields=list(changed))
        audit.record("person.edit", user, actor=actor, via=via, **changed)
    return user


@transaction.atomic
def change_password(user: User, *, password: str, actor, via: str = "web") -> User:
    """Set a new password, which ends every session of that person. Whoever changed it in one takes
    that up again with `update_session_auth_hash`."""
    if actor.pk != user.pk:
        raise NotAllowed("A password is changed by the person whose it is.")
    user.set_password(password)
    user.save(update_fields=["password"])
    # They would be refused anyway; a list of sessions has none that is good for nothing.
    Session.objects.filter(user=user).delete()
    audit.record("person.password", user, actor=actor, via=via)
    return user


@transaction.atomic
def end_session(session: Session, *, actor, via: str = "web") -> None:
    """Sign one of one's own browsers out, wherever it is. Twice is once."""
    if actor.pk != session.user_id:
        raise NotAllowed("A session is ended by the person whose it is.")
    if Session.objects.filter(pk=session.pk).delete()[0]:
        audit.record("person.end_session", actor, actor=actor, via=via, agent=session.agent)


@transaction.atomic
def end_other_sessions(user: User, *, kept: str, actor, via: str = "web") -> int:
    """Sign out every browser of a person but the one whose key is kept. Returns how many."""
    if actor.pk != user.pk:
        raise NotAllowed("Sessions are ended by the person whose they are.")
    others = Session.objects.filter(user=user).exclude(pk=kept)
    ended = others.filter(expire_date__gt=timezone.now()).count()
    others.delete()
    if ended:
        audit.record("person.end_session", actor, actor=actor, via=via, ended=ended)
    return ended


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def save_person(user: User, *, changed: list[str], actor, via: str = "service") -> User:
    """Take somebody in, or change who they are and whether they may sign in."""
    if why := policies.why_not_administer(actor, user):
        raise NotAllowed(why)
    is_new = user.pk is None
    user.save()
    told = ("username", "full_name", "email", "time_zone", "is_active", "is_staff")
    said = {name: getattr(user, name) for name in told if name in changed}
    audit.record("person.add" if is_new else "person.change", user, actor=actor, via=via, **said)
    return user


@transaction.atomic
def save_domain(domain: Domain, *, actor, via: str = "service") -> Domain:
    """Make a domain, or rename it or move it under another."""
    if why := policies.why_not_administer(actor):
        raise NotAllowed(why)
    ancestor = domain.parent
    while ancestor is not None:
        if ancestor.pk == domain.pk:
            raise Invalid(f"{domain.name} cannot be a part of itself. Choose another parent.")
        ancestor = ancestor.parent
    action = "domain.change" if domain.pk else "domain.add"
    sign(domain, actor=actor)
    domain.save()
    audit.record(action, domain, actor=actor, via=via, parent=str(domain.parent or ""))
    return domain
