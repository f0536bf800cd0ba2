# phasegate with a PostgreSQL server beside it: `check` and `prove` in one image, without docker in it.
#
#   docker build -t phasegate .
#   docker run --rm -v "$PWD:/project" phasegate check
#   docker run --rm -v "$PWD:/project" phasegate prove
#
# It runs as root, where the server takes another user as PostgreSQL wants it, and with `--user 1000`. A user without a name in the
# image can check, not prove: initdb asks for the name.
ARG BASE=debian:trixie-slim
ARG RUST=rust:1-trixie

FROM ${RUST} AS program
WORKDIR /source
COPY . .
# A program that was built elsewhere, for the C library of BASE, is taken from dist/.
RUN if [ -x dist/phasegate ]; then install -D dist/phasegate /program/phasegate; else \
        apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends pkg-config libclang-dev >/dev/null && \
        cargo build --locked --release && install -D target/release/phasegate /program/phasegate; \
    fi

FROM ${BASE}
# The server of this suite, and git for --since, base and tags of clones that a pipeline makes. No cluster is made at installation:
# `prove` makes its own, for each run.
RUN apt-get update -qq && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql-common ca-certificates git >/dev/null && \
    sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf && \
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null && \
    rm -rf /var/lib/apt/lists/*
RUN useradd --uid 1000 --create-home phasegate
COPY --from=program /program/phasegate /usr/local/bin/phasegate
WORKDIR /project
ENTRYPOINT ["phasegate"]
