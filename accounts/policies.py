"""What a person's role grants amount to."""

from accounts.choices import Role
from accounts.models import Domain, RoleGrant, User

# A role brings what the lower ones may do, too.
IMPLIED = {
    Role.ADMIN: {Role.ADMIN, Role.STEWARD, Role.CONTRIBUTOR, Role.VIEWER, Role.AUDITOR},
    Role.STEWARD: {Role.STEWARD, Role.REVIEWER, Role.CONTRIBUTOR, Role.VIEWER, Role.AUDITOR},
    Role.REVIEWER: {Role.REVIEWER, Role.CONTRIBUTOR, Role.VIEWER},
    Role.CONTRIBUTOR: {Role.CONTRIBUTOR, Role.VIEWER},
    Role.AUDITOR: {Role.AUDITOR, Role.VIEWER},
    Role.VIEWER: {Role.VIEWER},
}
# An admin administers people and sources. To approve a change one must be made a reviewer or
# steward, so that the two duties can be kept apart.
APPROVING = frozenset({Role.REVIEWER, Role.STEWARD})


def granting(role: Role) -> set[Role]:
    """The roles whose grant includes `role`."""
    return {granted for granted, implied in IMPLIED.items() if role in implied}


def has_role(user: User, role: Role, domain: Domain | None = None) -> bool:
    """Whether an active person holds a role in a domain; without a domain, in any."""
    if not user.is_authenticated or not user.is_active:
        return False
    grants = RoleGrant.objects.filter(user=user, role__in=granting(role))
    if domain is not None:
        grants = grants.filter(domain=domain) | grants.filter(domain=None)
    return grants.exists()


def has_role_everywhere(user: User, role: Role) -> bool:
    """Whether an active person holds a role in all domains, by a grant that names none."""
    if not user.is_authenticated or not user.is_active:
        return False
    return RoleGrant.objects.filter(user=user, role__in=granting(role), domain=None).exists()


def may_approve_in(user: User, domain: Domain, *, as_steward: bool = False) -> bool:
    """Whether a person's approval counts in a domain: granted, never implied by being admin."""
    if not user.is_active:
        return False
    roles = {Role.STEWARD} if as_steward else APPROVING
    grants = RoleGrant.objects.filter(user=user, role__in=roles)
    return (grants.filter(domain=domain) | grants.filter(domain=None)).exists()


def why_not_administer(actor: User, person: User | None = None) -> str | None:
    """Look after people, their roles and the domains. Only a superuser touches a superuser."""
    if not (actor.is_superuser and actor.is_active) and not has_role(actor, Role.ADMIN):
        return "You need the role Admin to look after people and domains."
    if person is not None and person.is_superuser and not actor.is_superuser:
        return "Only a superuser can change a superuser."
    return None
