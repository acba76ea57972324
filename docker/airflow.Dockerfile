# One image for every Airflow process and for the rasso command line.
FROM python:3.11-slim-bookworm

# libpq is in the wheels; curl is for the health check.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/*

WORKDIR /opt/rasso
COPY requirements.lock pyproject.toml ./
# Compiled here: the user below may not write beside the packages, and every process would compile them anew.
RUN pip install --no-cache-dir "uv==0.13.9" \
    && uv pip install --system --no-cache --require-hashes --compile-bytecode -r requirements.lock

COPY dags ./dags
COPY extracts ./extracts
COPY expectations ./expectations
COPY warehouse ./warehouse
COPY transforms ./transforms
COPY scorecards ./scorecards
COPY rasso ./rasso
RUN uv pip install --system --no-deps --no-build-isolation --editable . \
    && python -m compileall -q dags extracts expectations warehouse transforms scorecards rasso

COPY docker/entrypoint /usr/local/bin/rasso-entrypoint
RUN useradd --uid 50000 --create-home rasso \
    && install -d -o rasso -g rasso -m 0755 /var/lib/rasso /var/lib/airflow
ENV AIRFLOW_HOME=/var/lib/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/rasso/dags \
    AIRFLOW__CORE__LOAD_EXAMPLES=False \
    AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=False \
    GX_ANALYTICS_ENABLED=false \
    DBT_SEND_ANONYMOUS_USAGE_STATS=false \
    DO_NOT_TRACK=1
USER rasso
ENTRYPOINT ["rasso-entrypoint"]
CMD ["scheduler"]
