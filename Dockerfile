# Trellis in a container: not root, nothing is written but /data (SQLite) and /tmp. docs/deployment.md says how to run it.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /app
ENV UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_PROJECT_ENVIRONMENT=/app/.venv
COPY pyproject.toml uv.lock README.md ./
RUN uv sync --locked --no-dev --no-install-project
COPY bot bot
COPY storage storage
RUN uv sync --locked --no-dev && /app/.venv/bin/python -m compileall -q bot storage
COPY content content
COPY manifest.json ./
# The content is checked, and the matcher learnt, while the image is made: a start takes seconds, and broken content
# makes no image. Learnt by root, read by the image's user.
RUN MODEL_DIR=/app/models /app/.venv/bin/trellis content check && chmod -R a+rX /app/models

FROM python:3.12-slim
# pg_dump and pg_restore for `trellis backup`; nothing else needs them.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home trellis && install -d -o trellis -g trellis -m 700 /data
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 MODEL_DIR=/app/models DATABASE_URL=sqlite:////data/trellis.db \
    CONSOLE_HOST=0.0.0.0 OPERATIONS_HOST=0.0.0.0 LOG_FORMAT=json
USER 10001:10001
VOLUME /data
EXPOSE 8000 8001 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --start-period=120s --interval=30s --timeout=5s \
    CMD ["python", "-c", "import os, urllib.request as web; port = os.environ.get('OPERATIONS_PORT') or '9090'; port == '0' or web.urlopen(f'http://127.0.0.1:{port}/healthz', timeout=4)"]
ENTRYPOINT ["trellis"]
CMD ["run"]
