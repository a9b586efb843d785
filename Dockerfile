# The service as an image. Build and run:
#   docker build -t log-analytics .
#   docker run --rm -p 127.0.0.1:8080:8080 -e AUTH_MODE=none -e KAFKA_BOOTSTRAP_SERVERS=... -e CLICKHOUSE_URL=... log-analytics
# It listens on all addresses of the container, so it does not start until it is told who may read logs: AUTH_MODE=none
# means everybody who can connect, here this machine alone; AUTH_TOKENS_FILE or AUTH_TOKENS those who have a token.

# The tag names a patch release of Python and a release of Debian. Where a build must be the same byte for byte,
# hand in the digest of your registry's copy: --build-arg PYTHON_IMAGE=python@sha256:...
ARG PYTHON_IMAGE=docker.io/library/python:3.13.16-slim-trixie

# The compiled part of the decoder, by Debian's compiler: it takes a fraction of the processor time, and Python makes the
# same rows. Where the build cannot reach crates.io, leave it out: --build-arg NATIVE=without
FROM ${PYTHON_IMAGE} AS native
ARG NATIVE=with
# The symbols of Python are those of the program that loads the module.
ENV PYO3_BUILD_EXTENSION_MODULE=1
COPY native /source
# Cargo.lock has the hash of every crate, so only those come in. The compiler does not stay: any of this Debian will do.
# hadolint ignore=DL3008
RUN mkdir -p /native/release \
    && if [ "$NATIVE" = with ]; then \
        apt-get update -qq && apt-get install -y -qq --no-install-recommends cargo > /dev/null \
        && cargo build --quiet --release --locked --manifest-path /source/Cargo.toml --target-dir /native; \
    fi

FROM ${PYTHON_IMAGE} AS packages
# No pip of its own: that of the base image installs into it, and the running service needs none.
RUN python -m venv --without-pip /venv
COPY requirements.txt /
# Wheels only, so that no compiler is ever needed; hashes, so that only the files named in requirements.txt come in.
# What pyarrow brings for other jobs (its tests, C++ headers, Flight and S3 clients) is a fifth of all packages.
RUN pip --python /venv/bin/python install --no-cache-dir --no-deps --only-binary :all: --require-hashes \
        -r /requirements.txt \
    && arrow="$(echo /venv/lib/python3.*/site-packages/pyarrow)" \
    && rm -r "$arrow"/tests "$arrow"/include "$arrow"/*_flight* "$arrow"/*_s3*
COPY --from=native /native/release /native
RUN if [ -e /native/liblog_decoder.so ]; then \
        cp /native/liblog_decoder.so "$(echo /venv/lib/python3.*/site-packages)"/log_decoder.abi3.so; \
    fi

FROM ${PYTHON_IMAGE} AS source
COPY app /srv/app
COPY migrations /srv/migrations
COPY schema.sql /srv/
COPY LICENSE /srv/
# Whatever the umask was where these files were checked out, the user below has to read them. Compiled here, because
# that user may not write there.
RUN chmod -R a+rX /srv && python -m compileall -q --invalidation-mode unchecked-hash /srv/app

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="log-analytics" \
      org.opencontainers.image.description="Logs in through Kafka, rows in ClickHouse, each exactly once." \
      org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/venv/bin:$PATH \
    HTTP_HOST=0.0.0.0 \
    PYTHONUNBUFFERED=1
COPY --from=packages /venv /venv
COPY --from=source /srv /srv
WORKDIR /srv
# The base image has Python's standard library without its compiled files, and the user below may not write there: every
# start would compile it anew, for half a second, and so would every health check. This compiles what the service imports.
RUN ["python", "-c", "import app.__main__, app.build.service, app.serve"]
ENV PYTHONDONTWRITEBYTECODE=1
# A number, because Kubernetes' runAsNonRoot cannot look a name up. This user owns no file: the root can be read-only.
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
# Not through urllib: that would follow a proxy set for the service. Cloud Run ignores this line and has its own probes.
HEALTHCHECK --interval=15s --timeout=3s --start-period=15s --retries=3 CMD ["python", "-c", "\
import http.client, os; \
live = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PORT') or os.environ.get('HTTP_PORT') or 8080), timeout=2); \
live.request('GET', '/live'); \
raise SystemExit(live.getresponse().status != 200)"]
CMD ["python", "-m", "app"]
