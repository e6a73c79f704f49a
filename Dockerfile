# Two stages on Debian 12: build with its packages, run with the shared libraries alone.
# BASE lets a build use a local Debian 12 root where no registry can be reached.
ARG BASE=debian:bookworm-slim

FROM ${BASE} AS build
RUN apt-get update && apt-get install -y --no-install-recommends \
      g++ cmake ninja-build pkg-config ca-certificates \
      libcpprest-dev libyaml-cpp-dev libpqxx-dev libpq-dev libgit2-dev libarchive-dev \
      prometheus-cpp-dev libboost-dev libboost-program-options-dev libcurl4-openssl-dev \
      libsqlite3-dev libssl-dev rapidjson-dev libsimdjson-dev libfmt-dev libspdlog-dev \
      protobuf-compiler libprotobuf-dev \
    && rm -rf /var/lib/apt/lists/*
COPY . /src
RUN cmake -S /src -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release -DATELIER_TESTS=OFF \
    && cmake --build /build --target atelier atelier-agent \
    && strip /build/bin/atelier /build/bin/atelier-agent

FROM ${BASE}
LABEL org.opencontainers.image.title="atelier" \
      org.opencontainers.image.description="Control plane for fleets of AI-agent workspaces" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN apt-get update && apt-get install -y --no-install-recommends \
      ca-certificates libcpprest2.10 libyaml-cpp0.7 libpqxx-6.4 libgit2-1.5 libarchive13 \
      libprometheus-cpp-core1.0 libboost-program-options1.74.0 libcurl4 libsqlite3-0 libssl3 \
      libsimdjson14 libfmt9 libspdlog1.10 libprotobuf-lite32 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 65532 atelier \
    && useradd --uid 65532 --gid 65532 --create-home --home-dir /var/lib/atelier atelier
COPY --from=build /build/bin/atelier /build/bin/atelier-agent /usr/local/bin/
USER 65532
ENV ATELIER_HOME=/var/lib/atelier
VOLUME /var/lib/atelier
EXPOSE 7443
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/usr/local/bin/atelier", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/atelier"]
CMD ["server", "--listen", "0.0.0.0:7443"]
