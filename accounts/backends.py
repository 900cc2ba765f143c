"""What somebody may do in the admin follows from their roles; there are no other permissions."""

from django.contrib.auth.backends import ModelBackend

from accounts.choices import Role
from accounts.models import RoleGrant

READERS = frozenset({Role.REVIEWER, Role.STEWARD, Role.ADMIN, Role.AUDITOR})
# What only the role Admin brings: people, their roles, and the domains.
PEOPLE = frozenset(
    {
        "accounts.view_user",
        "accounts.add_user",
        "accounts.change_user",
        "accounts.add_domain",
        "accounts.change_domain",
        "accounts.view_rolegrant",
        "accounts.add_rolegrant",
        "accounts.delete_rolegrant",
    }
)


class RoleBackend(ModelBackend):
    """Staff with a deciding role read every record, and Admins look after the people.

    Permissions of Django's own, given to a person or a group, count for nothing.
    """

    def has_perm(self, user_obj, perm, obj=None):
        roles = _roles_of(user_obj)
        if perm in PEOPLE:
            return Role.ADMIN in roles
        return perm.partition(".")[2].startswith("view_") and bool(roles & READERS)

    def has_module_perms(self, user_obj, app_label):
        return bool(_roles_of(user_obj) & READERS)

    def get_all_permissions(self, user_obj, obj=None):
        return set(PEOPLE) if Role.ADMIN in _roles_of(user_obj) else set()


def _roles_of(user) -> frozenset[str]:
    if not (user.is_active and user.is_authenticated and user.is_staff):
        return frozenset()
    if not hasattr(user, "_roles_read"):
        grants = RoleGrant.objects.filter(user=user)
        user._roles_read = frozenset(grants.values_list("role", flat=True))
    return user._roles_read
