"""Writes about people: role grants and API tokens."""

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction

from accounts.choices import Role, Scope
from accounts.models import ApiToken, Domain, RoleGrant, User
from core import audit, clock
from core.errors import Invalid, NotAllowed

TOKEN_PREFIX = "etl_"  # noqa: S105 - what every token starts with, no secret
MAX_TOKEN_DAYS = 365


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


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
