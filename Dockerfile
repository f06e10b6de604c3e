# syntax=docker/dockerfile:1

# The builder is pinned to one release of Go, the one of go.mod or newer; raise
# it with each release. To pin the very bytes, add its digest:
#   docker buildx imagetools inspect golang:1.26.8 --format '{{.Manifest.Digest}}'
ARG GO_IMAGE=golang:1.26.8

# The builder runs on the machine's own processor and cross-compiles: with
# CGO off that needs nothing else.
FROM --platform=$BUILDPLATFORM ${GO_IMAGE} AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG VERSION=unversioned
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/bareed ./cmd/bareed

# Nothing but the program and the certificates it checks Meta's against. Time
# zones are inside the program. It writes no file, so it runs with a read-only
# root and needs no temporary directory.
FROM scratch
ARG VERSION=unversioned
LABEL org.opencontainers.image.title="Bareed" \
      org.opencontainers.image.description="WhatsApp campaign and broadcast engine" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/bareed /bareed
# A number, so that "run as non-root" rules can be checked without a password file.
USER 65532:65532
# The defaults listen on the loopback address, which in a container nobody reaches.
ENV BAREED_LISTEN=0.0.0.0:8080 \
    BAREED_METRICS_LISTEN=0.0.0.0:9100
# 8080: API, pages, webhooks. 9100: health and metrics, not for the world.
EXPOSE 8080 9100
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["/bareed", "health"]
ENTRYPOINT ["/bareed"]
CMD ["help"]
