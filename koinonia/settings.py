"""The settings of the project. Values that vary come from ``koinonia.config.environment``.

The module stays at ``koinonia.settings``, where ``DJANGO_SETTINGS_MODULE`` names it; everything
else of the configuration is in ``koinonia.config``.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.management.utils import get_random_secret_key

from koinonia.config import environment, languages, log_lines, openapi, rate_limits, redis_settings
from koinonia.config.source_digest import ANSWERING_APPS, digest_of_sources
from koinonia.database.postgresql import session_limits

BASE_DIR = Path(__file__).resolve().parent.parent
ENV = environment.read_or_exit(BASE_DIR)

DEBUG = ENV.debug
# manage.py has refused a command that needs the real key; any other may use a random one.
SECRET_KEY = ENV.secret_key or get_random_secret_key()
SECRET_KEY_FALLBACKS = ENV.secret_key_fallbacks
ALLOWED_HOSTS = ENV.allowed_hosts
CSRF_TRUSTED_ORIGINS = ENV.csrf_trusted_origins

INSTALLED_APPS = [
    "daphne",
    "koinonia.desk.site.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "csp",
    "django_q",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "knox",
    "rest_framework",
    "koinonia",
    "delivery",
    "realtime",
    "throttling",
    "httpopt",
]

MIDDLEWARE = [
    "httpopt.middleware.CompressionMiddleware",
    "httpopt.middleware.CodedBodyMiddleware",
    "koinonia.http.middleware.DateMiddleware",
    # Above everything that checks the Host, redirects or opens a session.
    "koinonia.health.views.HealthMiddleware",
    # Around everything that refuses: a page of another origin must be able to read a 401 or 429.
    "koinonia.http.middleware.ApiCorsMiddleware",
    # Outside everything that answers 304, because a 304 is refunded.
    "throttling.middleware.RateLimitHeadersMiddleware",
    # Inside the middleware that refunds 304s, around everything that renders answers.
    "httpopt.middleware.ContentHashMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "koinonia.http.middleware.ConstantPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "koinonia.http.page_language.page_language",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "koinonia.urls"
ASGI_APPLICATION = "koinonia.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "koinonia" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]


def _sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "koinonia.database.sqlite",
        "NAME": ENV.data_dir / "koinonia.sqlite3",
        # Request threads keep their connection (koinonia.http.request_threads).
        "CONN_MAX_AGE": 60,
        # Writers wait at BEGIN instead of failing in the middle of a transaction.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # FULL: a text that was answered with 202 survives a power cut.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        },
    }


# A primary that vanishes without a word frees every thread within 5 s (docs/operations/timeouts.md).
_NETWORK_LIMITS = {
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 2,
    "tcp_user_timeout": 3500,
}


def _postgresql(url: SplitResult) -> dict[str, Any]:
    # A pool serves every request thread (koinonia.http.request_threads). It tries to connect for 2 s
    # and begins again at the next request: a longer backoff would outlast the outage.
    pool = {"min_size": 1, "max_size": ENV.database_pool, "timeout": 3, "reconnect_timeout": 2}
    given = dict(parse_qsl(url.query))
    # Several hosts and target_session_attrs=read-write follow the primary through a failover.
    hosts = [urlsplit(f"//{one}") for one in url.netloc.rpartition("@")[2].split(",")]
    limits = {name: given.pop(name, usual) for name, usual in session_limits.SERVING.items()}
    return {
        "ENGINE": "koinonia.database.postgresql",
        "NAME": unquote(url.path.lstrip("/")),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": ",".join(unquote(one.hostname or "") for one in hosts),
        "PORT": ",".join(str(one.port or "") for one in hosts).strip(","),
        # PgBouncer with transaction pooling may use another connection for the next statement, where
        # a server-side cursor does not exist. Code opens one in a transaction (decisions 28 and 60).
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {
            **_NETWORK_LIMITS,
            **given,
            "session_limits": limits,
            "pool": pool if ENV.database_pool else False,
        },
    }


DATABASES = {
    "default": _postgresql(urlsplit(ENV.database_url)) if ENV.database_url else _sqlite(),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A single Redis database, with a key prefix per use (koinonia.config.redis_settings).
# Commands that need no Redis get an address that does not answer.
_REDIS_URL = ENV.redis_url or f"unix://{ENV.data_dir / 'no-redis'}"
_REDIS_TAG = redis_settings.hash_tag(_REDIS_URL, ENV.redis_prefix)
_QUICKLY = {"SOCKET_TIMEOUT": 0.1, "SOCKET_CONNECT_TIMEOUT": 0.1}
_SOON = {"SOCKET_TIMEOUT": 1.0, "SOCKET_CONNECT_TIMEOUT": 1.0}
CACHES = {
    "default": redis_settings.cache(_REDIS_URL, f"{_REDIS_TAG}:cache", **_SOON),
    "throttling": redis_settings.cache(_REDIS_URL, f"{_REDIS_TAG}:buckets", **_QUICKLY),
    "ratelimit": redis_settings.cache(_REDIS_URL, f"{_REDIS_TAG}:ratelimit", **_QUICKLY),
    # Parts of pages that are the same for everybody of a church ({% cache %}), in each process.
    "template_fragments": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "template_fragments",
        "OPTIONS": {"MAX_ENTRIES": 500},
    },
}
# For django-ratelimit, the outer guard of the login pages.
RATELIMIT_USE_CACHE = "ratelimit"
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": redis_settings.channel_layer(_REDIS_URL, ENV.redis_prefix),
    },
}

# Widgets written in Python: a page with 60 options would render 120 templates.
FORM_RENDERER = "koinonia.form_renderer.FormRenderer"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = ENV.data_dir / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "koinonia.http.static_storage.StaticStorage"},
}
LOGIN_URL = "/login/"
# Links in mails use this origin, and never a host from a request.
PUBLIC_URL = ENV.public_url
vars().update(ENV.email)
SESSION_ENGINE = "koinonia.accounts.session_store"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_REDIRECT_URL = "/"
# Old rows: the churches' texts, the archive of what is deleted, the admin's log.
KEEP_TEXTS_DAYS = ENV.retention.texts_days
KEEP_AUDIT_DAYS = ENV.retention.audit_days
ARCHIVE_DIR = ENV.retention.archive_dir
# The channels and rules of koinonia.alerts.
ALERTS = ENV.alerts
SUPPORT_ADDRESS = ENV.support_address
WEBHOOKS_TO_LOOPBACK = ENV.webhooks_to_loopback
METRICS_ALLOW = ENV.metrics_allow
WORKER_METRICS = ENV.worker_metrics
LOGGING = log_lines.config(
    ENV.log_level, ENV.log_format, requests=ENV.log_requests, traces=ENV.otel_traces
)

# TLS in PUBLIC_URL means TLS everywhere. A trusted proxy says how the client connected.
_TLS = ENV.public_url.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _TLS
vars().update(languages.settings(BASE_DIR, tls=_TLS))
CSRF_FAILURE_VIEW = "koinonia.http.error_pages.csrf_failure"
SECURE_HSTS_SECONDS = 365 * 86_400 if _TLS else 0
if ENV.trusted_proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = _TLS
# Providers do not follow redirects; webhooks are trusted by their signature.
SECURE_REDIRECT_EXEMPT = [r"^webhooks/"]
CORS_ALLOWED_ORIGINS = ENV.cors_allowed_origins
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_METHODS = ("GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS")
CORS_ALLOW_HEADERS = (
    "accept", "authorization", "content-encoding", "content-type", "idempotency-key", "if-match",
    "if-none-match", "x-requested-with",
)  # fmt: skip
CORS_EXPOSE_HEADERS = (
    "Content-Disposition", "ETag", "Idempotent-Replayed", "Location", "RateLimit",
    "RateLimit-Policy", "Retry-After", "Stream-Position", "WWW-Authenticate", "X-RateLimit-Limit",
    "X-RateLimit-Remaining", "X-RateLimit-Reset",
)  # fmt: skip
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# HSTS for subdomains and preload would decide for other sites of the same domain.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        # Swagger UI and the admin set inline styles.
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    },
}

_TWILIO = (
    {}
    if ENV.twilio is None
    else {
        "twilio": {
            "BACKEND": "delivery.providers.twilio.provider.TwilioProvider",
            "ACCOUNT_SID": ENV.twilio.account_sid,
            "AUTH_TOKEN": ENV.twilio.auth_tokens,
            "API_KEY": ENV.twilio.api_key,
            "API_SECRET": ENV.twilio.api_secret,
            "API_BASE": ENV.twilio.api_base,
        }
    }
)
DELIVERY = {
    "TENANT_MODEL": "koinonia.Church",
    "RECIPIENT_MODEL": "koinonia.Member",
    "TENANT_NUMBER_FIELD": "phone_number",
    "RECIPIENT_TENANT_FIELD": "church",
    "RECIPIENT_NUMBER_FIELD": "phone",
    "THREAD_OF": "koinonia.wiring.thread_of",
    "FORMER_TENANT": "koinonia.wiring.former_tenant",
    "TENANT_BY_KEY": "koinonia.wiring.church_by_key",
    "PROVIDER_OF": "koinonia.wiring.provider_of",
    "SECOND_SENDER": "koinonia.wiring.second_sender",
    "RECIPIENT_OF": "koinonia.wiring.recipient_of",
    "SCHEDULE": "koinonia.wiring.schedule",
    "QUIET_UNTIL": "koinonia.wiring.quiet_until",
    "STOP_WORDS_OF": "koinonia.wiring.stop_words_of",
    "ON_RECEIVED": "koinonia.wiring.on_texts_received",
    "TRACE": "koinonia.config.log_context.trace",
    "REDIS_URL": _REDIS_URL,
    "HASH_TAG": _REDIS_TAG,
    "PUBLIC_URL": PUBLIC_URL,
    "OWN_MEDIA": f"{PUBLIC_URL}/media/",
    "PROVIDERS": {
        "telnyx": {
            "BACKEND": "delivery.providers.telnyx.provider.TelnyxProvider",
            "API_KEY": ENV.telnyx.api_key,
            "API_BASE": ENV.telnyx.api_base,
            "PUBLIC_KEY": ENV.telnyx.public_key,
        },
        **_TWILIO,
    },
    "MODE": ENV.delivery.mode,
    "RETRY_DELAYS": ENV.delivery.retry_delays,
    "LEASE_SECONDS": ENV.delivery.lease_seconds,
    "BREAKER_OPEN_SECONDS": ENV.delivery.breaker_open_seconds,
    "ACCOUNT_RATE": ENV.delivery.account_rate,
    "SENDER_RATE": ENV.delivery.sender_rate,
    "TENANT_RATE": ENV.delivery.church_rate,
    "PART_PRICE": ENV.delivery.part_price,
    "COUNTRIES": ENV.delivery.countries,
    "DAILY_PARTS": ENV.delivery.daily_parts,
    "DELETION": "koinonia.wiring.deletion",
    "NIGHTLY": "koinonia.wiring.nightly",
    "COMPANIONS": {"koinonia.webhooks": "koinonia.webhooks.endpoints.are_there_any"},
    "NIGHTLY_HOUR": ENV.retention.prune_hour,
    "NIGHTLY_ZONE": ENV.retention.prune_timezone,
    "WEBHOOK_RETENTION_DAYS": ENV.retention.webhooks_days,
    "AUDIT_RETENTION_DAYS": ENV.retention.audit_days,
    "WEBHOOK_SPOOL": (
        {"DIRECTORY": ENV.data_dir / "webhooks"} if ENV.delivery.webhook_spool else None
    ),
}
REALTIME: dict[str, Any] = {
    "ENABLED": ENV.realtime_enabled,
    "RETENTION_DAYS": ENV.retention.events_days,
    "KEEP_ALIVE_SECONDS": ENV.keep_alive_seconds,
    "STOP_GRACE_SECONDS": ENV.stop_grace_seconds,
    "MAY_LISTEN": "koinonia.wiring.may_listen",
    "LISTENERS": "koinonia.wiring.listeners",
    "MAY_TELL": "koinonia.wiring.may_tell",
    "BEARER": "koinonia.wiring.bearer",
    "CONNECT_LIMIT": "koinonia.wiring.may_connect",
    "CLIENT_ADDRESS": "koinonia.wiring.address_of",
    "ADDRESS_LIMIT": "koinonia.wiring.may_fail",
}


THROTTLING: dict[str, Any] = {
    "ENABLED": ENV.throttling_enabled,
    "KEY_PREFIX": f"{_REDIS_TAG}:throttling",
    "TRUSTED_PROXIES": ENV.trusted_proxies,
    "POLICIES": rate_limits.policies(ENV.throttle),
}
HTTPOPT: dict[str, Any] = {
    "ENABLED": ENV.httpopt_enabled,
    "TRACKED": "koinonia.answer_versions.TRACKED",
    "POSITION": "koinonia.answer_versions.stream_position",
    "RELEASE": digest_of_sources(*(BASE_DIR / name for name in ANSWERING_APPS)),
}

# django-q2 only runs processes for the delivery worker.
Q_CLUSTER: dict[str, Any] = {
    "name": "delivery",
    "workers": 1,
    "queue_limit": 1,
    "timeout": 60,
    "retry": 90,
    "max_attempts": 1,
    "ack_failures": True,
    "save_limit": -1,
    "recycle": 1000,
    "log_level": "WARNING",
    "catch_up": False,
    "redis": _REDIS_URL,
}

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "koinonia.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["koinonia.api.key_scopes.InScope"],
    "DEFAULT_THROTTLE_CLASSES": ["throttling.drf.PolicyThrottle"],
    "DEFAULT_PARSER_CLASSES": ["koinonia.api.parsers.BoundedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": [
        "httpopt.renderers.OrjsonRenderer",
        "koinonia.api.browsable.BrowsableRenderer",
    ],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "koinonia.api.negotiation.Negotiation",
    "DEFAULT_PAGINATION_CLASS": "koinonia.api.pagination.NewestFirst",
    "DEFAULT_SCHEMA_CLASS": "httpopt.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "koinonia.api.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%SZ",
}
# knox has a default for this, but migrations that refer to its tokens need the setting.
KNOX_TOKEN_MODEL = "knox.AuthToken"  # noqa: S105
REST_KNOX: dict[str, Any] = {
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_TTL": timedelta(days=14),
}
# The OpenAPI schema of each release is kept here after its first use.
SCHEMA_DIR = ENV.data_dir / "schema"
SPECTACULAR_SETTINGS = openapi.SETTINGS
