FROM rust:1.95-slim-bookworm AS build
# The image's own toolchain is the one of rust-toolchain.toml; without this rustup would fetch components for it.
ENV RUSTUP_TOOLCHAIN=1.95.0
# The client of Kafka is a C library, built with the system's OpenSSL.
RUN apt-get update && apt-get install -y --no-install-recommends g++ make pkg-config libssl-dev zlib1g-dev && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked --bin tributary

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libssl3 zlib1g ca-certificates && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --create-home --home-dir /data tributary
# Where volumes that several containers share are mounted: a new one gets the owner of what it covers.
RUN install --directory --owner=10001 /snapshots /keys
COPY --from=build /src/target/release/tributary /usr/local/bin/tributary
COPY deploy/healthcheck /usr/local/bin/healthcheck
USER 10001
VOLUME /data
ENV TRIBUTARY_DATA_DIR=/data
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s CMD ["healthcheck"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["tributary"]
CMD ["run"]
