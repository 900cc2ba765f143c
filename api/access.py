"""What a call needs: a signed-in caller and, for tokens, the scope that the method asks for."""

from rest_framework.permissions import SAFE_METHODS, BasePermission

from accounts.choices import Scope
from core.errors import NotAllowed


class WrongScope(NotAllowed):
    """The token was not made for this."""

    code = "wrong_scope"


class HasScope(BasePermission):
    """Compare a token's scopes with what the view asks for. A session needs none.

    A view names its scope for writing in `write_scope` and, where reading needs another one than
    `read`, in `read_scope`. Whether the *person* may do it is asked by the service.
    """

    def has_permission(self, request, view):
        if not request.user or not request.user.is_authenticated:
            return False
        if request.auth is None:
            return True
        if request.method in SAFE_METHODS:
            needed = getattr(view, "read_scope", Scope.READ)
        else:
            needed = view.write_scope
        if needed in request.auth.scopes:
            return True
        raise WrongScope(
            f"This token lacks the scope “{Scope(needed).value}” ({Scope(needed).label.lower()}). "
            "Make a token that has it under API tokens.",
            needed=str(needed),
        )
