# The API: HTTP, PostgreSQL, queue, S3. No PKCS#11 module, no compiler, no source in the final image.
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
  && npm ci --omit=dev --workspace apps/api --include-workspace-root=false --no-audit --no-fund

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/prisma prisma
COPY --from=build /app/dist/api dist/api
COPY infra/docker/entrypoint.sh infra/docker/create-bucket.mjs infra/docker/make-secrets.mjs infra/docker/
USER node
EXPOSE 8080
ENTRYPOINT ["infra/docker/entrypoint.sh"]
CMD ["node", "--enable-source-maps", "dist/api/bin/main.js"]
