# The shop as an image of one static program. Its templates, pictures and
# migrations are inside the program; what the image adds is certificates, for
# a Postgres that is reached over TLS.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o /shop ./cmd/shop

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /shop /shop
USER 65532:65532
ENV SHOP_ADDR=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/shop", "healthcheck"]
ENTRYPOINT ["/shop"]
CMD ["serve"]
