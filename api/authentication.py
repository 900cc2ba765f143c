"""Who calls: a browser session, or a token shown as `Authorization: Bearer etl_…`."""

from datetime import timedelta

from django.db.models import Q
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed

from accounts.models import ApiToken
from accounts.services import TOKEN_PREFIX, digest_of
from core import clock

# Writing the time of every use would be one UPDATE a read.
USE_NOTED_EVERY = timedelta(minutes=1)


class TokenAuthentication(BaseAuthentication):
    """`request.auth` is the ApiToken. A session has no scopes: a person may do what they may."""

    def authenticate(self, request):
        kind, _, secret = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        if not secret.startswith(TOKEN_PREFIX):
            raise AuthenticationFailed("This is not a token of Etalon: those begin with etl_.")
        token = ApiToken.objects.select_related("user").filter(digest=digest_of(secret)).first()
        if token is None:
            raise AuthenticationFailed("This token is not known. Make one under API tokens.")
        now = clock.now()
        if token.revoked_at:
            raise AuthenticationFailed("This token was revoked. Make another under API tokens.")
        if token.expires_at <= now:
            raise AuthenticationFailed(
                f"This token expired on {token.expires_at:%Y-%m-%d}. Make another under API tokens."
            )
        if not token.user.is_active:
            raise AuthenticationFailed("The owner of this token can no longer sign in.")
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USE_NOTED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
        return token.user, token

    def authenticate_header(self, request):
        return "Bearer"


class BrowserAuthentication(SessionAuthentication):
    """The session of the web pages, with its CSRF check."""

    def authenticate_header(self, request):
        return "Bearer"
