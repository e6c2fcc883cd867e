"""Settings, from the environment alone. docs/operating.md has one table of every variable."""

from pathlib import Path

from csp.constants import NONE, SELF
from kombu import Queue as BrokerQueue

from config import env
from config.queues import ROUTES, Queue
from config.version import version

env.borrow_running_demo()

ROOT = Path(__file__).resolve().parent.parent
VERSION = version()
DEBUG = env.flag("DEBUG")
TESTING = env.flag("COUNTERPOINT_TESTING")

# --- Where we are reached ------------------------------------------------------------------------
BASE_URL = env.text("BASE_URL", "http://127.0.0.1:8000").rstrip("/")
PLAIN_HTTP = env.loopback(BASE_URL)
# A health check comes from this machine, and by this machine's names.
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS"), "127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS = [BASE_URL]
if not PLAIN_HTTP:
    # The proxy in front ends TLS, and must set this header itself.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- Secrets: none has a default outside plain http on this machine ------------------------------
SECRET_KEY = env.text("SECRET_KEY")
if not SECRET_KEY and PLAIN_HTTP:
    SECRET_KEY = "only-for-commands-on-this-machine-never-for-a-server"  # noqa: S105
# Servers refuse this one: config/asgi.py and the workers call config.startup.
SECRET_KEY_IS_SET = bool(env.text("SECRET_KEY"))

# Panels' ids are stored as hashes under this key. It must outlive a change of SECRET_KEY: under
# another one, everybody who comes back would be a stranger.
PANEL_SECRET = env.text("PANEL_SECRET") or SECRET_KEY

# --- Model endpoints: addresses and keys stay in the environment; rows keep only names -----------
MODEL_ALLOWLIST = env.words("MODEL_ALLOWLIST")
MODEL_BASE_URL = env.text("MODEL_BASE_URL").rstrip("/")
MODEL_NAME = env.text("MODEL_NAME")
MODEL_API_KEY = env.text("MODEL_API_KEY")
LOCAL_MODEL_URL = env.text("LOCAL_MODEL_URL")
LOCAL_MODEL_KEY = env.text("LOCAL_MODEL_KEY")
LOCAL_MODEL_NAME = env.text("LOCAL_MODEL_NAME", "smollm2-135m")
SIMULATED_URL = env.text("SIMULATED_URL")
SIMULATED_KEY = env.text("SIMULATED_KEY")
MODEL_ADDRESSES = {
    name: value
    for name, value in {
        "MODEL_BASE_URL": MODEL_BASE_URL,
        "LOCAL_MODEL_URL": LOCAL_MODEL_URL,
        "SIMULATED_URL": SIMULATED_URL,
    }.items()
    if value
}
MODEL_SECRETS = env.model_secrets()

# --- The generation engine -----------------------------------------------------------------------
WORKER_GRACE = env.number("WORKER_GRACE", 20)  # seconds that running sets get on SIGTERM
WORKER_STREAMS = env.number("WORKER_STREAMS", 300)  # open streams per worker process
SET_LEASE = env.number("SET_LEASE", 15)  # seconds; renewed every second by the watch

# --- Applications --------------------------------------------------------------------------------
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "csp",
    "django_htmx",
    "studies",
    "sampling",
    "annotation",
    "exports",
    "console",
]
MIDDLEWARE = [
    "config.requests.RequestIdMiddleware",
    "config.compressing.PageCompressionMiddleware",
    "config.unavailable.DatabaseUnavailableMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [ROOT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "libraries": {"bundles": "config.bundles"},
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.pages.interface",
            ],
        },
    }
]
AUTH_USER_MODEL = "studies.Researcher"
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/console/"
LOGOUT_REDIRECT_URL = "/accounts/login/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Data ----------------------------------------------------------------------------------------
DATABASE_URL = env.text("DATABASE_URL", "postgresql:///counterpoint")
DATABASES = {
    # Pages run in a fixed pool of threads: each keeps its connection. The threads of a worker give
    # theirs back while a model writes, so they share a few.
    "default": env.database(
        DATABASE_URL,
        pool=env.number("DATABASE_POOL", 0),
        max_age=env.number("CONN_MAX_AGE", 300),
    )
}
REDIS_URL = env.text("REDIS_URL", "redis://127.0.0.1:6379/0")

# --- Celery --------------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_RESULT_BACKEND = None  # the rows are the result
CELERY_TASK_IGNORE_RESULT = True
# A bell may be lost: rows are the queue. One that is held unacknowledged may not: on losing the
# broker kombu tries to give it back, fails, and takes the whole worker down with its running sets.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_DISABLE_PREFETCH = True
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = Queue.DEFAULT.value
CELERY_TASK_QUEUES = [BrokerQueue(queue.value) for queue in Queue]
CELERY_TASK_ROUTES = ROUTES
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    # A bell may be lost or late without harm, so a short wait beats a long one.
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    # kombu's own default is to try for six seconds before a page could go on.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
}
# A page must never wait for the bell: one try, then the watch finds the row by itself.
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULE = {
    "sweep-assignments": {
        "task": "annotation.tasks.sweep_expired",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "fill-prefetch": {
        "task": "annotation.tasks.fill_prefetch",
        "schedule": 10.0,
        "options": {"expires": 10},
    },
}
CELERY_BEAT_SCHEDULE_FILENAME = env.text("BEAT_SCHEDULE_FILE", "/tmp/counterpoint-beat")  # noqa: S108

# --- Languages: of the interface; the language of a task belongs to its cohort -------------------
LANGUAGE_CODE = "en"
# docs/translating.md has the recipe for a further one.
INTERFACE_LANGUAGES = [
    ("en", "English"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("pt-br", "Português (Brasil)"),
    ("hi", "हिन्दी"),
    ("ar", "العربية"),
]
# Their catalogues have gaps: nobody is offered them, and only developers and tests see them.
UNFINISHED_LANGUAGES: set[str] = set()
LANGUAGES = [
    (code, name)
    for code, name in INTERFACE_LANGUAGES
    if code not in UNFINISHED_LANGUAGES or DEBUG or TESTING
]
LOCALE_PATHS = [ROOT / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# --- Cookies and headers -------------------------------------------------------------------------
# __Host- names need Secure, which clients drop over plain http, even on loopback.
COOKIE_PREFIX = "" if PLAIN_HTTP else "__Host-"
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}session"
SESSION_COOKIE_SECURE = not PLAIN_HTTP
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrf"
CSRF_COOKIE_SECURE = not PLAIN_HTTP
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "annotation.views.leaving.csrf_failure"
ANNOTATOR_COOKIE = f"{COOKIE_PREFIX}annotator"
LANGUAGE_COOKIE_NAME = f"{COOKIE_PREFIX}language"
LANGUAGE_COOKIE_SECURE = not PLAIN_HTTP
LANGUAGE_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = False  # the proxy redirects; health checks come over plain http
SECURE_HSTS_SECONDS = 0 if PLAIN_HTTP else 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = not PLAIN_HTTP
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "object-src": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

# --- Static files --------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [ROOT / "static"]
STATIC_ROOT = Path(env.text("STATIC_ROOT", str(ROOT / "staticfiles")))
# Tests and `DEBUG` read the files as they stand, so that no collectstatic is needed.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "config.bundles.BundlingStorage"
    },
}
INSTALLED_APPS.append("django.contrib.staticfiles")

# --- Logs: one JSON object a line, with the request id; never a prompt, a token or a panel id ----
LOG_FORMAT = env.text("LOG_FORMAT", "json")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "config.requests.RequestIdFilter"},
        "route": {"()": "config.requests.RouteFilter"},
        "rows_left_out": {"()": "config.log_privacy.RowsLeftOutFilter"},
    },
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
        },
        "plain": {"format": "%(asctime)s %(levelname)s %(name)s [%(request_id)s] %(message)s"},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": LOG_FORMAT,
            "filters": ["request_id", "rows_left_out"],
        }
    },
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", "INFO")},
    "loggers": {
        # uvicorn's own access log would write the tokens of join links.
        "uvicorn.access": {"level": "CRITICAL"},
        "httpx2": {"level": "WARNING"},
        # Django names the path of what it refused: join and return links hold tokens there.
        "django.request": {"filters": ["route"]},
        "django.security.csrf": {"filters": ["route"]},
        "openai": {"level": "WARNING"},
    },
}
