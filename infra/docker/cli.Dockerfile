# The operator's tools: the key ceremony and the signfleet command.
ARG NODE_IMAGE=node:24-bookworm-slim

# The bundle: needs all packages, development ones included.
FROM ${NODE_IMAGE} AS build
RUN apt-get update \
  && apt-get install -y --no-install-recommends g++ make python3 \
  && rm -rf /var/lib/apt/lists/*
WORKDIR /app
# Prisma's commands would download a native engine, which nothing here uses; any file stands in for it.
ENV PRISMA_SCHEMA_ENGINE_BINARY=/bin/true CHECKPOINT_DISABLE=1
COPY . .
RUN npm ci --no-audit --no-fund
RUN npx prisma generate && npm run build

# What the bundle imports at run time, of this process only.
FROM build AS packages
RUN rm -rf node_modules \
  && npm ci --omit=dev --workspace apps/cli --include-workspace-root=false --no-audit --no-fund

FROM ${NODE_IMAGE}
RUN apt-get update \
  && apt-get install -y --no-install-recommends softhsm2 openssl \
  && rm -rf /var/lib/apt/lists/* \
  && install -d -o node -g node -m 0700 /var/lib/signfleet/hsm /var/lib/signfleet/custody \
  && install -d -o node -g node /run/signfleet/signing-pin /run/signfleet/provisioning-pin /run/signfleet/trust
COPY infra/docker/softhsm2.conf /etc/signfleet/softhsm2.conf
ENV NODE_ENV=production \
  SOFTHSM2_CONF=/etc/signfleet/softhsm2.conf \
  HSM_MODULE=/usr/lib/softhsm/libsofthsm2.so
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/dist/cli dist/cli
COPY infra/docker/ceremony.sh infra/docker/
USER node
ENTRYPOINT ["node", "--enable-source-maps", "dist/cli/bin/main.js"]
