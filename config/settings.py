"""Settings, read from the environment; docs/reference/settings.md lists every name.

The defaults are those of production. `make run` writes what it started into
var/local.env, so that manage.py finds the same servers while it runs.
"""

from datetime import UTC, datetime
from pathlib import Path

import environ
import structlog
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.templatetags.static import static
from django.urls import reverse_lazy
from kombu import Exchange, Queue

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
VAR = Path(env.str("VAR", default=str(BASE_DIR / "var")))
LOCAL_ENV = VAR / "local.env"
if LOCAL_ENV.is_file():
    env.read_env(LOCAL_ENV)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="only-for-debug" if DEBUG else environ.Env.NOTSET)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# Behind HTTPS unless told otherwise. `make run` speaks plain HTTP to the local machine only.
HTTPS = env.bool("HTTPS", default=not DEBUG)

INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.simple_history",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "simple_history",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "csp",
    "django_celery_beat",
    "core",
    "accounts",
    "catalog",
    "measurement",
    "governance",
    "api",
    "web",
    "examples",
]

MIDDLEWARE = [
    "core.request_ids.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.policy.ContentPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "web.middleware.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "web.middleware.Readable",
    "web.middleware.ReaderTimeZone",
    "web.middleware.Refusals",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context.frame",
            ],
        },
    },
]

# --- Database: the product runs as a role that owns nothing; the owner migrates. ---

APP_DATABASE_URL = env.str("DATABASE_URL", default="postgresql://etalon_app@localhost/etalon")
OWNER_DATABASE_URL = env.str("DATABASE_OWNER_URL", default=APP_DATABASE_URL)
AS_OWNER = env.str("DATABASE_ROLE", default="app") == "owner"

DATABASES = {
    "default": {
        **env.db_url_config(OWNER_DATABASE_URL if AS_OWNER else APP_DATABASE_URL),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People ---

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.RoleBackend"]
LOGIN_URL = "/sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/sign-in"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- The admin: where reviewers decide, and Admins look after people. ---

SIMPLE_HISTORY_REVERT_DISABLED = True


def _place(title: str, icon: str, model: str, **more) -> dict:
    app, _, name = model.partition(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app}_{name}_changelist"),
        "permission": lambda request: request.user.has_perm(f"{app}.view_{name}"),
        **more,
    }


UNFOLD = {
    "SITE_TITLE": "Etalon",
    "SITE_HEADER": "Etalon",
    "SITE_SUBHEADER": "Decisions and records",
    "SITE_SYMBOL": "balance",
    "SITE_URL": "/",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("img/mark.svg")}
    ],
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [
        lambda request, name=name: static(f"css/{name}.css")
        for name in ("tokens", "marks", "surfaces", "chart", "admin")
    ],
    "COLORS": {
        "primary": {
            "50": "#f3f5ff",
            "100": "#ebeffe",
            "200": "#d8e0fd",
            "300": "#c3cefb",
            "400": "#9fb2ff",
            "500": "#4b69ea",
            "600": "#3450d4",
            "700": "#2941b8",
            "800": "#233794",
            "900": "#1f2a4d",
            "950": "#151d38",
        }
    },
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Decisions",
                "items": [
                    _place(
                        "Change requests",
                        "rule",
                        "governance.changerequest",
                        badge="governance.admin.waiting_count",
                        badge_variant="primary",
                    ),
                    _place("Reviews", "rate_review", "governance.review"),
                    _place("Revisions", "history_edu", "governance.revision"),
                    _place("Comments", "chat", "governance.comment"),
                    _place("Approval policies", "gavel", "governance.approvalpolicy"),
                ],
            },
            {
                "title": "Catalog",
                "items": [
                    _place("Metrics", "monitoring", "catalog.metric"),
                    _place("Datasets", "table", "catalog.dataset"),
                    _place("Segments", "filter_alt", "catalog.segment"),
                    _place("Versions", "history", "catalog.version"),
                    _place("Definitions", "function", "catalog.definition"),
                    _place("Resolutions", "account_tree", "catalog.resolution"),
                ],
            },
            {
                "title": "Numbers",
                "items": [
                    _place("Sources", "database", "measurement.source"),
                    _place("Backfills", "update", "measurement.backfill"),
                    _place("Checks", "fact_check", "measurement.check"),
                    _place("Check runs", "checklist", "measurement.checkrun"),
                ],
            },
            {
                "title": "House",
                "items": [
                    _place("People", "group", "accounts.user"),
                    _place("Domains", "corporate_fare", "accounts.domain"),
                    _place("Audit log", "receipt_long", "core.auditevent"),
                ],
            },
        ]
    },
}

# --- Language and time: everything stored is UTC. ---

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True

# An ISO instant that fixes the application's clock (core.clock), for tests and benchmarks.
_fixed = env.str("ETALON_NOW", default="")
ETALON_NOW = datetime.fromisoformat(_fixed) if _fixed else None
if ETALON_NOW is not None and ETALON_NOW.tzinfo is None:
    ETALON_NOW = ETALON_NOW.replace(tzinfo=UTC)

# --- Static files ---

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# From the source folders (local run, tests) or from what `collectstatic` gathered (production).
WHITENOISE_USE_FINDERS = env.bool("STATIC_FROM_SOURCE", default=DEBUG)
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Security ---

# Database sessions, whose rows say whose they are.
SESSION_ENGINE = "accounts.sessions"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "web.views.errors.csrf_failed"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=31_536_000) if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.bool("BEHIND_PROXY", default=False) else None
)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# --- History of rows ---

SIMPLE_HISTORY_REVERT_DISABLED = True
SIMPLE_HISTORY_ENFORCE_HISTORY_MODEL_PERMISSIONS = True

# --- REST ---

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Etalon",
    "DESCRIPTION": "Metrics: definitions, values, and the consent behind them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Work: rows are the truth, messages are doorbells (docs/concepts). ---

REDIS_URL = env.str("REDIS_URL", default="redis://localhost:6379/0")
# Celery names a unix socket differently from redis-py.
CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1)
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Longer than three times the hard time limit, or a slow task runs beside its own copy.
    "visibility_timeout": 900,
    # Messages of a killed worker come back after seconds, not after ten times the timeout.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 10,
    "socket_connect_timeout": 5,
    "health_check_interval": 15,
    # Ringing while the broker is away costs a third of a second and not six. Workers connect by
    # the settings below and go on trying.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
# Sending is a doorbell: when the broker is away, give up soon; the sweep finds the row.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.1, "interval_max": 0.2}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = env.float("WORKER_SOFT_SHUTDOWN_SECONDS", default=20.0)
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"

# A worker answers for its heartbeat on a queue of its own, which no backlog can fill.
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_QUEUES = [
    Queue(name, Exchange(name), routing_key=name)
    for name in (
        "interactive",
        "checks",
        "backfill",
        "default",
        "pulse-default",
        "pulse-backfill",
    )
]
# Somebody waits for a preview; a backfill must not stand in its way, nor in that of a check.
CELERY_TASK_ROUTES = {
    "measurement.tasks.run_backfill": {"queue": "backfill"},
    "measurement.tasks.run_preview": {"queue": "interactive"},
    "measurement.tasks.look_at_table": {"queue": "interactive"},
    "measurement.tasks.run_checks": {"queue": "checks"},
    "measurement.tasks.extend_daily": {"queue": "checks"},
    "governance.tasks.settle": {"queue": "interactive"},
    "governance.tasks.tell_of_*": {"queue": "interactive"},
}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
PULSE_SECONDS = env.float("PULSE_SECONDS", default=15.0)
PULSE_STALE_SECONDS = env.float("PULSE_STALE_SECONDS", default=90.0)
CELERY_BEAT_SCHEDULE = {
    "pulse of the default worker": {
        "task": "core.tasks.heartbeat",
        "args": ["worker:default"],
        "schedule": PULSE_SECONDS,
        "options": {"queue": "pulse-default", "expires": 60},
    },
    "pulse of the backfill worker": {
        "task": "core.tasks.heartbeat",
        "args": ["worker:backfill"],
        "schedule": PULSE_SECONDS,
        "options": {"queue": "pulse-backfill", "expires": 60},
    },
    "tick of beat": {
        "task": "core.tasks.tick",
        "schedule": PULSE_SECONDS,
        "options": {"queue": "pulse-default", "expires": 60},
    },
    "sweep for runs that nobody works at": {
        "task": "measurement.tasks.sweep",
        "schedule": env.float("SWEEP_SECONDS", default=30.0),
        "options": {"expires": 60},
    },
    "extend metrics as rows arrive": {
        "task": "measurement.tasks.extend_daily",
        "schedule": env.float("DAILY_SECONDS", default=900.0),
        "options": {"expires": 600},
    },
    "validation of datasets": {
        "task": "measurement.tasks.run_checks",
        "schedule": env.float("CHECK_SWEEP_SECONDS", default=300.0),
        "options": {"expires": 300},
    },
    "requests that are ready, or whose day has come": {
        "task": "governance.tasks.sweep_requests",
        "schedule": env.float("REQUEST_SWEEP_SECONDS", default=60.0),
        "options": {"expires": 60},
    },
    "verification of all records": {
        "task": "governance.tasks.verify",
        "schedule": crontab(hour=3, minute=0),
        "options": {"expires": 3600},
    },
    "sessions that have expired": {
        "task": "accounts.tasks.forget_sessions",
        "schedule": crontab(hour=3, minute=30),
        "options": {"expires": 3600},
    },
}

# --- Measuring: how a run is cut, leased and given up. ---

# About as many source rows a window; a row of a database counts for eight of a file's, since files
# without partitions are read whole by each window. A window that is too much is halved.
WINDOW_SOURCE_ROWS = env.int("WINDOW_SOURCE_ROWS", default=24_000_000)
# A worker renews its lease while it computes; one that is dead loses it after this.
WINDOW_LEASE_SECONDS = env.float("WINDOW_LEASE_SECONDS", default=60.0)
WINDOW_ATTEMPTS = env.int("WINDOW_ATTEMPTS", default=5)
WINDOW_RETRY_SECONDS = env.float("WINDOW_RETRY_SECONDS", default=15.0)
# A turn at a run; short ones leave the worker free for others.
TURN_SECONDS = env.float("TURN_SECONDS", default=20.0)
# How long a request waits for values that are not stored.
LIVE_SECONDS = env.float("LIVE_SECONDS", default=20.0)
# How old the result of a check may be before a run asks for another.
CHECK_SECONDS = env.float("CHECK_SECONDS", default=3600.0)

# --- Logs: one line of JSON each, or readable lines with DEBUG. ---

_shared = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
structlog.configure(
    processors=[
        *_shared,
        structlog.processors.StackInfoRenderer(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "etalon": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": _shared,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.dev.ConsoleRenderer(colors=False)
                if DEBUG
                else structlog.processors.JSONRenderer(),
            ],
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "etalon"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", default="INFO")},
    # They tell each step of a compilation.
    "loggers": {name: {"level": "WARNING"} for name in ("metricflow", "metricflow_semantics")},
}
