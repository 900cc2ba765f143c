import hashlib

from django.contrib.auth.models import AbstractUser
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from simple_history.models import HistoricalRecords

from accounts.choices import Role


class User(AbstractUser):
    """A person who signs in. What they may do is said by their role grants."""

    full_name = models.CharField(max_length=120, blank=True)
    time_zone = models.CharField(max_length=60, default="UTC")
    single_keys = models.BooleanField(default=True, help_text="Single-key shortcuts are on.")

    def __str__(self):
        return self.full_name or self.username


class Domain(models.Model):
    """A part of the organisation that answers for its metrics, e.g. Growth or Finance."""

    key = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children"
    )

    history = HistoricalRecords()

    class Meta:
        ordering = ["name"]

    def __str__(self):
        return self.name


class RoleGrant(models.Model):
    """One role of one person in one domain; without a domain, in all of them."""

    user = models.ForeignKey(User, models.CASCADE, related_name="grants")
    role = models.CharField(max_length=16, choices=Role)
    domain = models.ForeignKey(Domain, models.CASCADE, null=True, blank=True, related_name="grants")

    history = HistoricalRecords()

    class Meta:
        ordering = ["user", "role"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "domain"],
                nulls_distinct=False,
                name="accounts_rolegrant_once",
            ),
            models.CheckConstraint(
                name="accounts_rolegrant_role_known", condition=models.Q(role__in=Role.values)
            ),
        ]

    def __str__(self):
        where = self.domain.name if self.domain else "all domains"
        return f"{self.get_role_display()} in {where}"


class ApiToken(models.Model):
    """A key that a tool shows instead of a password. Only its SHA-256 is stored."""

    user = models.ForeignKey(User, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12, help_text="Its first characters, to recognise it by.")
    scopes = models.JSONField(default=list)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]

    def __str__(self):
        return f"{self.name} ({self.prefix}…)"


class SignInAttempt(models.Model):
    """One try at a password that has not turned out right, kept for a day to slow down guessing.

    A successful sign-in removes the tries of that name from that address. Times are the
    database's, so that a fixed clock of the application cannot hold anybody out.
    """

    username = models.CharField(max_length=150)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["username", "at"], name="accounts_signin_by_name"),
            models.Index(fields=["address", "at"], name="accounts_signin_by_address"),
            # What is thrown away.
            models.Index(fields=["at"], name="accounts_signin_by_age"),
        ]

    def __str__(self):
        return f"{self.username} from {self.address}"


class Session(AbstractBaseSession):
    """A browser that is signed in, or has something kept for it. See `accounts.sessions`.

    Its key is what the browser shows to be let in, and is never shown to anybody.
    """

    user = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="browser_sessions"
    )
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    began_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField()

    class Meta(AbstractBaseSession.Meta):
        abstract = False

    @property
    def handle(self) -> str:
        """What a form calls it by: good for finding it among a person's own, and for nothing."""
        return hashlib.sha256(self.session_key.encode()).hexdigest()[:20]
