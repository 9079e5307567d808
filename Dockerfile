# The syncer's image, for people with docker, podman or buildah: `docker build -t ghcr.io/cdktf-vcluster/syncer:0.1.0 .`
# `npm run image` makes the same root file system without any of them.
FROM node:24-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY config config
COPY syncer syncer
COPY scripts scripts
COPY testbed testbed
RUN node scripts/image.ts --root-only /rootfs

FROM scratch
COPY --from=build /rootfs /
ENV PATH=/usr/local/bin NODE_ENV=production
USER 65532:65532
WORKDIR /
ENTRYPOINT ["/usr/local/bin/node", "--max-semi-space-size=2", "--expose-gc", "/app/syncer.mjs"]
