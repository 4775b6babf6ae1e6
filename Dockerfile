# One image for all processes of a real installation: web, worker and beat differ only in the command (Procfile).
# docs/operations.md says how it is run, and what of it was proven without Docker.

FROM python:3.11-slim-bookworm AS build
RUN python -m venv /opt/venv
COPY requirements.txt .
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes --requirement requirements.txt \
    && /opt/venv/bin/pip check

FROM python:3.11-slim-bookworm
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/var/lib/clientcomm \
    STATIC_ROOT=/srv/static
RUN useradd --system --uid 10001 --home-dir /var/lib/clientcomm --create-home clientcomm
WORKDIR /srv/clientcomm
COPY --from=build /opt/venv /opt/venv
COPY . .
# Hashed and compressed once, here: the running processes can't write outside /var/lib/clientcomm and /tmp.
RUN python -m compileall -q /srv/clientcomm && python manage.py collectstatic --no-input --verbosity 0
USER clientcomm
VOLUME /var/lib/clientcomm
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/healthz', timeout=3)"]
CMD ["gunicorn", "--config", "python:clientcomm.gunicorn_web"]
