# The service alone: locked run-time packages, no development tools, no root.
FROM python:3.13-slim AS packages
COPY requirements.lock /
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r /requirements.lock \
    && /venv/bin/pip uninstall --yes --quiet pip

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin stepwise \
    && mkdir -p /app/var && chown stepwise:stepwise /app/var
COPY --from=packages /venv /venv
WORKDIR /app
COPY bot_service bot_service
COPY migrations migrations
COPY plans plans
COPY schedules schedules
ENV PATH=/venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 STEPWISE_BIND=0.0.0.0:8000 STEPWISE_LOG_FORMAT=json
RUN python -m compileall -q /app
USER 10001:10001
VOLUME /app/var
EXPOSE 8000
# Ready means: database reachable, schema new enough, ticking.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
ENTRYPOINT ["python", "-m", "bot_service"]
CMD ["serve"]
